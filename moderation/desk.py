"""What the moderators' page asks of the store beyond the queue itself, and what it does there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from moderation.context import Around, around, held_languages
from moderation.database import Database
from moderation.families import members
from moderation.history import Hashes
from moderation.reviewing import Act, Acted, Word, act, acted
from moderation.stored import Status, Stored
from moderation.verdict import Author


class Desk:
    """All moderators' desk of one database."""

    def __init__(
        self, database: Database, hashes: Hashes, announces: Callable[[str], bool]
    ) -> None:
        self._database = database
        self._announces = announces
        self._nobody = hashes.author(Author())

    def around(self, site: str, shown: Sequence[Stored]) -> dict[str, Around]:
        """What a moderator wants to know beside each of these comments."""
        with self._database.reading() as connection:
            return around(connection, site, shown, self._nobody)

    def held_languages(self, site: str) -> list[str]:
        """The languages of what is held."""
        with self._database.reading() as connection:
            return held_languages(connection, site)

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

    def acted(self, site: str, name: str) -> list[Acted]:
        """What an act did."""
        with self._database.reading() as connection:
            return acted(connection, site, name)

    def undo(self, site: str, name: str, by: str = "") -> Act:
        """Take an act back, but for comments that were decided on since."""
        with self._database.writing() as connection:
            seen = {one.comment_id: one.review for one in acted(connection, site, name)}
            word = Word("undo", by=by)
            return act(connection, site, dict(seen), word, announced=self._announces(site))
