"""A second opinion for the uncertain few: a small sentence encoder, on the same processor.

The linear model (classifier.py) judges every comment in well under a millisecond. Where its score
is near a threshold, or always if the site asks for that, multilingual-e5-small (Wang et al. 2024),
cut to eight layers and taught on the same kinds of rows, reads the words that were decisive, and
both log-odds are added up, with weights found on corpora that neither had seen (stacking, Wolpert
1992). The sum is brought to the linear model's scale, so that a score holds as many honest comments
as the same score of that. It reads one text at a time: in its eight-bit arithmetic the neighbours
of a batch would change a score.

Needs the extra `second-opinion`; without it the linear model judges alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np

from moderation.errors import SecondOpinionRefused

PACKAGES = ("onnxruntime", "tokenizers")
"""What it runs on."""
FORMAT = 2
FOLDER = "second-opinion"
"""Beside the shipped model."""
ENCODER, VOCABULARY, MANIFEST = "encoder.onnx", "tokenizer.json", "opinion.json"
OUTPUTS = ("spam", "toxicity", "hate")
"""The log-odds that the encoder gives, in this order."""
NEVER, UNCERTAIN, ALWAYS = "no", "uncertain", "always"
"""When it is asked."""
CHARACTERS, TOKENS = 480, 96
"""As much of a text as it reads, which takes some fifteen milliseconds."""

_ADDRESS = re.compile(r"(?:https?://|www\.)(?:www\.)?([^\s/<>\"')\]]{1,60})[^\s<>\"')\]]*")
_LEAST = 1e-6


class SecondOpinion:
    """One loaded encoder, and what it was found to add. Safe to share between threads."""

    def __init__(self, folder: Path, when: str = UNCERTAIN) -> None:
        """Raises SecondOpinionRefused where a file is missing or is not what the manifest says."""
        import onnxruntime  # noqa: PLC0415  # an extra
        import tokenizers  # noqa: PLC0415

        self._folder, self._when = folder, when
        self.manifest = _manifest(folder)
        try:
            self.name = str(self.manifest["name"])
            self.languages = frozenset(self.manifest["languages"])
            self._bands = {
                head: [(name, low, high) for name, (low, high) in bands.items()]
                for head, bands in self.manifest["bands"].items()
            }
            self._fusion = {head: [*map(float, w)] for head, w in self.manifest["fusion"].items()}
            self._scale: Mapping[str, Any] = self.manifest["scale"].get(when, {})
            self._tokens = tokenizers.Tokenizer.from_file(str(folder / VOCABULARY))
            self._tokens.enable_truncation(TOKENS)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self._encoder = onnxruntime.InferenceSession(
                str(folder / ENCODER), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each library has its own
            raise SecondOpinionRefused(f"{folder}: {type(error).__name__}: {error}") from error

    def __reduce__(self) -> tuple[type[SecondOpinion], tuple[Path, str]]:
        """Other machines of a cluster load their own."""
        return SecondOpinion, (self._folder, self._when)

    def fits(self, manifest: Mapping[str, Any]) -> bool:
        """Whether it was measured beside a linear model of these scores: the shipped one, or one
        that was taught on top of it."""
        beside = self.manifest["beside"]
        return all(beside[key] == manifest.get(key) for key in ("calibration", "thresholds"))

    def is_near(self, head: str, scores: Mapping[str, float]) -> bool:
        """Whether to ask about a head: always, or where the linear model is uncertain of it."""
        bands = self._bands[head]
        return self._when == ALWAYS or any(low <= scores[name] < high for name, low, high in bands)

    def together(self, head: str, score: float, said: Sequence[float]) -> float:
        """The probability by both: the linear model's `score`, and what the encoder said of the
        folded text that it rests on."""
        constant, slope, *weights = self._fusion[head]
        own = said[:1] if head == "spam" else said[1:]
        log_odds = constant + slope * _log_odds(score)
        log_odds += sum(w * z for w, z in zip(weights, own, strict=True))
        return round(1 / (1 + exp(-rescaled(log_odds, *self._scale[head]))), 6)

    def log_odds(self, text: str) -> list[float]:
        """What the encoder says of a folded text, in the order of OUTPUTS."""
        ids = np.array([self._tokens.encode(passage(text)).ids], np.int64)
        (answer,) = self._encoder.run(None, {"tokens": ids})
        said: list[float] = answer[0].tolist()
        return said


def passage(text: str) -> str:
    """What the encoder reads of a folded text: of addresses, the host says it all."""
    return _ADDRESS.sub(r" \1 ", text)[:CHARACTERS]


def rescaled(log_odds: float, bars: Sequence[float], scores: Sequence[float]) -> float:
    """The log-odds by both on the linear model's scale: each of the `bars`, which ascend, becomes
    the one of the `scores` that holds as many honest comments; beyond them nothing is bent."""
    beyond = log_odds - min(max(log_odds, bars[0]), bars[-1])
    return float(np.interp(log_odds, bars, scores)) + beyond


def beside(models: Path, when: str) -> SecondOpinion | None:
    """The second opinion in the folder of the shipped model; None where the extra or the files
    are not installed. Raises SecondOpinionRefused, also where it is always to be asked and the
    extra is missing."""
    if None in map(find_spec, PACKAGES):
        if when == ALWAYS:
            raise SecondOpinionRefused("it is always to be asked, but its extra is not installed")
        return None
    folder = models / FOLDER
    return SecondOpinion(folder, when) if folder.is_dir() else None


def _log_odds(score: float) -> float:
    bounded = min(max(score, _LEAST), 1 - _LEAST)
    return log(bounded / (1 - bounded))


def _manifest(folder: Path) -> dict[str, Any]:
    place = folder / MANIFEST
    try:
        manifest = json.loads(place.read_text(encoding="utf-8"))
        sealed: dict[str, str] = manifest["files"]
        if manifest["format"] != FORMAT:
            raise SecondOpinionRefused(f"{place} is of another format than {FORMAT}")
        for name in (ENCODER, VOCABULARY):
            with (folder / name).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != sealed[name]:
                    raise SecondOpinionRefused(f"{folder / name} was changed: another hash")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SecondOpinionRefused(f"{place} cannot be read ({error})") from error
    return dict(manifest)
