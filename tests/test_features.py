"""Features: the same for a comment whatever stands beside it, and as long as FORMAT is the same."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.features import (
    BITS,
    FORMAT,
    FURTHER,
    GAIN,
    ORDERS,
    PAIRS,
    VOID,
    WORDS,
    Features,
    extract,
)
from moderation.text import AUTHOR, BODY, FACTS, LINKS, SEGMENTS, Reading, read
from moderation.verdict import Author, Comment

comments = st.builds(
    lambda content, name, url: Comment(content, Author(name=name, url=url)),
    st.text(max_size=60),
    st.sampled_from(["", "Anna", "best casino 2025", "Иван"]),
    st.sampled_from(["", "https://www.casino.example/bonus?x=1"]),
)


def reading(body: str = "", author: str = "", links: str = "", facts: str = "") -> Reading:
    return Reading((body, author, links, facts), ())


def parts(features: Features, number: int) -> list[list[object]]:
    """All that belongs to one reading of a batch, with places counted from where it begins."""
    bounds = features.bounds[SEGMENTS * number : SEGMENTS * (number + 1) + 1]
    start, stop = bounds[0], bounds[-1]
    found: list[list[object]] = [
        features.buckets[:, start:stop].tolist(),
        (bounds - start).tolist(),
        features.norm[SEGMENTS * number : SEGMENTS * (number + 1)].tolist(),
    ]
    own = (features.word_at >= start) & (features.word_at < stop)
    found += [(column[own] - start).tolist() for column in (features.word_at, features.word_end)]
    return found


def words_of(features: Features, segment: int) -> list[int]:
    """Buckets of the words of a segment of the only reading."""
    start, stop = features.bounds[segment : segment + 2]
    own = (features.word_at >= start) & (features.word_at < stop)
    return [int(bucket) for bucket in features.buckets[WORDS, features.word_at[own]]]


@given(st.lists(comments, min_size=1, max_size=5))
def test_a_comments_features_do_not_depend_on_its_batch(batch: list[Comment]) -> None:
    readings = [read(comment) for comment in batch]
    together = extract(readings)
    for number, alone in enumerate(readings):
        assert parts(together, number) == parts(extract([alone]), 0)


@given(comments)
def test_buckets_lie_in_the_table_and_places_in_the_text(comment: Comment) -> None:
    features = extract([read(comment)])
    assert features.buckets.max(initial=0) < 1 << BITS
    assert (features.word_at < features.word_end).all()
    assert features.word_end.max(initial=0) < features.bounds[-1]
    assert features.buckets.shape == (len(ORDERS) + 2, features.bounds[-1])
    assert np.isfinite(features.norm).all()


def test_facts_are_words_only() -> None:
    features = extract([read(Comment("Win $500 at http://a.example!"))])
    start, stop = features.bounds[FACTS : FACTS + 2]
    assert (features.buckets[: len(ORDERS), start:stop] == VOID).all()
    assert len(words_of(features, FACTS)) >= 5


def test_an_n_gram_that_would_leave_its_segment_is_void() -> None:
    features = extract([reading("abcdefgh", "ijklmnop", "qrstuvwx")])
    for segment in (BODY, AUTHOR, LINKS):
        stop = features.bounds[segment + 1]
        for order, buckets in zip(ORDERS, features.buckets, strict=False):
            assert (buckets[stop - order + 1 : stop] == VOID).all()
            assert (buckets[features.bounds[segment] : stop - order + 1] != VOID).all()


def test_an_empty_reading_has_no_features() -> None:
    features = extract([reading()])
    assert (features.buckets == VOID).all()
    assert len(features.word_at) == 0


def test_a_word_is_the_same_feature_wherever_it_stands_in_a_segment() -> None:
    first, second = extract([reading("pills are cheap")]), extract([reading("so cheap, pills!")])
    cheap, pills = words_of(second, BODY)[1:]
    assert words_of(first, BODY)[0] == pills
    assert words_of(first, BODY)[2] == cheap


def test_a_word_of_another_segment_is_another_feature() -> None:
    features = extract([reading("casino", "casino", "casino", "casino")])
    assert len({words_of(features, segment)[0] for segment in range(SEGMENTS)}) == SEGMENTS


def test_two_words_are_a_pair_in_one_segment_only() -> None:
    assert (extract([reading("cheap pills now", "buy")]).buckets[PAIRS] != VOID).sum() == 2
    assert (extract([reading("cheap", "pills")]).buckets[PAIRS] == VOID).all()


def test_a_longer_text_has_lighter_features() -> None:
    short, long = extract([reading("cheap")]), extract([reading("cheap " * 100)])
    grams = sum((short.buckets[n, : short.bounds[1]] != VOID).sum() for n in range(len(ORDERS)))
    count = grams + len(words_of(short, BODY))
    assert short.norm[BODY] == pytest.approx(GAIN[BODY] / np.sqrt(count + FURTHER[BODY]))
    assert long.norm[BODY] < short.norm[BODY] / 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("今日は雨", ["今", "日", "は", "雨"]),
        ("한국 말", ["한", "국", "말"]),
        ("iphone买", ["iphone", "买"]),
        ("买iphone 15", ["买", "iphone", "15"]),
    ],
)
def test_where_words_have_no_blanks_between_each_character_is_one(
    text: str, words: list[str]
) -> None:
    features = extract([reading(text)])
    body = features.word_at < features.bounds[BODY + 1]
    framed = f" {text} "
    places = zip(features.word_at[body], features.word_end[body], strict=True)
    assert [framed[start:stop] for start, stop in places] == words
    (pairs,) = np.nonzero(features.buckets[PAIRS] != VOID)
    assert pairs.tolist() == features.word_at[body][:-1].tolist()
    alone = [words_of(extract([reading(word)]), BODY) for word in words]
    assert words_of(features, BODY) == [bucket for one in alone for bucket in one]


def test_the_format_number_stands_for_these_buckets() -> None:
    """Models in use were trained on these buckets: raise FORMAT where this digest changes."""
    texts = (
        "Buy <b>CHEAP</b> pills at https://www.pills.example/?a=1 now!!! +1 (555) 010-9999",
        "You are an id\u200biot, and so are they. 3 < 4, List<String>, B2B",
        "Сегодня в Москве дождь. Ο Νίκος είναι εδώ, όλος ο κόσμος. vіаgrа",
        "年末年始に京都へ行きました。 한국어 댓글 👍🏽 café cafe\u0301 ﷺ",
        "\ud800 \x00 &amp; &#105; [url=http://a.example]x[/url] line\nline\r\nline",
        "word " * 400,
    )
    author = Author(name="Best Casino", url="http://casino.example")
    features = extract([read(Comment(text, author)) for text in texts])
    digest = hashlib.sha256()
    grams, words = features.buckets[: len(ORDERS)], features.buckets[WORDS, features.word_at]
    pairs = features.buckets[PAIRS, features.word_at]
    for array in (grams, words, pairs[pairs != VOID], features.norm):
        digest.update(np.ascontiguousarray(array).tobytes())
    assert (FORMAT, digest.hexdigest()[:16]) == (3, "0da24d9d1ed376af")
