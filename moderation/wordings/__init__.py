"""What the author of a comment is told, a file a language; en.toml says what a translator minds."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from moderation.quotes import quote

ENGLISH = "en"
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Wordings:
    """All that is said in one language."""

    language: str
    texts: Mapping[str, Any]

    def say(self, section: str, name: str, **filled: str) -> str:
        """A text with its placeholders filled in."""
        return str(self.texts[section][name]).format(**filled)

    def quote(self, text: str) -> str:
        """The text in this language's quotation marks, on one line and cut short."""
        return quote(text, self.texts["quoted"])

    def when(self, moment: datetime) -> str:
        """A moment in UTC."""
        month = self.texts["months"][moment.month - 1]
        parts = {"day": moment.day, "month": month, "year": moment.year, "time": f"{moment:%H:%M}"}
        return str(self.texts["when"]).format(**parts)


@cache
def wordings(language: str) -> Wordings:
    """Those of one of the languages."""
    texts = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return Wordings(language, texts)


@cache
def languages() -> frozenset[str]:
    """The tags of those that there are."""
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


def lookup(accepted: Iterable[str], detected: str) -> str:
    """The first accepted language that there is, the best of them first ("de-AT" finds "de": RFC
    4647, 3.4); else the one that the comment is in; else English."""
    for wanted in accepted:
        tag = wanted.lower().replace("_", "-")
        while tag and tag not in languages():
            tag = tag.rpartition("-")[0]
        if tag:
            return tag
    return detected if detected in languages() else ENGLISH
