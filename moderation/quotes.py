"""How a text is quoted in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.verdict import Span

_QUOTED = 3
_QUOTE_LENGTH = 60
_MARKS = '"{text}"'


def quote(text: str, marks: str = _MARKS) -> str:
    """The text in quotation marks, on one line and cut short."""
    words = " ".join(text.split())
    cut = words if len(words) <= _QUOTE_LENGTH else words[: _QUOTE_LENGTH - 1] + "…"
    return marks.format(text=cut)


def heaviest(spans: Sequence[Span], marks: str = _MARKS) -> str:
    """The spans that added most to a score, as `"a", "b"`; empty where none added anything."""
    sorted_ = sorted((span for span in spans if span.weight > 0), key=lambda span: -span.weight)
    quotes = dict.fromkeys(quote(span.text, marks) for span in sorted_)
    return ", ".join(list(quotes)[:_QUOTED])
