"""Models made by hand, in memory and on disk, whose weights a test can foresee."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moderation import artefact
from moderation.artefact import Arrays
from moderation.classifier import VERDICT_HEADS, Classifier
from moderation.features import BITS, VOID
from moderation.verdict import Comment
from moderation.weights import HEADS

CANARY = "Cheap pills here"


def zeros(bias: float = 0.0) -> Arrays:
    """A model that has no opinion but its bias."""
    return {
        "weights": np.zeros((1 << BITS, len(HEADS)), np.int8),
        "scale": np.full(len(HEADS), 1 / 32, np.float32),
        "bias": np.full(len(HEADS), bias, np.float32),
    }


def noise(seed: int = 0) -> Arrays:
    """A model that has some opinion of everything."""
    draw = np.random.default_rng(seed)
    arrays = zeros()
    arrays["weights"] = draw.integers(-127, 128, arrays["weights"].shape, np.int8)
    arrays["weights"][VOID] = 0
    return arrays


def manifest(**changes: Any) -> dict[str, Any]:
    """What goes with such weights."""
    return {
        "calibration": {head: [1.0, 0.0] for head in (*HEADS, "abuse")},
        "thresholds": {head: [[0.0005, 0.99], [0.5, 0.5]] for head in VERDICT_HEADS},
        "languages": {"spam": ["en", "ru"], "abuse": ["en"]},
        "canaries": [],
        **changes,
    }


def classifier(arrays: Arrays, **changes: Any) -> Classifier:
    """The model in memory."""
    return Classifier("by-hand", manifest(**changes), arrays)


def installed(folder: Path, version: str, arrays: Arrays | None = None, **changes: Any) -> Path:
    """The model on disk, as training writes it, with the scores of one text to know it by."""
    arrays = zeros(-2.0) if arrays is None else arrays
    (assessed,) = classifier(arrays, **changes).assess([Comment(CANARY)])
    scores: Mapping[str, float] = {head: assessed.scores[head] for head in VERDICT_HEADS}
    canaries = [{"text": CANARY, **scores}]
    sealed = {**manifest(canaries=canaries), "created": "2026-01-01T00:00:00+00:00", **changes}
    return artefact.save(folder, version, arrays, sealed, f"# Model {version}\n", {})
