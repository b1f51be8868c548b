"""How a text is changed, from letters to words to texts; attacks.py lists what is made of it.

A change is a pure function `(text, rng)`. Tags, entities and addresses stay whole: what is broken
there would change the page, not the way it reads.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

from training import lookalikes
from training.filler import harmless

Change = Callable[[str, Random], str]

SHARE = 0.8
"""Of the words that could carry a meaning: who disguises a text does not disguise every word."""
_FUNCTION_WORD = re.compile(
    r"the|and|yours?|you|are|was|were|but|not|for|has|had|have|his|hers?|him|its|our|they|them"
    r"|their|this|that|these|those|with|from|who|what|when|will|would|can|could|all|any",
    re.IGNORECASE,
)
_WHOLE = r"<[^<>]*>|&#?\w{1,32};|\[/?\w[^\[\]]*\]|(?:https?://|www\.)\S+|[\w.+-]{1,64}@\S+"
_WORD = re.compile(rf"{_WHOLE}|([^\W\d_]+)")
_BESIDE = {
    key: row[max(0, i - 1) : i] + row[i + 1 : i + 2]
    for row in lookalikes.KEYBOARD
    for i, key in enumerate(row)
}
_SOUND = dict(lookalikes.RESPELLINGS)
_SOUNDS = re.compile("|".join(_SOUND))


# ---------------------------------------------------------------- makers of changes


def words(change: Change, share: float = SHARE) -> Change:
    """A change of one word, done to such a share of the words, and to one at least."""

    def changed(text: str, rng: Random) -> str:
        possible = [
            match
            for match in _WORD.finditer(text)
            if len(match[1] or "") > 2 and not _FUNCTION_WORD.fullmatch(match[1])
        ]
        chosen = [word for word in possible if rng.random() < share]
        if possible and not chosen:
            chosen = [rng.choice(possible)]
        parts: list[str] = []
        done = 0
        for word in chosen:
            parts += text[done : word.start()], change(word[0], rng)
            done = word.end()
        return "".join(parts) + text[done:]

    return changed


def letters(write: Change, chance: float = 1.0) -> Change:
    """Letters of each word written another way: so many of them, and one at least."""

    def change(word: str, rng: Random) -> str:
        written = [write(letter, rng) for letter in word]
        possible = [i for i, letter in enumerate(word) if written[i] != letter]
        sure = rng.choice(possible) if possible else 0
        taken = [i == sure or rng.random() < chance for i in range(len(word))]
        return "".join(written[i] if taken[i] else word[i] for i in range(len(word)))

    return words(change)


def table(other: lookalikes.Table, chance: float = 1.0) -> Change:
    """Letters replaced from a table of other ways to write them."""
    return letters(lambda letter, rng: rng.choice(other.get(letter, letter)), chance)


def marked(pool: Sequence[str], most: int, chance: float = 1.0) -> Change:
    """One to so many marks behind letters."""
    return letters(
        lambda letter, rng: letter + "".join(rng.choices(pool, k=rng.randint(1, most))), chance
    )


def between(pool: Sequence[str], chance: float = 0.3) -> Change:
    """Something put between letters of a word, in one place at least."""

    def change(word: str, rng: Random) -> str:
        sure = rng.randrange(1, len(word))
        parts = [word[0]]
        for i, letter in enumerate(word[1:], 1):
            if i == sure or rng.random() < chance:
                parts.append(rng.choice(pool))
            parts.append(letter)
        return "".join(parts)

    return words(change)


def spaced(separator: str) -> Change:
    """i d i o t"""
    return words(lambda word, rng: separator.join(word))


def in_prose(pattern: str, put: Callable[[re.Match[str], Random], str]) -> Change:
    """A substitution that leaves alone what must stay whole."""
    places = re.compile(rf"{_WHOLE}|(?P<place>{pattern})")
    return lambda text, rng: places.sub(
        lambda match: match[0] if match["place"] is None else put(match, rng), text
    )


def blanks(pool: Sequence[str]) -> Change:
    """Something else in the place of every space."""
    return in_prose(" ", lambda match, rng: rng.choice(pool))


def padded(count: int, where: Literal["before", "after", "around"]) -> Change:
    """So many harmless words before the text, after it, or on each side."""

    def change(text: str, rng: Random) -> str:
        before = harmless(count, rng) + "\n\n" if where != "after" else ""
        return before + text + ("\n\n" + harmless(count, rng) if where != "before" else "")

    return change


def buried(pad: Callable[[Random], str]) -> Change:
    """So much on both sides that a reader of bounded length never comes to the text."""
    return lambda text, rng: f"{pad(rng)} {text} {pad(rng)}"


# ---------------------------------------------------------------- changes of one word


def masked(word: str, rng: Random) -> str:
    """f*ck, st#pid: one letter inside, a vowel where there is one"""
    inner = range(1, len(word) - 1)
    at = rng.choice([i for i in inner if word[i].lower() in "aeiou"] or inner)
    return word[:at] + rng.choice("*#@$%_-.") + word[at + 1 :]


def masked_inside(word: str, rng: Random) -> str:
    """f**k"""
    return word[0] + rng.choice("*#-_.") * (len(word) - 2) + word[-1]


def stretched(word: str, rng: Random) -> str:
    """stuuupid"""
    at = rng.randrange(len(word))
    return word[:at] + word[at] * rng.randint(3, 6) + word[at + 1 :]


def split(word: str, rng: Random) -> str:
    """stu pid"""
    at = rng.randrange(1, len(word))
    return word[:at] + " " + word[at:]


def swapped(word: str, rng: Random) -> str:
    """stupdi"""
    at = rng.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def dropped(word: str, rng: Random) -> str:
    """stpid"""
    at = rng.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def wrong_key(word: str, rng: Random) -> str:
    """stupud"""
    at = rng.randrange(len(word))
    return word[:at] + rng.choice(_BESIDE.get(word[at].lower(), word[at])) + word[at + 1 :]


def typo(word: str, rng: Random) -> str:
    """One of the three slips of a finger."""
    return rng.choice((swapped, dropped, wrong_key))(word, rng)


def respelled(word: str, rng: Random) -> str:
    """phookka: written as it sounds"""
    return _SOUNDS.sub(lambda match: _SOUND[match[0]], word.lower())


def other_case(letter: str, rng: Random) -> str:
    """A letter in the other case, where there is a way back: ß has none."""
    other = letter.swapcase()
    return other if other.swapcase() == letter else letter


def upside_down(word: str, rng: Random) -> str:
    """The word as it looks when the page is turned round."""
    return "".join(lookalikes.UPSIDE_DOWN.get(letter, letter) for letter in word.lower()[::-1])


# ---------------------------------------------------------------- changes of a whole text


def moved_spaces(text: str, rng: Random) -> str:
    """yo uare a nidiot"""
    return in_prose(
        r"(?P<last>[^\W\d_]) (?=[^\W\d_])",
        lambda match, rng: f" {match['last']}" if rng.random() < SHARE else match[0],
    )(text, rng)


def without_accents(text: str, rng: Random) -> str:
    """Letters as a keyboard without accents has them."""
    apart = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in apart if not "\u0300" <= letter <= "\u036f")


def curly_quotes(text: str, rng: Random) -> str:
    """Quotation marks and apostrophes as a word processor writes them."""
    return in_prose(
        "[\"']",
        lambda match, rng: (
            ("\u2018" if match[0] == "'" else "\u201c")
            if not text[: match.start()][-1:].strip("([")
            else ("\u2019" if match[0] == "'" else "\u201d")
        ),
    )(text, rng)


def quoted_html(text: str, rng: Random) -> str:
    """An answer below a harmless quotation."""
    return f"<blockquote>{harmless(120, rng)}</blockquote>\n{text}"


def quoted_lines(text: str, rng: Random) -> str:
    """The same, quoted as in mail."""
    return "".join(f"> {line}\n" for line in harmless(120, rng).split("\n")) + text
