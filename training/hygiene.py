"""Label hygiene before fitting: copies out, contradictions out, doubts listed."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moderation.classifier import JUDGING_HEADS
from training.corpora import Lesson
from training.dataset import Row, key

HELD_OUT = 10
"""One row in so many never trains any model, so that two models can be compared on it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that was left out of training, or whose label looks wrong. Holds no text."""

    row: Row
    problem: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows to train on, rows held out, and what was left out. Lessons stand beside their rows."""

    rows: list[Row]
    lessons: list[Lesson]
    held_out: list[Row]
    held_out_lessons: list[Lesson]
    doubts: list[Doubt]

    def pairs(self, *, held_out: bool = False) -> list[tuple[Row, Lesson]]:
        """Rows to train on, or those held out, each with its lesson."""
        if held_out:
            return list(zip(self.held_out, self.held_out_lessons, strict=True))
        return list(zip(self.rows, self.lessons, strict=True))


def sort(rows: Sequence[Row], lessons: Sequence[Lesson], *, hold_out: bool = True) -> Sorted:
    """Leaves out near-copies (the same letters: links, digits and signs may differ) but the first,
    and all of those that contradict each other on a head."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        groups[key(row.text)].append(i)
    found = Sorted([], [], [], [], [])
    for name, members in groups.items():
        first = members[0]
        if len(members) > 1 and _contradict([lessons[i] for i in members]):
            others = ", ".join(
                f"{rows[i].corpus}:{rows[i].place}={rows[i].label}" for i in members[:5]
            )
            found.doubts.extend(
                [Doubt(rows[i], "copies with another label, left out", others) for i in members]
            )
            continue
        first_at = f"{rows[first].corpus}:{rows[first].place}"
        found.doubts.extend([Doubt(rows[i], "near-copy, left out", first_at) for i in members[1:]])
        out = hold_out and is_held_out(name)
        (found.held_out if out else found.rows).append(rows[first])
        (found.held_out_lessons if out else found.lessons).append(lessons[first])
    return found


def is_held_out(name: str) -> bool:
    """Whether a row with this key is kept from all training. It depends on the text alone."""
    return int(name[:8], 16) % HELD_OUT == 0


def _contradict(lessons: Sequence[Lesson]) -> bool:
    heads = {head for lesson in lessons for head in lesson.targets}
    return any(
        len({lesson.targets[head] for lesson in lessons if head in lesson.targets}) > 1
        for head in heads.intersection(JUDGING_HEADS)
    )


def as_csv(doubts: Iterable[Doubt]) -> str:
    """The report: where each row stands and what is odd about it, without its text."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("corpus", "row", "label", "problem", "detail"))
    for doubt in doubts:
        lines.writerow(
            (doubt.row.corpus, doubt.row.place, doubt.row.label, doubt.problem, doubt.detail)
        )
    return out.getvalue()
