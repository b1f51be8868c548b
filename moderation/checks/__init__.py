"""The ordered list of checks. Reasons of a verdict stand in this order."""

from __future__ import annotations

from moderation.checks import (
    blocklist,
    classifier,
    duplicate,
    flood,
    honeypot,
    html,
    language,
    links,
    too_fast,
)
from moderation.checks.case import Check, Model
from moderation.checks.trust import unless_trusted, unless_trusted_words


def build(model: Model) -> tuple[Check, ...]:
    """All checks, with the model that two of them rest on."""
    return (
        # The text itself: what the model reads in it, and whether it can read it.
        unless_trusted_words(classifier.judge(model)),
        language.judge,
        # The site's own rules: what it never wants to see unseen.
        blocklist.judge,
        html.judge,
        unless_trusted(links.judge),
        # Where it came from: signals of the form, and what the same hand sent before.
        honeypot.judge,
        unless_trusted(too_fast.judge),
        unless_trusted(duplicate.judge),
        unless_trusted(flood.judge),
    )
