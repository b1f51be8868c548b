"""The report of `moderation evaluate`: one HTML file that needs nothing else to be read."""

from __future__ import annotations

import base64
import html as markup
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from markdown_it import MarkdownIt

from training.corpora import Lesson
from training.dataset import Row
from training.plots import plots
from training.validation import OutOfFold


def html(
    text: str, scores: Mapping[str, npt.NDArray[np.float64]], lessons: Sequence[Lesson]
) -> str:
    """The figures (Markdown) and the plots of these rows, as a page."""
    nobody = Row("", "ok", frozenset(), "", "", "", 1.0, "", 0, 0)
    rows = OutOfFold(
        (nobody,) * len(lessons),
        tuple(lessons),
        np.empty((len(lessons), 0)),
        np.zeros(len(lessons), int),
        {},
    )
    pictures = "".join(
        f'<img alt="{markup.escape(Path(name).stem)}" src="data:image/png;base64,'
        f'{base64.b64encode(data).decode()}">'
        for name, data in plots(rows, scores).items()
    )
    body = MarkdownIt("commonmark").enable("table").render(text)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Evaluation</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}"
        "td,th{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ccc}"
        f"table{{border-collapse:collapse}}img{{max-width:100%}}</style>{body}{pictures}</html>\n"
    )
