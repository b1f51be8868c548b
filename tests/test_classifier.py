"""Scoring: the same alone and in a batch, with spans that are the reader's own characters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.classifier import FINE_LABELS, VERDICT_HEADS, Classifier
from moderation.features import VOID, WORDS, Features, extract
from moderation.folding import fold
from moderation.text import BODY, Reading, read
from moderation.verdict import Author, Comment, Span
from moderation.weights import HEADS
from tests.small_models import classifier, noise, zeros

comments = st.builds(
    lambda content, name: Comment(content, Author(name=name)),
    st.text(max_size=200),
    st.sampled_from(["", "Anna", "best casino 2025"]),
)
TEXTS = (
    "Buy cheap <b>pills</b> at http://pills.example now!!!",
    "You are an id\u200biot &amp; a fool",
    "Сегодня в Москве был дождь, и мы всё равно пошли гулять",
    "",
    "<b></b>\u200b",
    "x" * 3000,
    "long words " * 3000,
    "\ud800 half a pair",
)


@pytest.fixture(scope="module")
def noisy() -> Classifier:
    return classifier(noise())


def probability(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))


# ---------------------------------------------------------------- scores


def test_a_batch_scores_to_the_bit_what_each_comment_scores_alone(noisy: Classifier) -> None:
    readings = [read(Comment(text)) for text in TEXTS]
    together = noisy.weights.margins(extract(readings))
    alone = np.vstack([noisy.weights.margins(extract([reading])) for reading in readings])
    assert together.tobytes() == alone.tobytes()


@settings(max_examples=30)
@given(st.lists(comments, max_size=6))
def test_a_batch_is_assessed_as_each_comment_alone(noisy: Classifier, batch: list[Comment]) -> None:
    alone = [noisy.assess([comment])[0] for comment in batch]
    assert noisy.assess(batch) == alone


def test_a_batch_too_large_for_one_piece_keeps_its_order(noisy: Classifier) -> None:
    batch = [Comment(f"{text} {number}") for number in range(40) for text in TEXTS[:7]]
    assert noisy.assess(batch) == [noisy.assess([comment])[0] for comment in batch]


def test_no_comments_are_no_assessments(noisy: Classifier) -> None:
    assert noisy.assess([]) == []


def test_there_is_a_probability_for_spam_abuse_and_each_fine_label(noisy: Classifier) -> None:
    for assessment in noisy.assess([Comment(text) for text in TEXTS]):
        assert list(assessment.scores) == [*VERDICT_HEADS, *FINE_LABELS]
        assert all(0 <= score <= 1 for score in assessment.scores.values())


def test_a_margin_is_the_bias_and_the_weights_of_the_features() -> None:
    arrays = zeros(bias=-3.0)
    features = extract([read(Comment("pills"))])
    column = HEADS.index("spam")
    arrays["weights"][first_word(features), column] = 64
    margin = classifier(arrays).weights.margins(features)[0, column]
    assert margin == pytest.approx(-3.0 + 64 / 32 * features.norm[BODY], rel=1e-6)


def test_the_void_bucket_says_nothing() -> None:
    nothing = extract([Reading(("", "", "", ""), ())])
    assert (nothing.buckets == VOID).all()
    assert (classifier(noise()).weights.margins(nothing) == 0).all()


def test_calibration_scales_and_shifts_the_margin() -> None:
    calibration = {head: [2.0, -1.0] for head in HEADS} | {"abuse": [1.0, 0.0]}
    (assessed,) = classifier(zeros(bias=1.5), calibration=calibration).assess([Comment("hello")])
    assert assessed.scores["spam"] == pytest.approx(probability(2 * 1.5 - 1), abs=1e-6)


@pytest.mark.parametrize(
    ("toxicity", "hate"), [(-2.0, -1.0), (3.0, -4.0), (-9.0, -9.0), (8.0, 8.0)]
)
def test_abuse_is_toxic_or_hateful_or_both(toxicity: float, hate: float) -> None:
    arrays = zeros(bias=-1.0)
    arrays["bias"][HEADS.index("toxicity")] = toxicity
    arrays["bias"][HEADS.index("hate")] = hate
    (assessed,) = classifier(arrays).assess([Comment("hello")])
    either = 1 - (1 - probability(toxicity)) * (1 - probability(hate))
    assert assessed.scores["abuse"] == pytest.approx(either, abs=2e-6)


def test_an_extreme_margin_is_a_probability_still() -> None:
    for bias in (-400.0, 400.0):
        (assessed,) = classifier(zeros(bias)).assess([Comment("hello")])
        assert set(assessed.scores.values()) <= {0.0, 1.0} | {assessed.scores["abuse"]}
        assert assessed.scores["abuse"] == pytest.approx(float(bias > 0), abs=1e-6)


def test_a_head_holds_from_a_higher_score_on_where_more_is_promised(noisy: Classifier) -> None:
    bars = [noisy.threshold("spam", promise) for promise in (0.0001, 0.0005, 0.005, 0.05, 0.5, 0.9)]
    assert all(high >= low for high, low in pairwise(bars))
    assert (bars[1], bars[4]) == (0.99, 0.5)
    assert (bars[0], bars[5]) == (0.99, 0.5)


@pytest.mark.parametrize(
    ("text", "code", "judged"),
    [
        ("This is a plain English sentence about the weather in spring.", "en", VERDICT_HEADS),
        ("Сегодня в Москве был сильный дождь, и мы не пошли гулять.", "ru", ("spam",)),
        ("Bugün hava çok güzeldi ve parkta uzun bir yürüyüş yaptık.", "tr", ()),
        ("ok", "und", VERDICT_HEADS),
        ("\U0001f44d", "und", VERDICT_HEADS),
        ("", "und", VERDICT_HEADS),
    ],
)
def test_a_language_is_judged_by_the_heads_that_were_trained_on_it(
    noisy: Classifier, text: str, code: str, judged: tuple[str, ...]
) -> None:
    (assessed,) = noisy.assess([Comment(text)])
    assert (assessed.language.code, assessed.judged) == (code, frozenset(judged))
    assert assessed.language.evaluated is (len(judged) == len(VERDICT_HEADS))


# ---------------------------------------------------------------- odd texts


@pytest.mark.parametrize(
    "content",
    [
        "", " ", "\n", "<b></b>", "\u200b\u200b", "&shy;", "\x00", "\ud800", "\udc00\ud800",
        "a" * 65_536, "a " * 32_768, "<b>" * 21_845, "ﷺ" * 65_536, "\ud800" * 65_536, "я" * 65_536,
    ],
)  # fmt: skip
def test_an_odd_text_has_scores_and_only_true_spans(noisy: Classifier, content: str) -> None:
    (assessed,) = noisy.assess([Comment(content)])
    assert all(0 <= score <= 1 for score in assessed.scores.values())
    for head in VERDICT_HEADS:
        for span in noisy.explain(Comment(content), head):
            assert span.text == content[span.start : span.end]
            assert span.text


def test_a_text_without_visible_characters_has_no_spans(noisy: Classifier) -> None:
    for content in ("", "<b></b>", "\u200b", "&shy;<br>"):
        assert noisy.explain(Comment(content), "spam") == ()


def test_a_content_longer_than_any_call_takes_is_explained_too(noisy: Classifier) -> None:
    content = "<b></b>" * 20_000 + "cheap pills " * 20_000
    for span in noisy.explain(Comment(content), "spam"):
        assert span.text == content[span.start : span.end]


# ---------------------------------------------------------------- spans


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            ["Buy", "cheap", "<b>pills</b>", "p&#105;lls", "pill&#115;", "cafe\u0301", "ﬁne", "\n",
             " ", "id\u200biot", "раураl", "<br>", "&amp;", "ｆｒｅｅ", "!!!", "x" * 50, "한국어"]
        ),
        max_size=20,
    ).map(" ".join)
)  # fmt: skip
def test_spans_are_the_heaviest_words_as_they_were_typed(noisy: Classifier, content: str) -> None:
    for head in (*VERDICT_HEADS, "insult"):
        spans = noisy.explain(Comment(content), head)
        assert len(spans) <= 6
        assert [span.weight for span in spans] == sorted((s.weight for s in spans), reverse=True)
        for span in spans:
            assert 0 <= span.start < span.end <= len(content)
            assert span.text == content[span.start : span.end]
            assert span.weight >= 0
        ordered = sorted(spans, key=lambda span: span.start)
        assert all(before.end <= after.start for before, after in pairwise(ordered))


def first_word(features: Features) -> int:
    """Its bucket."""
    return int(features.buckets[WORDS, features.word_at[0]])


def knowing(*words: str, head: str = "spam", weight: int = 127) -> Classifier:
    """A model for which these words speak."""
    arrays = zeros(bias=-4.0)
    for word in words:
        arrays["weights"][first_word(extract([read(Comment(word))])), HEADS.index(head)] = weight
    return classifier(arrays)


def only(spans: tuple[Span, ...]) -> str:
    (span,) = spans
    return span.text


def test_of_a_sentence_without_blanks_only_what_speaks_for_the_hold_is_shown() -> None:
    assert only(knowing("骗").explain(Comment("今天天气很好骗我们去公园"), "spam")) == "骗"
    assert only(knowing("骗", "子").explain(Comment("他是骗子吗"), "spam")) == "骗子"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("I like cheap pills, really", "pills,"),
        ("I like <b>PILLS</b> really", "PILLS"),
        ("I like p&#105;lls really", "p&#105;lls"),
        ("I like pill&#115; really", "pill&#115;"),
        ("I like p\u200bills\u00ad really", "p\u200bills\u00ad"),
        ("I like ｐｉｌｌｓ", "ｐｉｌｌｓ"),
        ("<p>pills</p><p>really</p>", "pills"),
        ("pills", "pills"),
    ],
)
def test_a_span_covers_the_whole_word_and_no_tag(content: str, text: str) -> None:
    assert only(knowing("pills").explain(Comment(content), "spam")) == text


def test_an_accent_typed_apart_belongs_to_its_word() -> None:
    content = "un cafe\u0301 noir"
    assert only(knowing("café").explain(Comment(content), "spam")) == "cafe\u0301"


def test_neighbours_that_both_speak_are_one_span() -> None:
    model = knowing("cheap", "pills")
    assert (
        only(model.explain(Comment("some cheap pills for everybody here"), "spam")) == "cheap pills"
    )
    assert len(model.explain(Comment("cheap and good pills"), "spam")) == 2


def test_words_that_speak_against_are_no_spans() -> None:
    assert knowing("thanks", weight=-127).explain(Comment("thanks for this"), "spam") == ()


def test_abuse_is_explained_by_the_head_that_speaks_louder() -> None:
    arrays = zeros(bias=-4.0)
    for word, head in (("vermin", "hate"), ("fool", "toxicity")):
        bucket = first_word(extract([read(Comment(word))]))
        arrays["weights"][bucket, HEADS.index(head)] = 127 if head == "hate" else 40
    assert only(classifier(arrays).explain(Comment("a fool said vermin"), "abuse")) == "vermin"


def test_spans_weigh_what_their_characters_add_to_the_log_odds() -> None:
    arrays = zeros()
    arrays["weights"][:, HEADS.index("spam")] = 8
    arrays["weights"][VOID] = 0
    model = classifier(arrays, calibration={h: [1.5, 0.0] for h in (*HEADS, "abuse")})
    content = "everything written underneath speaks against publishing"
    body = Reading((fold(content), "", "", ""), ())
    share = 1.5 * float(model.weights.margins(extract([body]))[0, HEADS.index("spam")])
    (span,) = model.explain(Comment(content), "spam")
    assert (span.start, span.end) == (0, len(content))
    # the rest lies on the blanks
    assert 0.75 * share < span.weight < share


def test_author_and_links_take_no_weight_from_the_words() -> None:
    model = knowing("pills")
    bare, dressed = (
        model.explain(Comment("cheap pills", author), "spam")
        for author in (Author(), Author(name="Best Casino", url="http://casino.example"))
    )
    assert bare == dressed
