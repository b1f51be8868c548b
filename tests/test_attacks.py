"""The attacks: repeatable, true to their kind, and undone where `fold` promises it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.folding import fold
from moderation.html_policy import HtmlPolicy, HtmlRules
from moderation.text import BODY, read
from moderation.verdict import Comment
from training.attacks import ATTACKS, Attack, attacked, evasion_report, false_hold_report
from training.filler import PARAGRAPHS, harmless
from training.lookalikes import BLANK_LETTERS

BY_NAME = {attack.name: attack for attack in ATTACKS}
ROOT = Path(__file__).parent.parent
SEEDS = range(4)
SAMPLES = {
    "plain": "You are a stupid idiot, nobody wants you here!",
    "short": "Idiot",
    "capitals": "BUY CHEAP PILLS NOW!!! 100% Discount",
    "link": 'See <a href="https://pills.example/a?b=1&amp;c">cheap pills</a> or www.pills.example',
    "markup": "You <b>really</b> are<br>a <i>stupid</i> one<!-- yes -->, Sir.\n\n<p>Go away</p>",
    "ampersand": "AT&T sells fish &amp; chips, Rock&Roll & more for &euro;5 &lt;today&gt;",
    "signs": "Is 3 < 4 and 5 > 4? I <3 maths, [sic] {fine} a_b #tag @name 50%",
    "bbcode": "[url=https://pills.example]cheap pills[/url] and [b]casino bonus[/b]",
    "accents": "Quel crétin, ça m'énerve à la fin: garçon, naïveté, Übel, Łódź",
    "decomposed": "Quel cre\u0301tin, petit garc\u0327on, U\u0308bel",
    "german": "Du dämlicher Straßenköter, hau ab!",
    "turkish": "İstanbul'da yaşayan ırkçı, defol git buradan",
    "russian": "Ты полный идиот, убирайся отсюда",
    "greek": "Είσαι ηλίθιος, φύγε από εδώ",
    "arabic": "أنت غبي جداً، اخرج من هنا",
    "persian": "تو احمق هستی، نمی\u200cخواهم ببینمت",
    "hindi": "तुम बेवकूफ हो, यहाँ से जाओ",
    "japanese": "お前は馬鹿だ、出ていけ。バカ野郎",
    "korean": "너는 정말 멍청한 놈이다",
    "emoji": "What a clown 🤡🤡 go away 👨\u200d👩\u200d👧 ❤️ 1️⃣",
    "numbers": "Call +1 (555) 010-9999 or B2B4U at 10:30, COVID19 times two",
    "lines": "First line here\nsecond line there\r\n\r\nthird\tline",
}
PROMISED = [attack.name for attack in ATTACKS if attack.kind == "lossless"] + [
    "homoglyphs",
    "homoglyphs_all_cyrillic",
    "homoglyphs_all_greek",
    "small_capitals",
    "stacked_marks",
    "reversed_case",
    "alternating_case",
    "bbcode_inside",
]
NOT_UNDONE = {
    # a word all of whose letters have a twin, or one that also holds a letter without
    "homoglyphs": {"plain", "capitals", "markup", "signs", "accents", "decomposed", "german",
                   "turkish"},
    "homoglyphs_all_cyrillic": {"plain", "capitals", "markup", "ampersand", "signs", "bbcode",
                                "accents", "decomposed", "german", "turkish", "emoji", "numbers"},
    "homoglyphs_all_greek": {"capitals", "decomposed", "turkish"},
    "small_capitals": {"decomposed"},
    # composed with its letter before the others are taken off: é stays of e and five marks
    "stacked_marks": {"plain", "short", "capitals", "link", "markup", "ampersand", "bbcode",
                      "accents", "decomposed", "turkish", "greek", "arabic", "emoji", "numbers"},
}  # fmt: skip
"""Pairs that `fold` leaves different, for one of the seeds at least."""


def pairs() -> list[object]:
    return [
        pytest.param(
            attack,
            sample,
            marks=[pytest.mark.xfail(strict=True, reason="not undone yet")]
            if sample in NOT_UNDONE.get(attack, ())
            else [],
        )
        for attack in PROMISED
        for sample in SAMPLES
    ]


def shown(content: str, policy: HtmlPolicy) -> str:
    """The text that a reader sees on the page: no tags, nothing that is not drawn, plain letters.

    Not made with `fold`, which is what is being tested.
    """
    page = html.unescape(re.sub(r"<[^>]*>", "", policy.render(content).html))
    page = re.sub(f"[{''.join(BLANK_LETTERS)}]", " ", page)
    drawn = [letter for letter in page if not undrawn(letter)]
    return " ".join(unicodedata.normalize("NFKC", "".join(drawn)).lower().split())


def undrawn(letter: str) -> bool:
    selector = "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"
    return selector or unicodedata.category(letter) == "Cf"


class WordScore:
    """Scores a text that holds one of the words as it stands."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        return np.array([float(any(word in text for word in self.words)) for text in texts])


# ---------------------------------------------------------------- every attack


def test_names_are_unique_and_every_kind_has_attacks() -> None:
    assert len(BY_NAME) == len(ATTACKS)
    assert {attack.kind for attack in ATTACKS} == {"lossless", "visible", "padding", "noise"}


@pytest.mark.parametrize("attack", ATTACKS, ids=BY_NAME)
def test_the_same_seed_gives_the_same_text(attack: Attack) -> None:
    for text in SAMPLES.values():
        assert attack.function(text, Random(7)) == attack.function(text, Random(7))


def test_another_process_gives_the_same_texts() -> None:
    program = (
        "from training.attacks import ATTACKS, attacked\n"
        f"texts = {list(SAMPLES.values())!a}\n"
        "print(*(ascii(attacked(attack, texts, 3)) for attack in ATTACKS), sep='\\n')"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, cwd=ROOT
    )
    here = [ascii(attacked(attack, list(SAMPLES.values()), 3)) for attack in ATTACKS]
    assert told.stdout.decode().splitlines() == here


def test_a_texts_outcome_depends_on_no_other_text() -> None:
    attack = BY_NAME["leet"]
    both = attacked(attack, [SAMPLES["plain"], SAMPLES["german"]], 1)
    assert attacked(attack, [SAMPLES["german"]], 1) == both[1:]


@pytest.mark.parametrize("attack", ATTACKS, ids=BY_NAME)
def test_every_attack_but_noise_changes_a_plain_text(attack: Attack) -> None:
    if attack.kind != "noise":
        for seed in SEEDS:
            assert attacked(attack, [SAMPLES["plain"]], seed) != [SAMPLES["plain"]]


@pytest.mark.parametrize("attack", ATTACKS, ids=BY_NAME)
@settings(max_examples=20, deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_breaks_an_attack(attack: Attack, text: str) -> None:
    assert isinstance(attack.function(text, Random(0)), str)


@pytest.mark.parametrize("attack", ATTACKS, ids=BY_NAME)
def test_addresses_stay_whole(attack: Attack) -> None:
    if attack.name not in ("in_a_tag", "in_a_comment"):
        (after,) = attacked(attack, [SAMPLES["link"]], 5)
        assert 'href="https://pills.example/a?b=1&amp;c"' in after
        assert "www.pills.example" in after or attack.name == "moved_spaces"


# ---------------------------------------------------------------- lossless


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.kind == "lossless"])
def test_a_lossless_attack_cannot_be_seen_on_the_page(attack: Attack, sample: str) -> None:
    policy = HtmlPolicy(HtmlRules(on_disallowed="strip"))
    (after,) = attacked(attack, [SAMPLES[sample]], 2)
    assert shown(after, policy) == shown(SAMPLES[sample], policy)


@pytest.mark.parametrize(("attack", "sample"), pairs())
def test_the_text_reads_the_same_after_folding(attack: str, sample: str) -> None:
    for seed in SEEDS:
        (after,) = attacked(BY_NAME[attack], [SAMPLES[sample]], seed)
        assert fold(after) == fold(SAMPLES[sample])


@pytest.mark.parametrize(
    "attack", ["buried_in_zero_width", "buried_in_empty_tags", "buried_in_words"]
)
def test_a_buried_text_is_read(attack: str) -> None:
    (after,) = attacked(BY_NAME[attack], [SAMPLES["plain"]], 1)
    assert len(after) < 65_536
    assert fold(SAMPLES["plain"]) in read(Comment(after)).segments[BODY]


@pytest.mark.parametrize("attack", ["in_a_tag", "in_a_comment"])
def test_what_the_page_shows_is_read(attack: str) -> None:
    (after,) = attacked(BY_NAME[attack], [SAMPLES["plain"]], 1)
    assert "stupid idiot" in shown(after, HtmlPolicy(HtmlRules()))
    assert "stupid idiot" in fold(after)


# ---------------------------------------------------------------- visible, padding, noise


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        ("spaced", "i d i o t"),
        ("spaced_dots", "i.d.i.o.t"),
        ("spaced_hyphens", "i-d-i-o-t"),
        ("spaced_underscores", "i_d_i_o_t"),
        ("doubled_letters", "iiddiioott"),
        ("reversed_case", "IDIOT"),
        ("upside_down", "ʇoᴉpᴉ"),
        ("homoglyphs_all_cyrillic", "іdіот"),
        ("small_capitals", "ɪᴅɪᴏᴛ"),
        ("bidi_override", "\u202etoidi\u202c"),
    ],
)
def test_a_single_word_is_always_hit(attack: str, expected: str) -> None:
    assert attacked(BY_NAME[attack], ["idiot"], 0) == [expected]


@pytest.mark.parametrize(
    ("attack", "pattern"),
    [
        ("masked", r"id[*#@$%_.-]ot|idi[*#@$%_.-]t"),
        ("masked_inside", r"i([*#\-_.])\1\1\1t|i([*#\-_.])\2{2}t"),
        ("stretched", r".*(.)\1\1.*"),
        ("split_words", r"\w+ \w+"),
        ("leet", r"[1!|]d[1!|]0[7+]"),
    ],
)
def test_a_masked_word_keeps_its_shape(attack: str, pattern: str) -> None:
    for seed in SEEDS:
        assert re.fullmatch(pattern, attacked(BY_NAME[attack], ["idiot"], seed)[0])


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.kind == "padding"])
def test_padding_leaves_the_text_as_it_is(attack: Attack) -> None:
    (after,) = attacked(attack, [SAMPLES["plain"]], 0)
    assert SAMPLES["plain"] in after
    assert len(after.split()) > 100


@pytest.mark.parametrize("words", [0, 1, 200, 1000, 2500])
def test_harmless_padding_has_the_length_asked_for(words: int) -> None:
    assert len(harmless(words, Random(1)).split()) == words


def test_the_harmless_paragraphs_are_many_and_differ() -> None:
    assert len(set(PARAGRAPHS)) == 25
    assert all(30 <= len(paragraph.split()) <= 80 for paragraph in PARAGRAPHS)


@pytest.mark.parametrize(
    ("attack", "before", "after"),
    [
        ("lower_case", "Oh No", "oh no"),
        ("upper_case", "Oh <b>no</b> https://a.example/b", "OH <b>NO</b> https://a.example/b"),
        ("no_punctuation", "Well, yes. At 10:30!", "Well yes At 10:30"),
        ("no_accents", "garçon, naïf", "garcon, naif"),
        ("double_spaces", "a b", "a  b"),
        ("line_breaks", "Yes. No", "Yes.\n\nNo"),
        ("trailing_newline", "yes", "yes\r\n"),
        ("ellipses", "Well, yes.", "Well... yes..."),
        ("curly_quotes", '"It\'s so", he said', "“It’s so”, he said"),
    ],
)
def test_noise_is_what_honest_people_type(attack: str, before: str, after: str) -> None:
    assert attacked(BY_NAME[attack], [before], 0) == [after]


# ---------------------------------------------------------------- reports


def test_the_evasion_report_counts_what_gets_through() -> None:
    caught = ["a stupid remark", "how stupid", "a harmless remark"]
    rows = {row.attack: row for row in evasion_report(WordScore("stupid"), caught, 0.5)}
    assert set(rows) == set(BY_NAME)
    assert (rows["spaced"].texts, rows["padded_before_200"].share) == (2, 0.0)
    assert rows["masked"].kind == "visible"
    assert rows["lower_case"].escaped == 0
    assert rows["upper_case"].share == 1.0


def test_the_false_hold_report_counts_honest_texts_that_are_newly_held() -> None:
    honest = ["so it goes.", "SO", "stay"]
    rows = {row.attack: row for row in false_hold_report(WordScore("SO", "..."), honest, 0.5)}
    assert set(rows) == {attack.name for attack in ATTACKS if attack.kind == "noise"}
    assert (rows["upper_case"].texts, rows["upper_case"].held) == (2, 1)
    assert rows["ellipses"].share == 0.5
    assert rows["lower_case"].held == 0


def test_reports_of_nothing_have_no_share() -> None:
    assert {row.share for row in evasion_report(WordScore("x"), [], 0.5)} == {0.0}
    assert {row.share for row in false_hold_report(WordScore("x"), [], 0.5)} == {0.0}
