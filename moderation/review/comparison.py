"""Champion against challenger: which of the recorded comments would change verdict.

Both judge each comment as it stands alone, under its site's rules of today: what came before it
(duplicates, floods) is no affair of a model's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moderation.store.stored import Stored
from moderation.verdict import Verdict

Judge = Callable[[Sequence[Stored]], Sequence[Verdict]]

_RIGHT = {"publish": ("ok",), "hold": ("spam", "abuse")}


@dataclass(frozen=True, slots=True)
class Changed:
    """A comment, as the active model judges it, and as the other does."""

    stored: Stored
    before: Verdict
    after: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of `judged` comments those that change verdict; of the labelled ones, how many each model
    is right about."""

    judged: int
    freed: tuple[Changed, ...]
    """Held by the active model, published by the other."""
    caught: tuple[Changed, ...]
    """Published by the active model, held by the other."""
    labelled: int
    right_before: int
    right_after: int


def compare(comments: Sequence[Stored], champion: Judge, challenger: Judge) -> Comparison:
    """Judge them all by both."""
    judged = zip(comments, champion(comments), challenger(comments), strict=True)
    both = [Changed(*one) for one in judged]
    changed = [one for one in both if one.before.decision != one.after.decision]
    told = [one for one in both if one.stored.label]
    return Comparison(
        judged=len(both),
        freed=tuple(one for one in changed if one.after.decision == "publish"),
        caught=tuple(one for one in changed if one.after.decision == "hold"),
        labelled=len(told),
        right_before=sum(one.stored.label in _RIGHT[one.before.decision] for one in told),
        right_after=sum(one.stored.label in _RIGHT[one.after.decision] for one in told),
    )
