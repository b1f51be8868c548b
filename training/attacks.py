"""What people do to get a comment past a filter, and what honest people do by accident.

Each attack is a pure function of a text and a generator of random numbers. *Lossless* ones cannot
be seen on the page, or only as another font; *visible* ones can, and leave the text readable;
*padding* leaves it alone and adds harmless words; *noise* is what honest comments look like.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
import numpy.typing as npt

from training import disguises as by
from training import lookalikes as looks
from training.filler import harmless

Kind = Literal["lossless", "visible", "padding", "noise"]
Score = Callable[[Sequence[str]], npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Attack:
    """A way to change a text: `function(text, rng)`, the same for the same state of `rng`."""

    name: str
    kind: Kind
    function: by.Change


@dataclass(frozen=True, slots=True)
class EvasionRow:
    """How many of the `texts` that were caught got through after an attack."""

    attack: str
    kind: Kind
    texts: int
    escaped: int

    @property
    def share(self) -> float:
        """Of the caught texts, those that got through."""
        return self.escaped / self.texts if self.texts else 0.0


@dataclass(frozen=True, slots=True)
class FalseHoldRow:
    """How many of the honest `texts` that passed were held after harmless noise."""

    attack: str
    texts: int
    held: int

    @property
    def share(self) -> float:
        """Of the honest texts, those newly held."""
        return self.held / self.texts if self.texts else 0.0


def attacked(attack: Attack, texts: Sequence[str], seed: int) -> list[str]:
    """The texts after an attack. A text's outcome depends on no other attack and no other text."""
    return [attack.function(text, Random(f"{seed} {attack.name} {text}")) for text in texts]


def evasion_report(
    score: Score, caught: Sequence[str], threshold: float, seed: int = 0
) -> list[EvasionRow]:
    """For each attack, the share of caught texts that get through.

    A text is caught from `threshold` on; one that passes as it is does not count.
    """
    texts = [text for text, high in zip(caught, score(caught) >= threshold, strict=True) if high]
    rows = []
    for attack in ATTACKS:
        escaped = int((score(attacked(attack, texts, seed)) < threshold).sum())
        rows.append(EvasionRow(attack.name, attack.kind, len(texts), escaped))
    return rows


def false_hold_report(
    score: Score, honest: Sequence[str], threshold: float, seed: int = 0
) -> list[FalseHoldRow]:
    """For each kind of noise, the share of honest texts that pass as they are and are held now."""
    texts = [text for text, low in zip(honest, score(honest) < threshold, strict=True) if low]
    rows = []
    for attack in ATTACKS:
        if attack.kind == "noise":
            held = int((score(attacked(attack, texts, seed)) >= threshold).sum())
            rows.append(FalseHoldRow(attack.name, len(texts), held))
    return rows


def _without_brackets(text: str) -> str:
    return re.sub("[<>]", "", text)


_TOKENS = (
    "I work in B2B sales.",
    "That was before COVID19.",
    "Plain H2O for me.",
    "It plays on my PS4 and as an MP3.",
    "We ran the 10K in 2h15.",
    "Gate B12, seat 14C, 6am.",
)

_LOSSLESS = {
    "zero_width": by.between(looks.ZERO_WIDTH),
    "zero_width_everywhere": by.between(looks.ZERO_WIDTH, 1.0),
    "soft_hyphens": by.between(looks.SOFT_HYPHEN),
    "bidi_marks": by.between(looks.BIDI_MARKS),
    "variation_selectors": by.between(looks.VARIATION_SELECTORS),
    "format_controls": by.between(looks.FORMAT_CONTROLS),
    "control_characters": by.between(looks.CONTROL_CHARACTERS),
    "invisible_entities": by.between(("&shy;", "&zwnj;", "&#8203;", "&#xFEFF;")),
    "unusual_spaces": by.blanks(looks.SPACES),
    "blank_letters": by.blanks(looks.BLANK_LETTERS),
    "entities_decimal": by.letters(lambda letter, rng: f"&#{ord(letter)};", 0.5),
    "entities_hex": by.letters(lambda letter, rng: f"&#X{ord(letter):04x};", 0.5),
    "entities_named": by.table(looks.NAMED_ENTITIES, 0.5),
    "entities_padded": by.letters(lambda letter, rng: f"&#{ord(letter):07d};"),
    "empty_tags": by.between(("<b></b>", "<i></i>", "<em></em>", "<B ></b >")),
    "tagged_letters": by.letters(lambda letter, rng: f"<i>{letter}</i>", 0.4),
    "tag_with_bracket": by.between(('<b title=">"></b>',)),
    "long_tag": by.between((f'<b title="{"a" * 2100}"></b>',), 0.0),
    "html_comments": by.between(("<!-- -->", "<!---->", "<!-- nice -->")),
    "html_comments_marked_up": by.between(("<!-- > -->", "<!--<b>-->")),
    "buried_in_zero_width": by.buried(lambda rng: "\u200b" * 12_000),
    "buried_in_empty_tags": by.buried(lambda rng: "<b></b>" * 1_500),
    # another font
    "full_width": by.table(looks.FULL_WIDTH),
    "mathematical": by.table(looks.MATHEMATICAL),
    "circled": by.table(looks.CIRCLED),
    "superscript": by.table(looks.SUPERSCRIPT),
}
_VISIBLE = {
    # letters that look like others
    "homoglyphs": by.table(looks.HOMOGLYPHS, 0.3),
    "homoglyphs_all_cyrillic": by.table(looks.CYRILLIC),
    "homoglyphs_all_greek": by.table(looks.GREEK),
    "homoglyphs_rare": by.table(looks.RARE_HOMOGLYPHS, 0.5),
    "small_capitals": by.table(looks.SMALL_CAPITALS),
    "badges": by.table(looks.BADGES),
    "stroked_letters": by.table(looks.STROKED),
    "upside_down": by.words(by.upside_down),
    "accents": by.marked(looks.ACCENTS, 1, 0.4),
    "stacked_marks": by.marked(looks.STACKED_MARKS, 5),
    "other_marks": by.marked(looks.OTHER_MARKS, 2),
    "reversed_case": by.letters(by.other_case),
    "alternating_case": by.letters(by.other_case, 0.5),
    # signs instead of letters, or among them
    "leet": by.table(looks.LEET),
    "leet_some": by.table(looks.LEET, 0.4),
    "masked": by.words(by.masked),
    "masked_inside": by.words(by.masked_inside),
    "spaced": by.spaced(" "),
    "spaced_dots": by.spaced("."),
    "spaced_hyphens": by.spaced("-"),
    "spaced_underscores": by.spaced("_"),
    "punctuation_inside": by.between((".", "-", "'", "*", "/"), 0.0),
    "emoji_inside": by.between(looks.EMOJI, 0.0),
    "bbcode_inside": by.between(("[b][/b]", "[i][/i]")),
    "unknown_tags": by.between(("<x></x>", "<wbr>", "<o:p></o:p>")),
    # shown as typed where the site escapes what it does not allow
    "in_a_tag": lambda text, rng: f"<p {_without_brackets(text)}>",
    "in_a_comment": lambda text, rng: f"<!-- {_without_brackets(text)} -->",
    # misspelt, or with blanks in other places
    "stretched": by.words(by.stretched),
    "doubled_letters": by.letters(lambda letter, rng: letter * 2),
    "swapped_letters": by.words(by.swapped),
    "dropped_letter": by.words(by.dropped),
    "wrong_key": by.words(by.wrong_key),
    "respelled": by.words(by.respelled),
    "bidi_override": by.words(lambda word, rng: f"\u202e{word[::-1]}\u202c"),
    "split_words": by.words(by.split),
    "moved_spaces": by.moved_spaces,
    "joined_words": by.blanks([""]),
}
_PADDING = {
    "padded_before_200": by.padded(200, "before"),
    "padded_after_200": by.padded(200, "after"),
    "padded_around_200": by.padded(200, "around"),
    "padded_before_1000": by.padded(1000, "before"),
    "padded_after_1000": by.padded(1000, "after"),
    "padded_around_1000": by.padded(1000, "around"),
    "padded_with_repetition": lambda text, rng: f"{text}\n{(harmless(40, rng) + ' ') * 30}",
    "padded_with_quotation": by.quoted_html,
    "padded_with_quoted_lines": by.quoted_lines,
    "buried_in_words": by.buried(lambda rng: harmless(2500, rng)),
}
_NOISE = {
    "typos": by.words(by.typo, 0.06),
    "lower_case": lambda text, rng: text.lower(),
    "upper_case": by.in_prose(r"\w+", lambda match, rng: match[0].upper()),
    "no_punctuation": by.in_prose(r"[.,;:!?]+(?=\s|$)", lambda match, rng: ""),
    "no_accents": by.without_accents,
    "decomposed": lambda text, rng: unicodedata.normalize("NFD", text),
    "double_spaces": by.blanks(["  "]),
    "no_break_spaces": by.blanks((" ", "\u00a0")),
    "line_breaks": by.in_prose(r"(?<=[.!?]) ", lambda match, rng: "\n\n"),
    "trailing_newline": lambda text, rng: f"{text}\r\n",
    "french_spacing": by.in_prose(
        r"(?<=\w)[;:!?](?=\s|$)", lambda match, rng: rng.choice(" \u00a0\u202f") + match[0]
    ),
    "exclamations": by.in_prose(r"(?<=\w)[.!](?=\s|$)", lambda match, rng: "!" * rng.randint(1, 4)),
    "ellipses": by.in_prose(r"(?<=\w)[.,](?=\s|$)", lambda match, rng: "..."),
    "curly_quotes": by.curly_quotes,
    "emoji": lambda text, rng: f"{text} {''.join(rng.choices(looks.EMOJI, k=rng.randint(1, 3)))}",
    "letters_and_digits": lambda text, rng: f"{text} {rng.choice(_TOKENS)}",
}
_KINDS: dict[Kind, dict[str, by.Change]] = {
    "lossless": _LOSSLESS,
    "visible": _VISIBLE,
    "padding": _PADDING,
    "noise": _NOISE,
}
ATTACKS: tuple[Attack, ...] = tuple(
    Attack(name, kind, function)
    for kind, table in _KINDS.items()
    for name, function in table.items()
)
"""Every attack, by kind."""
