"""Weights: a stretch of a long text speaks for it, and harmless words around it don't drown it."""

from __future__ import annotations

import numpy as np
import pytest

from moderation.features import extract
from moderation.text import BODY, Reading
from moderation.weights import HEADS, Weights

SPAM = HEADS.index("spam")
OFFER = "cheap casino pills, guaranteed returns, contact me now"
HARMLESS = "we walked along the river and talked about the garden until it was dark. "


def reading(body: str) -> Reading:
    return Reading((body, "", "", ""), ())


@pytest.fixture(scope="module")
def weights() -> Weights:
    """Every feature of the offer speaks for spam, every other one against all heads."""
    table = np.full((1 << 20, len(HEADS)), -2, np.int8)
    offer = extract([reading(OFFER)])
    table[offer.buckets, SPAM] = 60
    table[0] = 0
    ones = np.ones(len(HEADS), np.float32)
    return Weights({"weights": table, "scale": ones / 20, "bias": -ones})


def margin(weights: Weights, body: str) -> float:
    return float(weights.margins(extract([reading(body)]))[0, SPAM])


def test_harmless_words_do_not_drown_what_a_text_says(weights: Weights) -> None:
    alone = margin(weights, OFFER)
    assert alone > 0 > margin(weights, HARMLESS * 40)
    for before, after in ((10, 0), (0, 10), (100, 100)):
        padded = HARMLESS * before + OFFER + " " + HARMLESS * after
        assert margin(weights, padded) > alone / 2


def test_more_of_the_same_padding_changes_nothing_more(weights: Weights) -> None:
    some, much = (margin(weights, HARMLESS * n + OFFER) for n in (20, 400))
    assert much == pytest.approx(some, abs=0.05)


def test_margins_are_the_same_for_one_as_for_many(weights: Weights) -> None:
    bodies = [OFFER, HARMLESS * 3, HARMLESS * 30 + OFFER, "", "x", HARMLESS * 2 + OFFER * 9]
    together = weights.margins(extract([reading(body) for body in bodies]))
    alone = np.vstack([weights.margins(extract([reading(body)])) for body in bodies])
    assert together == pytest.approx(alone, abs=1e-5)


def test_what_the_characters_carry_is_the_bodys_part_of_the_margin(weights: Weights) -> None:
    features = extract([reading(OFFER)])
    carried = weights.carried(features, SPAM).sum()
    assert carried == pytest.approx(margin(weights, OFFER) + 1, abs=0.01)


def test_in_a_padded_text_the_stretch_that_decides_carries_it_all(weights: Weights) -> None:
    body = HARMLESS * 20 + OFFER + " " + HARMLESS * 20
    features = extract([reading(body)])
    carried = weights.carried(features, SPAM)[1 : 1 + len(body)]
    start = body.index(OFFER)
    inside = carried[start : start + len(OFFER)].sum()
    assert inside > 0.9 * carried[carried > 0].sum()
    assert not carried[: start - 480].any()
    # the toll is what the stretch has to overcome, so it is no part of what the words carry
    assert carried.sum() == pytest.approx(margin(weights, body) + 1 + 1.0, abs=0.05)
    assert features.bounds[BODY + 1] == len(body) + 2
