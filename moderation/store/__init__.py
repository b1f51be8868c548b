"""Comments, verdicts and reviews, kept. What it answered is on the disk before it answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Unpack

import sqlalchemy as sa

from moderation.errors import Conflict, ReviewedSince, UnknownComment
from moderation.settings import Policy
from moderation.store.database import Database
from moderation.store.desk import Desk
from moderation.store.erasing import Erasing
from moderation.store.figures import SiteFigures
from moderation.store.history import Hashes, SiteHistory
from moderation.store.intake import Intake, Judge, Submission
from moderation.store.keys import Keys
from moderation.store.labels import label_row, labelled
from moderation.store.outbox import Outbox
from moderation.store.queue import Filters, queue_page
from moderation.store.rates import Rates
from moderation.store.retrains import Retrains
from moderation.store.reviewing import Word, act
from moderation.store.sessions import Sessions
from moderation.store.stored import Label, QueuePage, ReviewDecision, Stored, from_row
from moderation.store.tables import comments, meta, reviews
from moderation.store.tally import Tally, tally
from moderation.verdict import Author, Comment, Verdict

# Made once: making a statement took longer than running it.
_PING = sa.update(meta).where(meta.c.name == "ping").values(value=sa.bindparam("now"))
_FIND = sa.select(comments).where(
    comments.c.site == sa.bindparam("site"), comments.c.id == sa.bindparam("id")
)
_REVIEWS = (
    sa.select(reviews).where(reviews.c.comment_id == sa.bindparam("id")).order_by(reviews.c.id)
)


class Store:
    """One database of comments. Thread-safe; open one in each process, after it has forked."""

    def __init__(self, database: Database, announces: Callable[[str], bool]) -> None:
        self._database = database
        self._hashes = Hashes(database.fact("secret"))
        self._announces = announces
        self._intake = Intake(database, self._hashes)
        self.rates = Rates(database)
        self.keys = Keys(database)
        self.erasing = Erasing(database, self._hashes, announces)
        self.outbox, self.retrains = Outbox(database), Retrains(database)
        self.figures = SiteFigures(database)
        self.my_turn = database.my_turn
        self.not_done = database.not_done
        self.sessions = Sessions(database)
        self.desk = Desk(database, self._hashes, announces)

    @classmethod
    def open(cls, url: str, announces: Callable[[str], bool] = lambda site: False) -> Store:
        """Open the database at this SQLAlchemy URL; what is missing is created. `announces` says
        whether a site wants to hear what becomes of its comments."""
        return cls(Database.open(url), announces)

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()

    def ping(self) -> None:
        """Write something; StoreUnavailable where that fails."""
        with self._database.writing() as connection:
            connection.execute(_PING, {"now": str(time.time())})

    def clock(self) -> float:
        """The database's time; of SQLite it is this machine's."""
        with self._database.reading() as connection:
            if connection.dialect.name == "sqlite":
                return time.time()
            now = sa.func.extract("epoch", sa.func.clock_timestamp())
            return float(connection.scalar(sa.select(now)) or 0)

    def newest(self) -> float:
        """When the last comment came; 0 where there is none."""
        with self._database.reading() as connection:
            newest = sa.select(comments.c.received).order_by(comments.c.id.desc()).limit(1)
            return float(connection.scalar(newest) or 0)

    def history(self, site: str) -> SiteHistory:
        """What the duplicate and flood checks ask."""
        return SiteHistory(self._database.ask, self._hashes, site)

    def address(self, site: str, ip: str) -> str:
        """A keyed hash of an author's address."""
        return self._hashes.address(site, ip)

    def submit(
        self, policy: Policy, submissions: Sequence[Submission], judge: Judge
    ) -> list[list[Stored] | Conflict]:
        """Have the new comments judged and keep them, all in one transaction; of those that came
        before, the first verdict."""
        return self._intake.take(policy, submissions, judge)

    def record(
        self,
        policy: Policy,
        batch: Sequence[Comment],
        verdicts: Sequence[Verdict],
        idempotency_key: str = "",
    ) -> list[Stored]:
        """The same with verdicts that are there already, one for each comment."""
        ready = {id(comment): verdict for comment, verdict in zip(batch, verdicts, strict=True)}
        submission = Submission(batch, idempotency_key)
        (kept,) = self.submit(policy, [submission], lambda new, _: [ready[id(c)] for c in new])
        if isinstance(kept, Conflict):
            raise kept
        return kept

    def find(self, site: str, comment_id: str) -> Stored:
        """One comment with its reviews."""
        with self._database.reading() as connection:
            return _found(connection, site, comment_id)

    def find_text(self, site: str, comment: Comment) -> Stored | None:
        """The author's newest comment with this text; anybody's, where no author is given."""
        query = sa.select(comments).where(
            comments.c.site == site, comments.c.text_hash == self._hashes.text(comment)
        )
        if comment.author != Author():  # honest comments are copied by spammers
            query = query.where(comments.c.author_hash == self._hashes.author(comment.author))
        query = query.order_by(comments.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return from_row(row) if row else None

    def queue(self, site: str, **filters: Unpack[Filters]) -> QueuePage:
        """A page of the site's comments; queue.py says what can be asked for."""
        with self._database.reading() as connection:
            return queue_page(connection, [site], **filters)

    def tally(self, site: str, starts: Sequence[datetime]) -> list[Tally]:
        """Counts for each of the periods that begin so, oldest first; the last is not over."""
        with self._database.reading() as connection:
            return tally(connection, site, starts)

    def review(
        self,
        site: str,
        comment_id: str,
        decision: ReviewDecision,
        label: Label | None,
        *,
        note: str = "",
        by: str = "",
        seen: int | None = None,
    ) -> Stored:
        """A moderator's word. It replaces an earlier one, label included; the history is kept.
        ReviewedSince where `seen` is not the id of the comment's last review, 0 for none."""
        word = Word(decision, label, note, by)
        with self._database.writing() as connection:
            done = act(connection, site, {comment_id: seen}, word, announced=self._announces(site))
            stored = _found(connection, site, comment_id)
        if done.late:
            raise ReviewedSince
        return stored

    def erase(self, site: str, comment_id: str) -> None:
        """Forget a comment, its author, its reviews and its label."""
        if not self.erasing.comments(site, comments.c.id == comment_id, announced=True):
            raise UnknownComment(comment_id)

    def labels(self, site: str | None = None) -> Iterator[dict[str, str]]:
        """Rows of the labelled CSV, of one site or of all: each comment whose last review has a
        label. The text is as it was sent: whoever opens it in a spreadsheet is to be careful."""
        return map(label_row, labelled(self._database, site))

    def sites(self) -> list[str]:
        """The sites that have comments."""
        with self._database.reading() as connection:
            return list(connection.scalars(sa.select(comments.c.site).distinct()))


def _found(connection: sa.Connection, site: str, comment_id: str) -> Stored:
    row = connection.execute(_FIND, {"site": site, "id": comment_id}).mappings().first()
    if row is None:
        raise UnknownComment(comment_id)
    return from_row(row, connection.execute(_REVIEWS, {"id": comment_id}).all())
