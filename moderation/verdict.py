"""The vocabulary: what every file here speaks of, and nothing else. Imports nothing of ours.

A *comment* is what a reader submitted. A *check* looks at it and gives *findings*. The moderator
merges them into a *verdict*, whose decision is `publish` or `hold`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Decision = Literal["publish", "hold"]

# The closed list of reasons why a comment is held; the README documents each.
REASON_CODES: dict[str, str] = {
    "spam": "The text reads like advertising or a scam.",
    "abuse": "The text reads like an attack on a person or a group.",
    "html": "The HTML breaks a rule of this site, or nothing of the comment would show.",
    "links": "More links than this site allows.",
    "off_topic": "A link under an article that the text has no word in common with.",
    "blocklist": "A word, name, address or link that this site has blocked.",
    "duplicate": "The same text was submitted before.",
    "flood": "One author sent too many comments in a short time.",
    "honeypot": "A form field that people cannot see was filled in.",
    "too_fast": "The form was sent faster than a person can write.",
    "language": "The text is in a language that the model was not trained on.",
    "degraded": "A part of the service failed, so a person should decide.",
}


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote the comment, as far as the blog says. `trusted` lifts rate and link rules."""

    name: str = ""
    email: str = ""
    url: str = ""
    ip: str = ""
    user_agent: str = ""
    id: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Article:
    """What the comment stands under; `text` is plain text."""

    url: str = ""
    title: str = ""
    text: str = ""
    published_at: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Signals of the comment form: the hidden field, and the seconds from display to sending."""

    honeypot: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A reader's comment: `content` as typed, plain text with or without HTML."""

    content: str
    author: Author = Author()
    article: Article = Article()
    parent: str = ""
    form: Form = Form()
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` (inclusive) to `end` (exclusive) of the content as it was sent.

    `weight` is what these characters added to the log-odds of the finding's score.
    """

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says. Only a finding that `holds` becomes a reason of the verdict.

    `score` is a calibrated probability in [0, 1], or None for a plain fact.
    """

    code: str
    message: str = ""
    score: float | None = None
    spans: tuple[Span, ...] = ()
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of thing that the HTML policy did to the comment, and how often."""

    what: Literal["tag", "attribute", "url", "text"]
    name: str
    action: Literal["escaped", "removed", "closed", "added"]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Page:
    """A comment's content under a site's HTML policy."""

    html: str
    """Safe to insert into a page as it is."""
    links: tuple[str, ...] = ()
    """Distinct URLs that a reader would see or could click, kept or not, in order."""
    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()
    """Sentences on what the site wants a person to look at (tag not allowed, nesting too deep…)."""


@dataclass(frozen=True, slots=True)
class Language:
    """The language's ISO 639 code (`und` where the text does not tell), and whether the model
    was trained to judge it."""

    code: str = "und"
    evaluated: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the service answers."""

    decision: Decision
    reasons: tuple[Finding, ...]
    scores: dict[str, float]
    html: str
    changes: tuple[Change, ...] = ()
    language: Language = field(default_factory=Language)
    degraded: bool = False
    model: str = ""
    second_opinion: bool = False
    """Whether the second opinion had a word in the scores."""
