"""The texts for authors: whole in every language, and none tells a spammer what to change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest

from moderation.function_words import OTHERS
from moderation.language import detect
from moderation.verdict import REASON_CODES
from moderation.wordings import languages, wordings

TRANSLATED = sorted(languages() - {"en"})
# Of a rule of the game: digits, scores, limits, hidden fields, seconds, lists of words.
TELLING = re.compile(
    r"\d|score|threshold|hidden|field|second|honeypot|bot\b|block|list\b"
    r"|schwell|versteckt|\bfeld|sekund|sperr|\bliste\b|punktzahl"
    r"|seuil|cach[ée]|champ\b|interdit"
    r"|umbral|ocult|campo|segundo|bloque|\blista\b|limiar|escondid|soglia|nascost|bloccat",
    re.IGNORECASE,
)


def texts(of: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, str]]:
    """Each text with its name."""
    for name, value in of.items():
        if isinstance(value, Mapping):
            yield from texts(value, f"{under}{name}.")
        elif isinstance(value, str):
            yield under + name, value
        else:
            yield from ((f"{under}{name}.{place}", text) for place, text in enumerate(value))


def placeholders(language: str) -> dict[str, set[str]]:
    return {
        name: {field for _, field, _, _ in Formatter().parse(text) if field is not None}
        for name, text in texts(wordings(language).texts)
    }


def test_there_are_the_languages_that_the_guide_names() -> None:
    assert languages() == {"en", "de", "fr", "es", "pt", "it"}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_language_has_every_text_with_the_same_placeholders(language: str) -> None:
    assert placeholders(language) == placeholders("en")


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_reason_has_its_texts(language: str) -> None:
    said = wordings(language).texts
    assert set(said["reason"]) == set(REASON_CODES)
    assert set(said["rule"]) == {*REASON_CODES, "unlabelled"}
    for name, text in texts(said):
        assert text.strip() == text and text, name
        sentence = name.startswith(("message", "reason", "found", "restriction", "facts"))
        assert not sentence or text.endswith((".", "}")), name


@pytest.mark.parametrize("language", sorted(languages()))
def test_no_text_gives_a_rule_of_the_game_away(language: str) -> None:
    said = wordings(language).texts
    for name, text in texts({part: said[part] for part in ("reason", "rule", "found")}):
        assert not TELLING.search(text), name


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_file_is_in_its_language(language: str) -> None:
    assert language in OTHERS
    said = wordings(language).texts
    for part in ("message", "reason", "rule", "found", "restriction", "automated", "objection"):
        whole = " ".join(text for _, text in texts({part: said[part]}))
        assert detect(whole.casefold()) == language, part


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_day_is_named(language: str) -> None:
    said = wordings(language)
    days = {said.when(datetime(2026, month, 2, 7, 5, tzinfo=UTC)) for month in range(1, 13)}
    assert len(days) == 12
    assert all("2026" in day and "07:05" in day and "UTC" in day for day in days)
