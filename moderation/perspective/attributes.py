"""Perspective's attributes, and how each follows from the scores of our model.

A score is a probability: of 10 comments with 0.80, readers would call 8 so. Thresholds that were
tuned for Perspective keep their meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from moderation.faces import Report

Scores = Mapping[str, float]

SOURCE = "perspective"
_WORST = ("threat", "identity_attack")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One that we can score. `needs` are heads of our model; `language_of` is the one that tells
    in which languages it was trained."""

    score: Callable[[Scores], float]
    needs: tuple[str, ...]
    language_of: str = "abuse"


def _head(name: str, language_of: str = "abuse") -> Attribute:
    return Attribute(lambda scores: scores[name], (name,), language_of)


def severe(scores: Scores) -> float:
    """An attack that is worse than rude: one that threatens, that is against what people are, or
    that insults in foul words. Never above TOXICITY."""
    foul = scores["insult"] * scores["profanity"]
    return scores["abuse"] * max(foul, *(scores[name] for name in _WORST))


_PRODUCTION = {
    "TOXICITY": _head("abuse"),
    "SEVERE_TOXICITY": Attribute(severe, ("abuse", "insult", "profanity", *_WORST)),
    "IDENTITY_ATTACK": _head("identity_attack"),
    "INSULT": _head("insult"),
    "PROFANITY": _head("profanity"),
    "THREAT": _head("threat"),
}
ATTRIBUTES: dict[str, Attribute] = {
    **_PRODUCTION,
    **{f"{name}_EXPERIMENTAL": attribute for name, attribute in _PRODUCTION.items()},
    "SEXUALLY_EXPLICIT": _head("sexual"),
    "SPAM": _head("spam", "spam"),
}
NOT_SCORED = frozenset(
    "AFFINITY_EXPERIMENTAL ATTACK_ON_AUTHOR ATTACK_ON_COMMENTER COMPASSION_EXPERIMENTAL "
    "CURIOSITY_EXPERIMENTAL FLIRTATION INCOHERENT INFLAMMATORY LIKELY_TO_REJECT "
    "NUANCE_EXPERIMENTAL OBSCENE PERSONAL_STORY_EXPERIMENTAL REASONING_EXPERIMENTAL "
    "RESPECT_EXPERIMENTAL UNSUBSTANTIAL".split()
)
"""Perspective had these too. Our model was not trained for them, so analyze refuses them; feedback
may name them."""

# What a suggested score of such an attribute says of the comment as a whole.
_ATTACKS = {*ATTRIBUTES, "ATTACK_ON_AUTHOR", "ATTACK_ON_COMMENTER"} - {"SPAM"}
_WHOLE = {"TOXICITY", "SEVERE_TOXICITY", "SPAM", "LIKELY_TO_REJECT"}
_YES = 0.5


def report_of(suggested: Scores) -> Report | None:
    """What a moderator means by suggested scores; None where it does not decide over a comment: a
    low INSULT says only that it is no insult."""
    high = {name for name, value in suggested.items() if value >= _YES}
    if "SPAM" in high:
        return Report("reject", "spam", SOURCE)
    if high & _ATTACKS:
        return Report("reject", "abuse", SOURCE)
    if "LIKELY_TO_REJECT" in high:
        return Report("reject", None, SOURCE)
    low = {name.removesuffix("_EXPERIMENTAL") for name in set(suggested) - high}
    return Report("publish", "ok", SOURCE) if low & _WHOLE else None
