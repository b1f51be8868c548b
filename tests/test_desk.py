"""Acts of moderators: who was first wins, whatever was done can be undone, near-copies go together.

Runs on SQLite, and on a PostgreSQL server that the tests start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from moderation.errors import ReviewedSince, UnknownComment
from moderation.settings import Policy
from moderation.store import Store
from moderation.store.reviewing import Word
from moderation.store.stored import Stored
from moderation.verdict import Author, Comment, Finding, Language, Verdict

SCAM = "I lost everything to a fake broker until {} on Telegram got my bitcoin back in two days!"
SPAM, PUBLISH, UNDO = Word("reject", "spam"), Word("publish", "ok"), Word("undo")


def verdict(held: bool = True, language: str = "en", doubt: float = 0.9) -> Verdict:
    reasons = (Finding("spam", "Because.", doubt),) if held else ()
    return Verdict(
        "hold" if held else "publish",
        reasons,
        {"spam": doubt, "abuse": 0.0},
        "<b>x</b>",
        language=Language(language),
        model="words-1",
    )


Keep = Callable[..., Stored]


@pytest.fixture
def keep(store: Store, policy: Policy) -> Keep:
    """Record one comment, held unless told otherwise."""

    def record(content: str, author: Author | None = None, **given: bool | str | float) -> Stored:
        comment = Comment(content, author or Author())
        judged = verdict(**given)  # type: ignore[arg-type]
        return store.record(policy, [comment], [judged])[0]

    return record


def decided(store: Store, comment_id: str) -> tuple[str, str | None, list[str]]:
    found = store.find("blog", comment_id)
    return found.status, found.label, [review.decision for review in found.reviews]


def ids(comments: Sequence[Stored]) -> set[str]:
    return {stored.id for stored in comments}


# ------------------------------------------------------------------ undo


def test_undo_gives_back_what_was_there_before_step_by_step(store: Store, keep: Keep) -> None:
    kept = keep("pills")
    for word in (SPAM, PUBLISH):
        store.desk.act("blog", {kept.id: None}, word)
    assert decided(store, kept.id)[:2] == ("published", "ok")
    store.desk.act("blog", {kept.id: None}, UNDO)
    assert decided(store, kept.id)[:2] == ("rejected", "spam")
    store.desk.act("blog", {kept.id: None}, UNDO)
    assert decided(store, kept.id) == ("held", None, ["reject", "publish", "undo", "undo"])
    assert list(store.labels("blog")) == []
    store.desk.act("blog", {kept.id: None}, PUBLISH)
    assert decided(store, kept.id)[:2] == ("published", "ok")


def test_undo_publishes_again_what_was_published_at_first(store: Store, keep: Keep) -> None:
    kept = keep("fine", held=False)
    store.desk.act("blog", {kept.id: None}, SPAM)
    store.desk.act("blog", {kept.id: None}, UNDO)
    assert decided(store, kept.id)[:2] == ("published", None)


def test_there_is_nothing_to_undo_where_nothing_stands(store: Store, keep: Keep) -> None:
    kept = keep("pills")
    assert store.desk.act("blog", {kept.id: None}, UNDO).late == (kept.id,)
    store.desk.act("blog", {kept.id: None}, SPAM)
    store.desk.act("blog", {kept.id: None}, UNDO)
    assert store.desk.act("blog", {kept.id: None}, UNDO).late == (kept.id,)
    assert len(decided(store, kept.id)[2]) == 2


def test_the_history_says_who_when_and_of_which_model(store: Store, keep: Keep) -> None:
    kept = keep("pills")
    act = store.desk.act("blog", {kept.id: 0}, Word("reject", "spam", "campaign", "key-1"))
    (review,) = store.find("blog", kept.id).reviews
    told = (review.by, review.model, review.note, review.act)
    assert told == ("key-1", "words-1", "campaign", act.id)
    assert review.at >= kept.received


# ------------------------------------------------------------------ two at once


def test_of_two_who_saw_the_same_the_second_is_told(store: Store, keep: Keep) -> None:
    kept = keep("pills")
    first = store.desk.act("blog", {kept.id: 0}, SPAM)
    second = store.desk.act("blog", {kept.id: 0}, PUBLISH)
    assert (first.done, second.done, second.late) == ((kept.id,), (), (kept.id,))
    assert decided(store, kept.id) == ("rejected", "spam", ["reject"])
    with pytest.raises(ReviewedSince):
        store.review("blog", kept.id, "publish", "ok", seen=0)
    (last,) = store.find("blog", kept.id).reviews
    assert store.review("blog", kept.id, "publish", "ok", seen=last.id).status == "published"


def test_of_twenty_at_once_one_wins(store: Store, keep: Keep) -> None:
    kept = keep("pills")

    def decide(number: int) -> bool:
        word = Word("reject" if number % 2 else "publish", None, by=str(number))
        return bool(store.desk.act("blog", {kept.id: 0}, word).done)

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(decide, range(20))) == 1
    assert len(store.find("blog", kept.id).reviews) == 1


def test_two_clicks_on_overlapping_crowds_neither_wait_for_ever_nor_count_twice(
    store: Store, keep: Keep
) -> None:
    kept = [keep(f"comment number {n}").id for n in range(30)]

    def decide(turn: int) -> int:
        seen: dict[str, int | None] = dict.fromkeys(kept[::-1] if turn % 2 else kept, 0)
        return len(store.desk.act("blog", seen, SPAM).done)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(decide, range(8))) == 30


def test_nobody_decides_on_another_sites_comments(store: Store, keep: Keep) -> None:
    kept = keep("pills")
    act = store.desk.act("blog", {kept.id: 0}, SPAM)
    assert store.desk.act("news", {kept.id: None}, PUBLISH).done == ()
    assert store.desk.undo("news", act.id).done == ()
    assert store.desk.acted(["news"], act.id) == []
    assert store.desk.act_on_family("news", kept.id, "rejected", "f", PUBLISH).done == ()
    assert decided(store, kept.id)[0] == "rejected"


# ------------------------------------------------------------------ near-copies


def test_near_copies_are_gathered_and_cleared_in_one_act(store: Store, keep: Keep) -> None:
    copies = [keep(SCAM.format(name)) for name in ("Mr Ali", "Dr Bo", "Mrs Cy")]
    other = keep("A comment on something else entirely, held all the same.")
    page = store.queue("blog", status="held", gathered=True)
    assert [stored.id for stored in page.comments] == [other.id, copies[-1].id]
    about = store.desk.around(page.comments)
    assert about[other.id].copies is None
    gathered = about[copies[-1].id].copies
    assert gathered
    assert (gathered.count, gathered.newest) == (3, copies[-1].id)
    assert [content for _, content in gathered.some] == [
        SCAM.format("Dr Bo"),
        SCAM.format("Mr Ali"),
    ]
    late = keep(SCAM.format("nobody has seen this one"))
    act = store.desk.act_on_family("blog", copies[-1].id, "held", gathered.newest, SPAM)
    assert set(act.done) == ids(copies)
    assert ids(store.queue("blog", status="held").comments) == {other.id, late.id}
    assert len([*store.labels("blog")]) == 3


def test_an_act_on_many_is_undone_as_one_but_for_what_was_decided_since(
    store: Store, keep: Keep
) -> None:
    copies = [keep(SCAM.format(name)) for name in ("Mr Ali", "Dr Bo", "Mrs Cy")]
    act = store.desk.act_on_family("blog", copies[0].id, "held", copies[-1].id, SPAM)
    store.review("blog", copies[1].id, "publish", "ok")
    made = store.desk.acted(["blog"], act.id)
    assert [one.stands for one in made] == [True, False, True]
    undone = store.desk.undo("blog", act.id)
    assert (set(undone.done), undone.late) == ({copies[0].id, copies[2].id}, (copies[1].id,))
    assert [decided(store, copy.id)[0] for copy in copies] == ["held", "published", "held"]


def test_copies_in_one_batch_find_each_other(store: Store, policy: Policy) -> None:
    batch = [Comment(SCAM.format(name)) for name in ("Mr Ali", "Dr Bo", "Mrs Cy")]
    kept = store.record(policy, batch, [verdict()] * 3)
    assert ids(store.queue("blog", like=kept[1].id).comments) == ids(kept)


def test_another_sites_copies_are_its_own(store: Store, keep: Keep, policy: Policy) -> None:
    kept = keep(SCAM.format("Mr Ali"))
    news = replace(policy, site="news")
    store.record(news, [Comment(SCAM.format("Mr Ali"))], [verdict()])
    assert store.desk.around([kept])[kept.id].copies is None


def test_erasing_takes_the_likeness_along(store: Store, keep: Keep) -> None:
    first = keep(SCAM.format("Mr Ali"))
    second = keep(SCAM.format("Dr Bo"))
    store.erase("blog", first.id)
    assert store.desk.around([second])[second.id].copies is None
    third = keep(SCAM.format("Mrs Cy"))
    assert ids(store.queue("blog", like=second.id).comments) == {second.id, third.id}
    with pytest.raises(UnknownComment):
        store.find("blog", first.id)


# ------------------------------------------------------------------ what stands beside a comment


def test_the_authors_other_comments_are_counted_where_the_author_is_known(
    store: Store, keep: Keep
) -> None:
    ann = Author("Ann", "ann@example.org")
    mine = [keep("one", ann), keep("two", ann, held=False), keep("three", ann)]
    nameless = [keep("four"), keep("five")]
    store.review("blog", mine[0].id, "reject", "spam")
    about = store.desk.around([*mine, *nameless])
    assert about[mine[2].id].by_author == {"rejected": 1, "published": 1, "held": 1}
    assert about[nameless[0].id].by_author == {}
    assert about[mine[0].id].last == about[mine[0].id].reviews[-1].id
    assert (about[mine[0].id].decided, about[mine[2].id].decided) == (True, False)
    assert ids(store.queue("blog", author=mine[0].id).comments) == ids(mine)


def test_the_queue_is_filtered_by_language(store: Store, keep: Keep) -> None:
    german, english = keep("Guten Tag", language="de"), keep("Good day")
    keep("Bonjour", language="fr", held=False)
    assert ids(store.queue("blog", language="de").comments) == {german.id}
    assert ids(store.queue("blog", status="held", language="en").comments) == {english.id}
    assert store.desk.held_languages(["blog"]) == {"de", "en"}


def test_gathered_pages_show_every_family_once(store: Store, keep: Keep) -> None:
    def text(n: int) -> str:
        # two families, and comments of their own
        return SCAM.format(f"Mr {n}") if n % 3 else f"{n} " * 20 + chr(97 + n) * 40

    kept = [keep(text(n), doubt=n / 100) for n in range(24)]
    shown: list[str] = []
    cursor = None
    while True:
        page = store.queue(
            "blog", status="held", order="uncertain", gathered=True, limit=3, cursor=cursor
        )
        shown += [stored.id for stored in page.comments]
        if (cursor := page.next) is None:
            break
    assert len(shown) == len(set(shown)) == 9
    assert set(shown) < ids(kept)
    # with a filter, the one that is shown is one that fits it
    (one,) = store.queue("blog", gathered=True, q="Mr 5").comments
    assert "Mr 5" in one.comment.content
