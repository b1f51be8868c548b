"""The figures: what is counted as what, how sure that is, and how it is drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from scipy.stats import binomtest

from moderation import drift
from moderation.drift import EDGES, counted, stability_index
from moderation.review.plots import HEIGHT, Bar, bars
from moderation.settings import Policy
from moderation.store import Store
from moderation.store.figures import Figures, Outcomes, Share
from moderation.store.tables import comments, likenesses
from moderation.verdict import Comment, Finding, Language, Verdict
from tests.protocols import key_for, store_of
from tests.serving import app_in, client_of

DAY = 86400.0

Keep = Callable[..., str]


@pytest.fixture
def keep(store: Store, policy: Policy, database_url: str) -> Keep:
    """Record one comment, held for these reasons, so many days ago."""

    def kept(
        *reasons: str, word: str = "", ago: float = 0, spam: float = 0.1, language: str = "en"
    ) -> str:
        verdict = Verdict(
            "hold" if reasons else "publish",
            tuple(Finding(reason) for reason in reasons),
            {"spam": spam, "abuse": 0.02},
            "x",
            language=Language(language),
            model="m1",
        )
        own = store.record(policy, [Comment("some words")], [verdict])[0].id
        if word:
            store.review("blog", own, word, None)  # type: ignore[arg-type]
        if ago:
            engine = sa.create_engine(database_url)
            received = time.time() - ago * DAY
            moved = f"{int(received * 1000):012x}{own[12:]}"
            with engine.begin() as connection:
                connection.execute(sa.delete(likenesses))  # they refer to it
                change = sa.update(comments).where(comments.c.id == own)
                connection.execute(change.values(id=moved, received=received))
            engine.dispose()
        return own

    return kept


def figures(store: Store, days: int = 30, **manifest: Any) -> Figures:
    return store.figures.of(["blog"], days, "m1", manifest)


def test_each_comment_is_counted_as_what_became_of_it(store: Store, keep: Keep) -> None:
    keep()
    keep(word="reject")
    keep("spam")
    keep("spam", "links", word="publish")
    keep("links", word="publish")
    keep("abuse", word="reject")
    found = figures(store)
    assert found.total == Outcomes(comments=6, upheld=1, overturned=2, waiting=1, missed=1)
    assert (found.total.held, found.total.honest) == (4, 3)
    assert found.by_model == Outcomes(comments=3, upheld=1, overturned=1, waiting=1)
    assert found.reasons["links"] == Outcomes(comments=2, overturned=2)
    assert (found.false_holds.count, found.false_holds.total) == (1, 3)
    assert (found.overturned.count, found.overturned.total) == (2, 3)


def test_a_word_taken_back_counts_as_none(store: Store, keep: Keep) -> None:
    keep("spam")
    (stored,) = store.queue("blog").comments
    done = store.desk.act("blog", {stored.id: 0}, _word("publish"))
    assert figures(store).total.overturned == 1
    store.desk.undo("blog", done.id)
    assert figures(store).total == Outcomes(comments=1, waiting=1)


def _word(decision: Any) -> Any:
    from moderation.store.reviewing import Word

    return Word(decision)


def test_days_are_those_of_utc_and_older_ones_are_left_out(store: Store, keep: Keep) -> None:
    midnight = time.time() % DAY / DAY  # days since
    keep("spam")
    keep("spam", ago=midnight + 0.01)
    keep("spam", ago=midnight + 5.5)
    keep("spam", ago=midnight + 6.01)
    found = figures(store, 7)
    assert [outcomes.held for outcomes in found.days.values()] == [1, 0, 0, 0, 0, 1, 1]
    assert figures(store, 30).total.held == 4
    assert list(found.days) == sorted(found.days)


def test_languages_and_sites_are_kept_apart(store: Store, keep: Keep) -> None:
    keep(language="de")
    keep(language="de")
    keep("language", language="xx")
    assert figures(store).languages == {"de": Outcomes(2), "xx": Outcomes(1, waiting=1)}
    assert store.figures.of(["news"], 30, "m1", {}).total == Outcomes()


def test_several_sites_are_counted_together_and_each_for_its_own_promise(
    store: Store, keep: Keep, policy: Policy
) -> None:
    keep("spam", word="publish", spam=0.9)
    keep(spam=0.02)
    held = Verdict("hold", (Finding("spam"),), {"spam": 0.6, "abuse": 0.0}, "x", model="m1")
    news = replace(policy, site="news")
    own = store.record(news, [Comment("other words")], [held])[0].id
    store.review("news", own, "reject", "spam")
    found = store.figures.of(["blog", "news", "empty"], 30, "m1", {})
    assert found.total == Outcomes(comments=3, upheld=1, overturned=1)
    assert found.sites == {"blog": Share(1, 2), "news": Share(0, 0), "empty": Share(0, 0)}
    assert found.false_holds == Share(1, 2)
    assert sum(found.drifts[0].before) == 3
    assert store.figures.of(["news"], 30, "m1", {}).total == Outcomes(comments=1, upheld=1)


@pytest.mark.parametrize(("count", "total"), [(0, 40), (3, 1200), (7, 9), (50, 50)])
def test_the_interval_is_wilsons(count: int, total: int) -> None:
    expected = binomtest(count, total).proportion_ci(method="wilson")
    assert Share(count, total).interval == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_of_nothing_there_is_no_share() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, None)


# ------------------------------------------------------------------ drift


def test_scores_that_do_not_move_have_a_small_index_and_others_a_large_one() -> None:
    calm = counted([n / 1000 for n in range(1000)])
    assert stability_index(calm, counted([n / 500 for n in range(500)])) == pytest.approx(
        0, abs=0.01
    )
    moved = stability_index(calm, counted([0.5 + n / 2000 for n in range(1000)]))
    assert moved is not None and moved > 0.25
    assert stability_index(calm, [1] * 9) is None, "too few"


def test_every_score_falls_into_one_bin() -> None:
    counts = counted([0.0, *EDGES, 1.0])
    assert counts == [1, *[1] * (len(EDGES) - 1), 2]
    assert len(drift.bins()) == len(counts)


def test_without_scores_in_the_manifest_the_first_that_it_judged_stand_for_them(
    store: Store, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moderation.store.figures._COMPARED", 3)
    for spam in (0.02, 0.02, 0.02, 0.6, 0.99, 0.99):
        keep(spam=spam)
    spam, _ = figures(store).drifts
    assert spam.reference == "first"
    assert (spam.before, spam.now) == (
        (0, 3, 0, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 1, 0, 0, 2),
    )
    keep(spam=0.5)
    assert sum(figures(store).drifts[0].now) == 3
    other = store.figures.of(["blog"], 30, "m2", {}).drifts[0]
    assert sum(other.before) == 0, "another model's scores are another matter"


def test_the_manifests_scores_are_what_now_is_held_against(store: Store, keep: Keep) -> None:
    keep(spam=0.99)
    written = {"edges": list(EDGES), "spam": [9] * 9, "abuse": [1] * 9}
    spam, abuse = figures(store, scores=written).drifts
    assert (spam.reference, spam.before, abuse.before) == ("training", (9,) * 9, (1,) * 9)
    assert spam.now == (0, 0, 0, 0, 0, 0, 0, 0, 1)
    other_bins = {**written, "edges": [0.5]}
    assert figures(store, scores=other_bins).drifts[0].reference == "first"


# ------------------------------------------------------------------ plots


def test_bars_stand_on_the_ground_within_the_plot_and_do_not_overlap() -> None:
    groups = [(str(n), [Bar("a", n, ""), Bar("b", 3, "")]) for n in range(30)]
    stacked, paired = bars(groups, stacked=True), bars(groups, stacked=False)
    for plot in (stacked, paired):
        ground = max(tick.y for tick in plot.ticks)
        assert all(rect.y >= 0 and rect.y + rect.height <= ground + 0.02 for rect in plot.rects)
        assert all(plot.left <= rect.x and rect.x + rect.width <= 100 for rect in plot.rects)
        assert ground < HEIGHT
        assert len(plot.names) <= 8
    edges = sorted((rect.x, rect.x + rect.width) for rect in paired.rects)
    assert all(end <= begin + 0.01 for (_, end), (begin, _) in pairwise(edges))
    first, second = stacked.rects[2:4]
    assert second.y + second.height == pytest.approx(first.y, abs=0.02)


@pytest.mark.parametrize("values", [[], [0, 0], [1], [7], [999], [123456]])
def test_an_axis_has_few_round_ticks_and_holds_all(values: list[int]) -> None:
    plot = bars([(str(v), [Bar("a", v, "")]) for v in values], stacked=True)
    numbers = [float(tick.text) for tick in plot.ticks]
    assert numbers[0] == 0 and max(numbers) >= max(values, default=0)
    assert 2 <= len(numbers) <= 6
    assert all(number == int(number) for number in numbers)


# ------------------------------------------------------------------ Prometheus


def test_the_figures_stand_in_the_metrics_of_the_keys_site_alone(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    key, other = key_for(app, "moderate"), key_for(app, "moderate", "news")
    client = client_of(app)
    sent = {"Authorization": f"Bearer {key}"}
    for content in ("cheap pills", "more pills", "a fine day"):
        client.post("/v1/comments", json={"content": content}, headers=sent)
    held = store_of(app).queue("default", status="held").comments
    store_of(app).review("default", held[0].id, "publish", "ok")

    def gauges(key: str) -> dict[frozenset[str], float]:
        text = client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).text
        return {
            frozenset((sample.name, *sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    found = gauges(key)
    assert found[frozenset(("moderation_site_comments", "default"))] == 3
    assert found[frozenset(("moderation_site_holds", "default", "overturned"))] == 1
    assert found[frozenset(("moderation_site_holds", "default", "waiting"))] == 1
    assert found[frozenset(("moderation_site_reasons", "default", "spam", "overturned"))] == 1
    assert found[frozenset(("moderation_site_languages", "default", "en"))] == 3
    assert found[frozenset(("moderation_site_promise", "default"))] == 0.01
    share = Share(1, 2).interval
    assert share is not None
    assert found[frozenset(("moderation_site_false_holds", "default", "low"))] == pytest.approx(
        share[0]
    )
    assert found[frozenset(("moderation_site_false_holds", "default", "measured"))] == 0.5
    assert found[frozenset(("moderation_site_webhooks", "default", "dead"))] == 0
    assert not [name for name in gauges(other) if "default" in name]
