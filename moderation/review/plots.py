"""Bar charts as SVG that grows with the page: places across are shares of its width, so that the
letters keep their size. Colours are the style sheet's, so they suit light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 200
_TOP, _BOTTOM = 12, 26  # room for the highest tick's number, and for what stands below
_LEFT = 7.0  # per cent of the width, for the numbers of the axis


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a group: what it is, how high, and the sentence about it."""

    kind: str
    value: float
    title: str


@dataclass(frozen=True, slots=True)
class Rect:
    """A bar's place: x and width in per cent, y and height in pixels."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """What stands under a group."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What to draw."""

    rects: tuple[Rect, ...]
    ticks: tuple[Tick, ...]
    names: tuple[Name, ...]
    height: int = HEIGHT
    left: float = _LEFT


def bars(
    groups: Sequence[tuple[str, Sequence[Bar]]],
    *,
    stacked: bool,
    names: int = 8,
    percent: bool = False,
) -> Plot:
    """A chart of groups of bars, on top of each other or side by side. About `names` of the groups
    are named below, so that names do not touch."""
    heights = [_height([bar.value for bar in group], stacked) for _, group in groups]
    step = max(_step(max(heights, default=0)), 0 if percent else 1)
    count = max(1, -(-max(heights, default=0) // step))
    top = step * count
    per_unit = (HEIGHT - _TOP - _BOTTOM) / top
    base = HEIGHT - _BOTTOM
    each = (100 - _LEFT) / max(1, len(groups))
    rects: list[Rect] = []
    for place, (_, group) in enumerate(groups):
        left, below = _LEFT + place * each + each * 0.1, 0.0
        width = each * 0.8 / (1 if stacked else max(1, len(group)))
        for number, bar in enumerate(group):
            high = bar.value * per_unit
            y = base - high - below
            x = left if stacked else left + number * width
            rects.append(
                Rect(round(x, 3), round(y, 2), round(width, 3), round(high, 2), bar.kind, bar.title)
            )
            below += high if stacked else 0
    every = -(-len(groups) // names) if groups else 1
    return Plot(
        tuple(rects),
        tuple(
            Tick(round(base - number * step * per_unit, 2), _number(number * step, percent))
            for number in range(int(count) + 1)
        ),
        tuple(
            Name(round(_LEFT + (place + 0.5) * each, 3), name)
            for place, (name, _) in enumerate(groups)
            if place % every == 0
        ),
    )


def _height(values: Sequence[float], stacked: bool) -> float:
    return sum(values) if stacked else max(values, default=0)


def _step(highest: float) -> float:
    """A round number of which some five make the axis."""
    step = 1e-3
    while True:
        for factor in (1, 2, 5):
            if step * factor * 5 >= highest:
                return round(step * factor, 6)
        step *= 10


def _number(value: float, percent: bool) -> str:
    return f"{value * 100:g} %" if percent else f"{value:g}"
