"""What the tests of the faces of other protocols share: a model with all heads, and its app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Flask

from moderation.app import create_app
from moderation.classifier import Assessment
from moderation.verdict import Comment, Language, Span
from tests.serving import configured

WORDS = {
    "spam": ("pills", "casino"),
    "abuse": ("idiot", "die"),
    "insult": ("idiot",),
    "threat": ("die",),
    "identity_attack": (),
    "profanity": ("damn",),
    "sexual": (),
}
HAM = "Thanks, the part about index locks saved my afternoon."
SPAM = "Buy cheap pills in our casino, best price of all!"
ABUSE = "Nobody wants to hear you, you idiot, just stop it."
FOREIGN = "Спасибо, очень хорошая статья, жду продолжения."


class Heads:
    """Knows some words of each head, in English."""

    version = "heads-1"
    manifest: Mapping[str, Any] = {
        "version": "heads-1",
        "languages": {"spam": ["en", "ru"], "abuse": ["en"]},
    }

    def assess(self, comments: Sequence[Comment]) -> list[Assessment]:
        return [self._assess(comment.content) for comment in comments]

    def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
        return ()

    def threshold(self, head: str, promise: float) -> float:
        return 0.9

    def _assess(self, content: str) -> Assessment:
        scores = {
            head: 0.99 if any(word in content for word in words) else 0.01
            for head, words in WORDS.items()
        }
        if any("а" <= letter <= "я" for letter in content):
            return Assessment(scores, Language("ru", evaluated=False), frozenset({"spam"}))
        return Assessment(scores, Language("en"), frozenset({"spam", "abuse"}))


class OneModel:
    """A shelf with just that model, or with one that fails."""

    def __init__(self, model: Any = None) -> None:
        self.model = model or Heads()

    def versions(self) -> Sequence[str]:
        return [self.model.version]

    def active(self) -> Any:
        return self.model

    def manifest(self, version: str) -> Mapping[str, Any]:
        manifest: Mapping[str, Any] = self.model.manifest
        return manifest

    def activate(self, version: str) -> None:
        raise NotImplementedError

    def rollback(self) -> None:
        raise NotImplementedError


def faces_app(folder: Path, model: Any = None, **given: object) -> Flask:
    """The app with that model."""
    return create_app(configured(folder, **given), shelf=OneModel(model))


def store_of(app: Flask) -> Any:
    """Its database."""
    return app.extensions["moderation"].store


def key_for(app: Flask, role: str = "submit", site: str = "default") -> str:
    """A new key; from then on the service is closed."""
    key: str = store_of(app).keys.create(site, role)
    app.extensions["moderation"].gatekeeper._asked = float("-inf")
    return key


def recorded(app: Flask, site: str = "default") -> list[Any]:
    """All that is recorded of a site, newest first."""
    return list(store_of(app).queue(site).comments)
