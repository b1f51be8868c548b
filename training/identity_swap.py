"""The same text on another group of people: rows for training that take the group out of the label.

Counterfactual augmentation after Garg et al., "Counterfactual Fairness in Text Classification
through Robustness" (2019): a label that holds for one group holds for another. English only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from training.identity import ALIASES, FORMS, TERMS, Form, Term, article


def swap(text: str, rng: Random) -> str | None:
    """The text with one of its groups replaced by another of the same kind, wherever it is named.

    Every mention keeps its grammatical form, its case and the right article. None where the text
    names no group, or none that can be replaced without breaking a sentence.
    """
    mentions = list(_mentions(text))
    present = {mention.term for mention in mentions}
    sources = [term for term in TERMS if term in present]
    for source in rng.sample(sources, len(sources)):
        own = [mention for mention in mentions if mention.term is source]
        others = [
            term
            for term in TERMS
            if term.kind == source.kind
            and term not in present
            and all(_spelling(term, mention) for mention in own)
        ]
        if others:
            return _replaced(text, own, rng.choice(others))
    return None


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    term: Term
    spelling: str
    forms: frozenset[Form]
    """What the word may be there: a replacement must be the same word in each of these forms."""


_PEOPLE = re.compile(
    r"(?:people|persons?|m[ae]n|wom[ae]n|guys?|girls?|boys?|lad(?:y|ies)|kids?|child(?:ren)?|folks?"
    r"|famil(?:y|ies)|communit(?:y|ies)|couples?|friends?|neighbou?rs?|students?|workers?|dudes?"
    r"|citizens?|colleagues?|parents?|mothers?|fathers?|teens?|teenagers?|immigrants?|refugees?)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"\b(an?|the)\s+$", re.IGNORECASE)
_SENTENCE_START = re.compile(r"(?:^|[.!?]\s+|\n\s*)[\"'\u201c\u2018(]?$")
_CONTEXT = 12


def _mentions(text: str) -> Iterator[_Mention]:
    for match in _pattern().finditer(text):
        start, end = match.span()
        term, spelling, forms = _spellings()[match[0].lower()]
        before = _BEFORE.search(text[max(0, start - _CONTEXT) : start])
        determiner = before[1].lower() if before else ""
        following = re.match(r"\s+([^\W\d_]+)", text[end : end + 2 * _CONTEXT])
        if following and _PEOPLE.match(following[1]) and "adjective" in forms:
            forms = frozenset[Form](("adjective",))
        elif spelling in term.loose:
            continue
        elif determiner in ("a", "an") and not following and "noun" in forms:
            forms = frozenset[Form](("noun",))
        elif determiner != "the":
            forms -= {"group"}
        yield _Mention(start, end, term, spelling, forms)


def _replaced(text: str, mentions: Sequence[_Mention], term: Term) -> str:
    done, written = 0, ""
    for mention in mentions:
        before = text[done : mention.start]
        old = text[mention.start : mention.end]
        new = _cased(_spelling(term, mention) or "", old, mention, text)
        found = _BEFORE.search(before)
        if found and found[1].lower() != "the":
            fitting = article(new)
            if found[1].isupper():
                fitting = fitting.upper() if old.isupper() else fitting.capitalize()
            elif found[1][0].isupper():
                fitting = fitting.capitalize()
            before = before[: found.start(1)] + fitting + before[found.end(1) :]
        written += before + new
        done = mention.end
    return written + text[done:]


def _cased(word: str, old: str, mention: _Mention, text: str) -> str:
    if old.isupper() and not mention.spelling.isupper():
        return word.upper()
    if old.islower() and not mention.spelling.islower():
        return word.lower()
    starts = _SENTENCE_START.search(text[max(0, mention.start - _CONTEXT) : mention.start])
    if old[0].isupper() and (mention.spelling[0].islower() or starts):
        return word[0].upper() + word[1:]
    return word


def _spelling(term: Term, mention: _Mention) -> str | None:
    """How this term is written there; None where its forms differ and the text needs one word."""
    spellings = {term.form(form) for form in mention.forms}
    return spellings.pop() if len(spellings) == 1 else None


@cache
def _spellings() -> dict[str, tuple[Term, str, frozenset[Form]]]:
    """From a word in lower case to its term, its usual case, and the forms that it can be."""
    found: dict[str, tuple[Term, str, frozenset[Form]]] = {}
    for term in TERMS:
        forms = {form: term.form(form) for form in FORMS}
        for spelling in forms.values():
            if spelling:
                same = frozenset(form for form in FORMS if forms[form] == spelling)
                found[spelling.lower()] = (term, spelling, same)
    return found | {alias: found[usual.lower()] for alias, usual in ALIASES.items()}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(map(re.escape, _spellings()), key=len, reverse=True)
    # no part of a longer word, of an address, or of a name such as @greek
    return re.compile(
        rf"(?<![\w@#/.-])(?:{'|'.join(longest_first)})(?![\w@/-]|\.\w)", re.IGNORECASE
    )
