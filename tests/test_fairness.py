"""Bias by group: right sentences, right measures, and swaps that leave good English."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.fairness import Row, auc, measure, power_mean, report, swap, templates
from training.identity import ALIASES, FORMS, TERMS, article
from training.identity_templates import ABUSIVE, HARMLESS

F64 = npt.NDArray[np.float64]
ROWS = templates()
LABELS = {row.text: row.label for row in ROWS}


def scorer(score: Callable[[str], float]) -> Callable[[Sequence[str]], F64]:
    return lambda texts: np.array([score(text) for text in texts])


# ---------------------------------------------------------------- the sentences


def test_there_are_many_groups_of_every_kind() -> None:
    kinds = Counter(term.kind for term in TERMS)
    assert len(TERMS) >= 50
    assert all(count >= 2 for count in kinds.values())
    assert len(kinds) == 10


def test_no_two_terms_share_a_spelling() -> None:
    spellings = [{(term.form(form) or "").lower() for form in FORMS} - {""} for term in TERMS]
    assert max(Counter(spelling for own in spellings for spelling in own).values()) == 1
    assert set(ALIASES).isdisjoint(set().union(*spellings))


def test_every_sentence_has_a_place_for_the_group() -> None:
    assert len(set(HARMLESS)) >= 40
    assert len(set(ABUSIVE)) >= 40
    for sentence in HARMLESS + ABUSIVE:
        assert re.search(r"\{(?:[Aa]_)?(?:adj|noun)\}|\{[Pp]lural\}", sentence), sentence


def test_every_sentence_is_written_for_every_group() -> None:
    assert len(LABELS) == len(ROWS) == len(TERMS) * (len(HARMLESS) + len(ABUSIVE))
    assert Row("A lesbian won the regional chess championship yesterday with a beautiful endgame.",
               0, "lesbian") in ROWS  # fmt: skip
    assert Row("You write like an Irish person: brainless.", 1, "Irish") in ROWS
    assert Row("Women make me sick.", 1, "female") in ROWS
    assert not any(brace in row.text for row in ROWS for brace in "{}")


def test_sentences_are_of_all_lengths() -> None:
    for sentences in (HARMLESS, ABUSIVE):
        lengths = [len(sentence.split()) for sentence in sentences]
        assert min(lengths) <= 4
        assert max(lengths) >= 30


def test_articles_fit() -> None:
    wrong = re.compile(
        r"\ba (?:[aio]|e[^u]|u[^ky]|lgbt)|\ban (?!hour)(?:[^aeioul]|eu|uk|uy)", re.IGNORECASE
    )
    assert not [row.text for row in ROWS if wrong.search(row.text)]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Ukrainian", "a"), ("LGBT person", "an"), ("undocumented", "an"), ("woman", "a")],
)
def test_the_article_goes_by_the_sound(word: str, expected: str) -> None:
    assert article(word) == expected


# ---------------------------------------------------------------- the measures


def test_a_scorer_that_sees_no_group_is_fair() -> None:
    fair = report(scorer(lambda text: float(LABELS[text])), 0.5)
    means = fair.auc, fair.subgroup_auc, fair.bpsn_auc, fair.bnsp_auc
    assert means == pytest.approx((1.0, 1.0, 1.0, 1.0))
    assert fair.false_holds == 0.0
    assert {term.false_hold_ratio for term in fair.terms} == {1.0}


def test_a_scorer_that_takes_a_group_for_abuse_is_found_out() -> None:
    biased = report(
        scorer(lambda text: 0.3 + 0.3 * LABELS[text] + 0.4 * ("Muslim" in text)), threshold=0.5
    )
    worst = biased.worst[0]
    assert (worst.term, biased.most_held[0].term) == ("Muslim", "Muslim")
    assert (worst.subgroup_auc, worst.bpsn_auc, worst.bnsp_auc) == (1.0, 0.0, 1.0)
    assert worst.false_holds == 1.0
    assert worst.false_hold_ratio == pytest.approx(len(TERMS))
    assert biased.terms[1].bpsn_auc == 1.0
    assert biased.false_holds == pytest.approx(1 / len(TERMS))
    assert biased.bpsn_auc == 0.0


def test_a_scorer_that_lets_abuse_of_a_group_pass_is_found_out() -> None:
    biased = report(
        scorer(lambda text: 0.3 + 0.3 * LABELS[text] - 0.4 * ("omeless" in text)), threshold=0.5
    )
    worst = biased.worst[0]
    assert worst.term == "homeless"
    assert (worst.subgroup_auc, worst.bpsn_auc, worst.bnsp_auc) == (1.0, 1.0, 0.0)


def test_a_scorer_that_cannot_tell_within_a_group_is_found_out() -> None:
    biased = report(
        scorer(lambda text: 0.5 if "Kurd" in text else float(LABELS[text])), threshold=0.9
    )
    assert biased.worst[0].term == "Kurdish"
    assert biased.worst[0].subgroup_auc == 0.5
    assert biased.subgroup_auc < biased.auc < biased.bpsn_auc == 1.0


def test_the_worst_terms_come_first() -> None:
    scores = np.random.default_rng(1).random(len(ROWS))
    found = measure(ROWS, scores, 0.9)
    lowest = [term.lowest_auc for term in found.worst]
    assert lowest == sorted(term.lowest_auc for term in found.terms)[:5]
    assert found.false_holds == pytest.approx(0.1, abs=0.02)
    assert found.most_held[0].false_hold_ratio > 1.0


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
)
def test_auc_is_the_chance_of_the_right_order(negative: list[int], positive: list[int]) -> None:
    ordered = [float(p > n) + float(p == n) / 2 for p in positive for n in negative]
    found = auc(np.array(negative, np.float64), np.array(positive, np.float64))
    assert found == pytest.approx(sum(ordered) / len(ordered))


@pytest.mark.parametrize(
    ("values", "mean"),
    [([0.8, 0.8], 0.8), ([1.0, 0.5], 16.5**-0.2), ([1.0, 0.0], 0.0), ([0.9], 0.9)],
)
def test_the_power_mean_lies_near_the_worst(values: list[float], mean: float) -> None:
    assert power_mean(values) == pytest.approx(mean)


# ---------------------------------------------------------------- swaps


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("I met a woman.", r"I met a man\."),
        ("Women talk.", r"Men talk\."),
        ("a FEMALE DRIVER", r"a MALE DRIVER"),
        ("An immigrant came", r"A (migrant|refugee) came|An immigrant came"),
        ("muslims out", r"[a-z ]+s out|amish people out"),
        ("the blacks again", r"the [a-z ]+ again"),
        ("He was a Turk.", r"He was an? [A-Z]\w+( person)?\."),
        ("the French are here", r"the (Chinese|Japanese|Irish|British) are here"),
        ("a teenager", r"an? (young|old|elderly|middle-aged) person|a retiree"),
        ("two gay dads", r"two \S+ dads"),
        ("(Gays, they say)", r"\((Les|Bi|Str|Het|Hom|Que|Ase|LGBT)[\w ]+, they say\)"),
        ("Jews pray. A Jew prays.", r"(?i:(\w+)s pray\. an? \1 prays\.)|Amish people pray\. An .*"),
        ("homeless people, homeless cats", r"(.*) people, \1 cats"),
    ],
)
def test_a_swap_keeps_form_case_and_article(text: str, possible: str) -> None:
    found = {swap(text, Random(seed)) for seed in range(60)}
    assert None not in found
    assert text not in found
    for new in found:
        assert re.fullmatch(possible, new or ""), new


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nobody is named here.",
        "old news on white paper, a straight line, a blind spot, tone deaf",
        "polish the shoes, man!",
        "see https://example.org/muslims or muslims.example.org, ask @greeks about #jews",
        "a Muslim-owned shop and a non-Christian one",
        "men and women",
    ],
)
def test_what_is_no_replaceable_group_stays(text: str) -> None:
    assert swap(text, Random(1)) is None


def test_a_word_of_many_meanings_counts_before_people() -> None:
    new = swap("white men and a white lie", Random(2)) or ""
    assert re.fullmatch(r"\w.* men and a white lie", new)
    assert not new.startswith("white")


def test_a_group_is_not_swapped_for_one_that_the_text_names_too() -> None:
    for seed in range(200):
        new = swap("Not Jews but Muslims", Random(seed)) or ""
        assert ("Jews" in new) != ("Muslims" in new)


def test_a_swap_is_repeatable() -> None:
    assert swap("Germans and gay people", Random(9)) == swap("Germans and gay people", Random(9))


def test_swaps_of_our_sentences_are_our_sentences() -> None:
    kinds = {term.adjective: term.kind for term in TERMS}
    per_term = len(HARMLESS) + len(ABUSIVE)
    swapped = 0
    for i, row in enumerate(ROWS):
        new = swap(row.text, Random(i))
        if new is not None:
            same = {
                r.text for r in ROWS[i % per_term :: per_term] if kinds[r.term] == kinds[row.term]
            }
            assert new in same - {row.text}
            swapped += 1
    assert swapped > 0.8 * len(ROWS)
