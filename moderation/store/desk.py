"""What the moderators' page asks of the store beyond the queue itself, and what it does there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Unpack

import sqlalchemy as sa

from moderation.errors import UnknownComment
from moderation.store.context import Around, around, held_languages
from moderation.store.database import Database
from moderation.store.families import members
from moderation.store.history import Hashes
from moderation.store.queue import Filters, queue_page
from moderation.store.reviewing import Act, Acted, Word, act, acted
from moderation.store.stored import QueuePage, Status, Stored
from moderation.store.tables import comments
from moderation.verdict import Author


class Desk:
    """All moderators' desk of one database."""

    def __init__(
        self, database: Database, hashes: Hashes, announces: Callable[[str], bool]
    ) -> None:
        self._database = database
        self._announces = announces
        self._nobody = hashes.author(Author())

    def queue(self, sites: Iterable[str], **filters: Unpack[Filters]) -> QueuePage:
        """A page of these sites' comments; queue.py says what can be asked for."""
        with self._database.reading() as connection:
            return queue_page(connection, sites, **filters)

    def counts(self, sites: Sequence[str]) -> dict[str, int]:
        """How many comments there are of each status."""
        query = sa.select(comments.c.status, sa.func.count()).where(comments.c.site.in_(sites))
        with self._database.reading() as connection:
            return dict(connection.execute(query.group_by(comments.c.status)).all())

    def site_of(self, sites: Sequence[str], comment_id: str) -> str:
        """Which of these sites the comment is of; UnknownComment where it is of none."""
        its = sa.select(comments.c.site).where(comments.c.id == comment_id)
        with self._database.reading() as connection:
            site = connection.scalar(its.where(comments.c.site.in_(sites)))
        if site is None:
            raise UnknownComment(comment_id)
        return str(site)

    def around(self, shown: Sequence[Stored]) -> dict[str, Around]:
        """What a moderator wants to know beside each of these comments."""
        found: dict[str, Around] = {}
        with self._database.reading() as connection:
            for site in {stored.site for stored in shown}:
                its = [stored for stored in shown if stored.site == site]
                found |= around(connection, site, its, self._nobody)
        return found

    def held_languages(self, sites: Iterable[str]) -> set[str]:
        """The languages of what is held."""
        with self._database.reading() as connection:
            return {language for site in sites for language in held_languages(connection, site)}

    def act(self, site: str, seen: Mapping[str, int | None], word: Word) -> Act:
        """A moderator's word on several comments at once; reviewing.py says more."""
        with self._database.writing() as connection:
            return act(connection, site, seen, word, announced=self._announces(site))

    def act_on_family(
        self, site: str, comment_id: str, status: Status, newest: str, word: Word
    ) -> Act:
        """A moderator's word on all near-copies of a comment that have this status and came no
        later than the newest that was seen."""
        with self._database.writing() as connection:
            ids = members(connection, site, comment_id, status, newest)
            return act(connection, site, dict.fromkeys(ids), word, announced=self._announces(site))

    def acted(self, sites: Sequence[str], name: str) -> list[Acted]:
        """What an act did, if it was on one of these sites."""
        with self._database.reading() as connection:
            return acted(connection, sites, name)

    def undo(self, site: str, name: str, by: str = "") -> Act:
        """Take an act back, but for comments that were decided on since."""
        with self._database.writing() as connection:
            seen = {one.comment_id: one.review for one in acted(connection, [site], name)}
            word = Word("undo", by=by)
            return act(connection, site, dict(seen), word, announced=self._announces(site))
