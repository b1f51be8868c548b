"""The store: one record for one comment, nothing lost, nothing left of what was erased.

Runs on SQLite, and on a PostgreSQL server that the tests start.
"""

from __future__ import annotations

import os
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from moderation.errors import (
    BadCursor,
    BadSetting,
    Conflict,
    StoreUnavailable,
    UnknownComment,
    UnknownKey,
)
from moderation.settings import Policy
from moderation.store import Store, tables, turn
from moderation.store.history import SiteHistory
from moderation.store.intake import Submission
from moderation.store.labels import LABEL_COLUMNS
from moderation.store.stored import Stored
from moderation.store.turn import Turn
from moderation.verdict import (
    Article,
    Author,
    Change,
    Comment,
    Finding,
    Form,
    Language,
    Span,
    Verdict,
)
from tests.conftest import behind

AUTHOR = Author("Ann", "ann@example.org", "https://ann.example", "192.0.2.77", "Agent/1", "7")
COMMENT = Comment(
    "A <b>full</b> comment, with quite enough letters to be itself",
    AUTHOR,
    Article("https://blog.example/1", "On things", "Things.", "2026-01-01"),
    "What do you think?",
    Form("", 12.5),
    "42",
)


def verdict(*reasons: str, spam: float = 0.1) -> Verdict:
    findings = tuple(Finding(code, "Because.", spam, (Span(0, 1, "A", 1.5),)) for code in reasons)
    return Verdict(
        decision="hold" if reasons else "publish",
        reasons=findings,
        scores={"spam": spam, "abuse": 0.01},
        html="A <b>full</b> comment",
        changes=(Change("tag", "b", "closed"),),
        language=Language("en"),
        model="words-1",
    )


@pytest.fixture
def keep(store: Store, policy: Policy) -> Callable[..., Stored]:
    """Record one comment, published unless reasons are given."""

    def record(comment: Comment | str, *reasons: str, spam: float = 0.1, key: str = "") -> Stored:
        comment = Comment(comment) if isinstance(comment, str) else comment
        return store.record(policy, [comment], [verdict(*reasons, spam=spam)], key)[0]

    return record


Keep = Callable[..., Stored]


def rows(database_url: str) -> int:
    with behind(database_url) as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(tables.comments))
    return int(count or 0)


# ------------------------------------------------------------------ recording


def test_a_comment_and_its_verdict_come_back_as_they_were(store: Store, policy: Policy) -> None:
    first = verdict("spam", "links", spam=0.97)
    (kept,) = store.record(policy, [COMMENT], [first])
    found = store.find("blog", kept.id)
    assert found == kept
    assert found.verdict == first
    assert found.comment == replace(COMMENT, author=replace(AUTHOR, ip=""))
    assert (found.status, found.label, found.promise) == ("held", None, policy.promise)
    assert abs(found.received.timestamp() - time.time()) < 5


def test_the_address_of_an_author_is_nowhere_in_the_database(keep: Keep, database_url: str) -> None:
    keep(COMMENT)
    with behind(database_url) as connection:
        row = connection.execute(sa.text("select * from comments")).one()
    assert AUTHOR.ip not in repr(row)
    assert AUTHOR.name in repr(row)


def test_a_site_sees_only_its_own(store: Store, keep: Keep, policy: Policy) -> None:
    kept = keep(COMMENT)
    assert store.queue("news").comments == ()
    assert store.find_text("news", COMMENT) is None
    for act in (
        lambda: store.find("news", kept.id),
        lambda: store.review("news", kept.id, "publish", None),
        lambda: store.erase("news", kept.id),
    ):
        with pytest.raises(UnknownComment):
            act()
    (other,) = store.record(replace(policy, site="news"), [COMMENT], [verdict()])
    assert other.id != kept.id
    assert store.sites() == ["blog", "news"] or store.sites() == ["news", "blog"]


def test_what_no_database_can_hold_is_replaced_one_for_one(store: Store, policy: Policy) -> None:
    odd = Comment("a\0b\ud800c 😀", Author(name="\udfff"), external_id="x\0y")
    (kept,) = store.record(policy, [odd], [replace(verdict(), html="a\0b")])
    assert store.find("blog", kept.id).comment.content == "a\ufffdb\ufffdc 😀"
    assert store.record(policy, [odd], [verdict()]) == [kept]
    assert store.queue("blog", q="\0").comments == (kept,)


def test_nothing_to_record_is_fine(store: Store, policy: Policy) -> None:
    assert store.record(policy, [], []) == []


# ------------------------------------------------------------------ the same again


def test_to_know_a_comment_again_takes_as_many_steps_among_many_as_among_few(
    store: Store, keep: Keep, policy: Policy, database_url: str
) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL plans by what it knows of the table")
    batch = [Comment("new", external_id="new"), Comment("old", external_id="old")]
    keep(batch[1])

    def steps() -> int:
        counted: list[int] = []
        raw = store._database._reader.raw_connection()
        raw.driver_connection.set_progress_handler(lambda: counted.append(1), 1)  # type: ignore[union-attr]
        raw.close()  # the pool gives the last one next
        with pytest.raises(ValueError, match=r"^new$"):  # and not "old"
            store.submit(policy, [Submission(batch, "key")], refuse)
        return len(counted)

    def refuse(comments: Sequence[Comment], history: object) -> list[Verdict]:
        raise ValueError(*[comment.content for comment in comments])

    among_few = steps()
    assert among_few
    for number in range(200):
        keep(Comment(f"comment {number}", external_id=f"n{number}"))
    assert steps() < 2 * among_few


def test_an_external_id_again_is_the_first_verdict_again(keep: Keep, database_url: str) -> None:
    first = keep(COMMENT, "spam")
    assert keep(COMMENT) == first
    assert keep(replace(COMMENT, content="edited")) == first
    assert rows(database_url) == 1


def test_an_idempotency_key_again_is_the_first_verdict_again(keep: Keep, database_url: str) -> None:
    first = keep("x", "spam", key="k1")
    assert keep("x", key="k1") == first
    assert rows(database_url) == 1


def test_an_idempotency_key_with_another_comment_is_a_conflict(keep: Keep) -> None:
    keep("x", key="k1")
    with pytest.raises(Conflict):
        keep("y", key="k1")
    with pytest.raises(Conflict):
        keep(Comment("x", Author(ip="192.0.2.1")), key="k1")


def test_comments_without_any_key_are_each_kept(keep: Keep, database_url: str) -> None:
    assert keep("x").id != keep("x").id
    assert rows(database_url) == 2


@pytest.mark.parametrize("named", ["external_id", "key"])
def test_fifty_at_once_with_one_name_make_one_record(
    keep: Keep, database_url: str, named: str
) -> None:
    comment = Comment("x", external_id="1" if named == "external_id" else "")
    key = "k" if named == "key" else ""
    with ThreadPoolExecutor(50) as pool:
        kept = list(pool.map(lambda n: keep(comment, spam=n / 100, key=key), range(50)))
    assert len({stored.id for stored in kept}) == 1
    assert len({stored.verdict.scores["spam"] for stored in kept}) == 1
    assert rows(database_url) == 1


def test_fifty_different_at_once_are_all_kept(keep: Keep, database_url: str) -> None:
    with ThreadPoolExecutor(50) as pool:
        kept = list(pool.map(lambda n: keep(f"comment {n}"), range(50)))
    assert len({stored.id for stored in kept}) == 50
    assert rows(database_url) == 50


def test_a_batch_is_kept_in_order_and_its_repetition_answers_the_same(
    store: Store, policy: Policy, database_url: str
) -> None:
    batch = [Comment(f"comment {n}", external_id=str(n % 900)) for n in range(1000)]
    kept = store.record(policy, batch, [verdict()] * 1000, "batch")
    assert [stored.comment.content for stored in kept[:900]] == [c.content for c in batch[:900]]
    assert kept[900:] == kept[:100]
    assert rows(database_url) == 900
    assert store.record(policy, batch[:5], [verdict("spam")] * 5, "batch") == kept[:5]


def test_only_what_is_new_is_judged(store: Store, policy: Policy) -> None:
    judged: list[str] = []

    def judge(new: Sequence[Comment], _: object) -> list[Verdict]:
        judged.extend(comment.content for comment in new)
        return [verdict("spam", spam=0.9)] * len(new)

    old = Comment("old", external_id="1")
    (first,) = store.record(policy, [old], [verdict()])
    batch = [Comment("a"), old, Comment("b")]
    (kept,) = store.submit(policy, [Submission(batch, "k")], judge)
    assert not isinstance(kept, Conflict)
    assert [stored.comment.content for stored in kept] == ["a", "old", "b"]
    assert [stored.status for stored in kept] == ["held", "published", "held"]
    assert kept[1] == first
    assert store.submit(policy, [Submission(batch, "k")], judge) == [kept]
    assert judged == ["a", "b"]


@pytest.mark.parametrize("at_once", [True, False])
def test_of_many_submissions_each_gets_its_own(store: Store, policy: Policy, at_once: bool) -> None:
    """The same names in one go, or in one transaction after the other: the outcome is the same."""
    submissions = [
        Submission([Comment("a", external_id="1")]),
        Submission([Comment("b")], "k"),
        Submission([Comment("again", external_id="1")]),
        Submission([Comment("another")], "k"),
        Submission([Comment("b")], "k"),
        Submission([]),
        Submission([Comment("c"), Comment("d", external_id="1")], "m"),
    ]

    def judge(new: Sequence[Comment], _: object) -> list[Verdict]:
        return [replace(verdict(), html=comment.content) for comment in new]

    taken = [
        kept
        for some in ([submissions] if at_once else [[one] for one in submissions])
        for kept in store.submit(policy, some, judge)
    ]
    shown = [
        "conflict" if isinstance(kept, Conflict) else [one.verdict.html for one in kept]
        for kept in taken
    ]
    assert shown == [["a"], ["b"], ["a"], "conflict", ["b"], [], ["c", "a"]]


def test_of_equal_texts_that_come_at_once_one_is_the_first(
    database_url: str, policy: Policy
) -> None:
    """From two machines, and in as many transactions as they like."""
    stores = [Store.open(database_url), Store.open(database_url)]
    comment = Comment("A long and thoughtful comment on the article that was posted here today")

    def judge(new: Sequence[Comment], history: SiteHistory) -> list[Verdict]:
        return [
            verdict("duplicate") if count else verdict() for count in history.same_text(new, 3600)
        ]

    def send(number: int) -> str:
        submission = Submission([replace(comment, external_id=str(number))])
        (kept,) = stores[number % 2].submit(policy, [submission], judge)
        assert not isinstance(kept, Conflict)
        return kept[0].status

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(send, range(40))) == ["held"] * 39 + ["published"]
    for store in stores:
        store.close()


# ------------------------------------------------------------------ the queue


def test_the_queue_filters_by_status_reason_and_text(store: Store, keep: Keep) -> None:
    keep("fine")
    held = keep("cheap pills", "spam", "links")
    fast = keep(Comment("ÄRGER 100%", Author(name="Özil", email="o@x.example")), "too_fast")
    rejected = keep("rubbish", "links")
    store.review("blog", rejected.id, "reject", "spam")

    def found(**filters: str) -> list[str]:
        return [stored.comment.content for stored in store.queue("blog", **filters).comments]  # type: ignore[arg-type]

    assert found() == ["rubbish", "ÄRGER 100%", "cheap pills", "fine"]
    assert found(status="held") == ["ÄRGER 100%", "cheap pills"]
    assert found(status="published") == ["fine"]
    assert found(reason="links") == ["rubbish", "cheap pills"]
    assert found(reason="links", status="rejected") == ["rubbish"]
    assert found(reason="too_fast") == [fast.comment.content]
    assert found(reason="too%fast") == found(reason="link") == []
    assert found(q="PILLS") == [held.comment.content]
    assert found(q="ärger") == found(q="özil") == found(q="o@X") == ["ÄRGER 100%"]
    assert found(q="100%") == ["ÄRGER 100%"]
    assert found(q="%") == ["ÄRGER 100%"]
    assert store.desk.counts(["blog"]) == {"published": 1, "held": 2, "rejected": 1}


@pytest.mark.parametrize(
    ("order", "expected"),
    [("newest", "4321"), ("oldest", "1234"), ("uncertain", "4213")],
)
def test_the_queue_turns_its_pages_in_every_order(
    store: Store, keep: Keep, order: str, expected: str
) -> None:
    for text, spam in [("1", 0.9), ("2", 0.8), ("3", 0.99), ("4", 0.5)]:
        keep(text, "spam", spam=spam)
    seen, cursor = "", None
    for _ in range(4):
        page = store.queue("blog", order=order, limit=1, cursor=cursor)  # type: ignore[arg-type]
        seen += "".join(stored.comment.content for stored in page.comments)
        cursor = page.next
        keep(f"new {seen}", spam=1.0)  # what comes in between moves no page
    assert seen == expected


def test_equally_uncertain_comments_are_shown_once_each(store: Store, keep: Keep) -> None:
    for n in range(7):
        keep(str(n), "spam", spam=0.7)
    seen, cursor, pages = [], None, 0
    while cursor or not pages:
        page = store.queue("blog", order="uncertain", limit=3, cursor=cursor)
        seen += [stored.comment.content for stored in page.comments]
        cursor, pages = page.next, pages + 1
    assert (pages, sorted(seen)) == (3, list("0123456"))


def test_the_last_page_has_no_next(store: Store, keep: Keep) -> None:
    keep("x")
    assert store.queue("blog", limit=1).next is None
    assert store.queue("blog", limit=1, status="held").next is None


@pytest.mark.parametrize("cursor", ["", "x", "é", "WzFd", "bnVsbA==", "WyJvbGRlc3QiLDAsIjEiXQ=="])
def test_a_cursor_from_elsewhere_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(BadCursor):
        store.queue("blog", order="newest", cursor=cursor)


# ------------------------------------------------------------------ reviews and labels


def test_a_later_review_replaces_the_earlier_and_the_history_is_kept(
    store: Store, keep: Keep
) -> None:
    kept = keep(COMMENT, "spam")
    rejected = store.review("blog", kept.id, "reject", "spam", note="Ad.", by="key 1")
    assert (rejected.status, rejected.label) == ("rejected", "spam")
    undone = store.review("blog", kept.id, "publish", None, by="key 2")
    assert (undone.status, undone.label) == ("published", None)
    assert store.find("blog", kept.id) == undone
    said = [(r.decision, r.label, r.note, r.by) for r in undone.reviews]
    assert said == [("reject", "spam", "Ad.", "key 1"), ("publish", None, "", "key 2")]
    assert undone.verdict == kept.verdict


def test_reviews_at_once_are_all_kept_and_one_of_them_counts(store: Store, keep: Keep) -> None:
    kept = keep(COMMENT, "spam")

    def review(n: int) -> Stored:
        spam = n % 2 == 0
        word = ("reject", "spam") if spam else ("publish", "ok")
        return store.review("blog", kept.id, *word, by=str(n))  # type: ignore[arg-type]

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(review, range(20)))
    found = store.find("blog", kept.id)
    assert len(found.reviews) == 20
    last = found.reviews[-1]
    assert found.label == last.label
    assert found.status == ("rejected" if last.decision == "reject" else "published")


def test_labels_are_rows_of_the_labelled_csv(store: Store, keep: Keep, policy: Policy) -> None:
    labelled = keep(COMMENT, "spam")
    keep("never reviewed")
    unlearnt = keep("acted upon, not learnt from", "spam")
    store.review("blog", labelled.id, "publish", "ok")
    store.review("blog", unlearnt.id, "reject", "spam")
    store.review("blog", unlearnt.id, "reject", None)
    (other,) = store.record(replace(policy, site="news"), [Comment("=1+1")], [verdict("abuse")])
    store.review("news", other.id, "reject", "abuse")
    (row,) = store.labels("blog")
    assert tuple(row) == LABEL_COLUMNS
    assert row == {
        "text": COMMENT.content,
        "label": "ok",
        "fine_label": "",
        "author": "Ann",
        "author_url": "https://ann.example",
        "article": "On things",
        "lang": "en",
        "source": "review:blog",
        "split": "",
        "weight": "1",
    }
    assert [row["text"] for row in store.labels()] == [COMMENT.content, "=1+1"]


def test_a_long_export_is_whole_and_in_order(
    store: Store, policy: Policy, database_url: str
) -> None:
    batch = [Comment(str(n)) for n in range(1003)]
    store.record(policy, batch, [verdict("spam")] * 1003)
    with behind(database_url) as connection:
        connection.execute(sa.update(tables.comments).values(label="spam"))
    assert [row["text"] for row in store.labels()] == [str(n) for n in range(1003)]


# ------------------------------------------------------------------ forgetting


def test_erasing_leaves_nothing_of_the_comment(
    store: Store, keep: Keep, database_url: str, tmp_path: Path
) -> None:
    kept = keep(replace(COMMENT, content="Xylophonic secrets"), "spam")
    store.review("blog", kept.id, "reject", "spam", note="Zugzwang")
    store.erase("blog", kept.id)
    for act in (
        lambda: store.find("blog", kept.id),
        lambda: store.erase("blog", kept.id),
        lambda: store.review("blog", kept.id, "publish", None),
    ):
        with pytest.raises(UnknownComment):
            act()
    assert list(store.labels()) == []
    assert store.queue("blog").comments == ()
    if database_url.startswith("sqlite"):
        left = b"".join(file.read_bytes() for file in (tmp_path / "new").iterdir())
        for word in (b"Xylophonic", b"xylophonic", b"Zugzwang", b"ann@example.org", b"Ann"):
            assert word not in left


def test_erasing_and_reviewing_at_once_end_in_one_of_both(store: Store, keep: Keep) -> None:
    kept = [keep(f"comment {n}", "spam") for n in range(20)]

    def act(n: int) -> None:
        with suppress(UnknownComment):
            if n % 2:
                store.erase("blog", kept[n // 2].id)
            else:
                store.review("blog", kept[n // 2].id, "reject", "spam")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(act, range(40)))
    assert store.queue("blog").comments == ()
    assert list(store.labels()) == []


def test_retention_erases_any_number(store: Store, policy: Policy, database_url: str) -> None:
    store.record(policy, [Comment(str(n)) for n in range(1001)], [verdict()] * 1001)
    with behind(database_url) as connection:
        connection.execute(sa.update(tables.comments).values(received=0.0))
    assert store.erasing.old("blog", 1) == 1001


def test_retention_erases_what_is_older_and_nothing_else(
    store: Store, keep: Keep, policy: Policy, database_url: str
) -> None:
    old, new = keep("old", "spam"), keep("new")
    store.review("blog", old.id, "reject", "spam")
    (other,) = store.record(replace(policy, site="news"), [Comment("old")], [verdict()])
    with behind(database_url) as connection:
        aged = sa.update(tables.comments).where(tables.comments.c.id.in_([old.id, other.id]))
        connection.execute(aged.values(received=time.time() - 31 * 86400))
    assert store.erasing.old("blog", 0) == 0
    assert store.erasing.old("blog", 32) == 0
    assert store.erasing.old("blog", 30) == 1
    assert store.find("blog", new.id) == new
    assert store.find("news", other.id).comment.content == "old"
    with pytest.raises(UnknownComment):
        store.find("blog", old.id)


# ------------------------------------------------------------------ history

LONG = "This is a text of more than thirty letters, so it stands for itself"


def test_the_same_text_is_found_whatever_its_case_spacing_and_punctuation(
    store: Store, keep: Keep
) -> None:
    keep(LONG)
    again = [Comment(LONG.upper().replace(" ", "\n ") + "!!!"), Comment(LONG + " and more")]
    assert store.history("blog").same_text(again, 60) == [1, 0]
    assert store.history("news").same_text(again, 60) == [0, 0]
    assert store.history("blog").same_text(again, 0) == [0, 0]
    time.sleep(0.05)
    assert store.history("blog").same_text(again, 0.01) == [0, 0]


def test_a_short_text_is_the_same_only_from_the_same_author(store: Store, keep: Keep) -> None:
    ann, bob = Author("Ann", id="1"), Author("Bob", id="2")
    keep(Comment("Thank you!", ann))
    keep(Comment("http://x.example", ann))
    keep(Comment(":-)"))
    history = store.history("blog")
    again = [
        Comment("thank you", ann),
        Comment("thank you", bob),
        Comment("http://x.example", bob),
        Comment(":-)"),
        Comment(":-("),
    ]
    assert history.same_text(again, 60) == [1, 0, 1, 0, 0]  # nobody knows whose the smile was


def test_repetitions_within_a_batch_count_like_earlier_comments(store: Store, keep: Keep) -> None:
    keep(Comment(LONG, Author(id="1")))
    batch = [Comment(LONG, Author(id="1")), Comment("y", Author(id="1")), Comment(LONG)]
    assert store.history("blog").same_text(batch, 60) == [1, 0, 2]
    assert store.history("blog").by_author(batch, 60) == [1, 2, 0]


@pytest.mark.parametrize(
    ("first", "second", "counted"),
    [
        (Author(id="1", email="a@x.example"), Author(id="1", email="b@x.example"), 1),
        (Author(id="1", ip="192.0.2.1"), Author(id="2", ip="192.0.2.1"), 0),
        (Author(email="A@x.example"), Author(email="a@X.example "), 1),
        (Author(ip="192.0.2.1"), Author("Other", ip="192.0.2.1"), 1),
        (Author(ip="192.0.2.1"), Author(ip="192.0.2.2"), 0),
        (Author(id="1"), Author(email="1"), 0),
        (Author("Ann"), Author("Ann"), 0),
        (Author(), Author(), 0),
    ],
)
def test_authors_are_told_by_id_then_e_mail_then_address(
    store: Store, keep: Keep, first: Author, second: Author, counted: int
) -> None:
    keep(Comment("x", first))
    assert store.history("blog").by_author([Comment("y", second)], 60) == [counted]


def test_a_reported_text_is_the_named_authors_or_else_the_newest(store: Store, keep: Keep) -> None:
    own = keep(Comment(LONG, Author(id="1")))
    other = keep(Comment(LONG, Author(id="2")))
    assert store.find_text("blog", Comment(LONG, Author(id="1"))) == own
    assert store.find_text("blog", Comment(LONG, Author(id="3"))) is None  # a copy by a spammer
    assert store.find_text("blog", Comment(LONG)) == other
    assert store.find_text("blog", Comment("something else")) is None


# ------------------------------------------------------------------ keys


def test_a_key_is_shown_once_and_found_until_it_is_revoked(store: Store) -> None:
    assert not store.keys.any()
    key = store.keys.create("blog", "moderate")
    assert len(key) == 12
    assert set(key) <= set(string.ascii_letters + string.digits)
    found = store.keys.find(key)
    assert found is not None
    assert (found.site, found.role, found.revoked) == ("blog", "moderate", False)
    assert [found.may("submit"), found.may("moderate"), found.may("admin")] == [True, True, False]
    assert store.keys.list() == [found]
    assert store.keys.revoke(found.id).revoked
    assert store.keys.find(key) is None
    assert [(record.revoked, record.may("submit")) for record in store.keys.list()] == [
        (True, False)
    ]
    assert store.keys.any()


def test_a_key_can_be_revoked_by_itself_and_others_stay(store: Store) -> None:
    first, second = store.keys.create("blog", "admin"), store.keys.create("blog", "submit")
    store.keys.revoke(first)
    assert store.keys.find(first) is None
    assert store.keys.find(second) is not None


def test_unknown_keys_are_not_found_and_not_revoked(store: Store) -> None:
    for odd in ("", "nosuchkey123", "x" * 9999, "\ud800\0"):
        assert store.keys.find(odd) is None
        with pytest.raises(UnknownKey):
            store.keys.revoke(odd)


def test_no_key_is_in_the_database(store: Store, database_url: str) -> None:
    key = store.keys.create("blog", "admin")
    with behind(database_url) as connection:
        assert key not in repr(connection.execute(sa.text("select * from keys")).all())


@pytest.mark.parametrize(("site", "role"), [("My Blog", "submit"), ("blog", "owner")])
def test_a_key_for_a_bad_site_or_role_is_refused(store: Store, site: str, role: str) -> None:
    with pytest.raises(BadSetting):
        store.keys.create(site, role)


# ------------------------------------------------------------------ opening and failing


def test_a_store_opened_again_has_everything(store: Store, keep: Keep, database_url: str) -> None:
    kept = keep(Comment(LONG, AUTHOR))
    store.close()
    again = Store.open(database_url)
    assert again.find("blog", kept.id) == kept
    assert again.history("blog").same_text([Comment(LONG)], 60) == [1]
    again.ping()
    again.close()


def test_workers_that_start_at_once_share_one_database(database_url: str) -> None:
    code = (
        "import sys; from moderation.store import Store; s = Store.open(sys.argv[1]); s.ping();"
        "print(s._database.fact('secret'))"
    )
    command = [sys.executable, "-c", code, database_url]

    def work(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    with ThreadPoolExecutor(6) as pool:
        workers = list(pool.map(work, range(6)))
    assert [(worker.returncode, worker.stderr) for worker in workers] == [(0, "")] * 6
    assert len({worker.stdout for worker in workers}) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_what_was_acknowledged_survives_a_kill(database_url: str) -> None:
    code = """
import sys
from moderation import settings
from moderation.store import Store
from moderation.verdict import Comment, Verdict
store, policy = Store.open(sys.argv[1]), settings.load({}).policy("blog")
held = Verdict("hold", (), {"spam": 0.5, "abuse": 0.5}, "x")
while True:
    print(store.record(policy, [Comment("x")], [held])[0].id, flush=True)
"""
    command = [sys.executable, "-c", code, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        acknowledged = [worker.stdout.readline() for _ in range(30)]
        worker.send_signal(signal.SIGKILL)
        acknowledged += worker.stdout.readlines()
    acknowledged = [line.strip() for line in acknowledged if line.endswith("\n")]
    assert len(acknowledged) >= 30
    store = Store.open(database_url)
    for comment_id in acknowledged:
        assert store.find("blog", comment_id).id == comment_id
    store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://", "file"),
        ("sqlite:///:memory:", "file"),
        ("nosuch://x", "nosuch is not supported"),
        ("mysql://x", "mysql is not supported"),
        ("postgresql+nosuch://x", "URL"),
        ("postgresql+pg8000://x", "pg8000 is not installed"),
        ("not a url", "URL"),
    ],
)
def test_a_database_url_that_cannot_be_used_is_a_bad_setting(url: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        Store.open(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="folder"):
        Store.open(f"sqlite:///{tmp_path.as_posix()}/file/x/comments.db")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("this is not a database " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        Store.open(f"sqlite:///{tmp_path.as_posix()}/notes.txt")


def test_a_database_that_goes_away_is_unavailable_and_says_no_text(
    store: Store, keep: Keep, database_url: str
) -> None:
    with behind(database_url) as connection:
        tables.metadata.drop_all(connection)
    with pytest.raises(StoreUnavailable) as failed:
        keep("my private words")
    assert "private" not in str(failed.value)
    assert (failed.value.status, failed.value.exit_code) == (503, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights there")
def test_what_comments_hold_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    store = Store.open(f"sqlite:///{tmp_path / 'comments.db'}")
    store.ping()
    rights = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.iterdir()}
    store.close()
    assert rights.keys() >= {"comments.db", "comments.db-wal"}
    assert not any(rights.values())


def test_a_write_that_somebody_else_never_ends_is_told_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "_SECONDS", 0.2)
    stuck, waiting = Turn(tmp_path / "turn"), Turn(tmp_path / "turn")
    with stuck, pytest.raises(StoreUnavailable, match="writing"), waiting:
        pass
    with waiting:  # and then it goes on
        pass
