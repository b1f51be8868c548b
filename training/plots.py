"""The plots of a model's card and of an evaluation."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from moderation.classifier import VERDICT_HEADS
from training.validation import OutOfFold

F64 = npt.NDArray[np.float64]


def plots(found: OutOfFold, scores: Mapping[str, F64]) -> dict[str, bytes]:
    """ROC, precision and recall, calibration, and scores by label, as PNG files by name."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only needed here
    from sklearn.metrics import precision_recall_curve, roc_curve  # noqa: PLC0415

    targets = found.verdict_targets()
    figure = Figure(figsize=(11, 8), layout="constrained")
    (roc, precision), (calibration, spread) = figure.subplots(2, 2)
    for head in VERDICT_HEADS:
        known = ~np.isnan(targets[head])
        y, s = targets[head][known], scores[head][known]
        if len(set(y)) < 2:
            continue
        false, true, _ = roc_curve(y, s)
        roc.plot(false, true, label=head)
        p, r, _ = precision_recall_curve(y, s)
        precision.plot(r, p, label=head)
        place = np.minimum((s * 10).astype(int), 9)
        used = [b for b in range(10) if (place == b).any()]
        calibration.plot(
            [s[place == b].mean() for b in used],
            [y[place == b].mean() for b in used],
            "o-",
            label=head,
        )
        for kind, own in (("honest", s[y == 0]), ("bad", s[y == 1])):
            spread.hist(
                own, bins=40, range=(0, 1), histtype="step", density=True, label=f"{head}: {kind}"
            )
    calibration.plot([0, 1], [0, 1], ":", color="grey")
    for axes, title, x, y_label in (
        (roc, "ROC", "false-positive rate", "recall"),
        (precision, "Precision and recall", "recall", "precision"),
        (calibration, "Calibration", "score", "share of bad rows"),
        (spread, "Scores", "score", "density"),
    ):
        axes.set(title=title, xlabel=x, ylabel=y_label)
        axes.legend(frameon=False)
    roc.set_xscale("symlog", linthresh=0.01)
    spread.set_yscale("log")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=80, metadata={"Software": None})
    return {"validation.png": out.getvalue()}
