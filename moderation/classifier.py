"""Margins → scores and the words behind them, for one comment or a batch. NumPy only.

Abuse is two heads, toxicity (rude to people) and hate (against groups), joined by noisy-or (Pearl
1988).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.features import Features, extract
from moderation.folding import fold_traced
from moderation.language import UNDETERMINED, detect
from moderation.second_opinion import CHARACTERS, SecondOpinion
from moderation.text import BODY, READ_CHARACTERS, Reading, read
from moderation.verdict import Comment, Language, Span
from moderation.weights import HEADS, Weights

FINE_LABELS = HEADS[3:]
ABUSE = ("toxicity", "hate")
VERDICT_HEADS = ("spam", "abuse")
JUDGING_HEADS = ("spam", *ABUSE)
"""The heads that the two scores of a verdict are made of."""

F32 = npt.NDArray[np.float32]
_SCORES = (*VERDICT_HEADS, *FINE_LABELS)
_CHARACTERS_AT_ONCE = 25_000
_SOURCE = re.compile(r"&#?\w{1,32};?|.[^\x00-\x7f]*", re.DOTALL)
"""What one folded character may have been written as: an entity, or a letter and its marks."""
KANA_AND_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff"
"""They stand without blanks: there each is shown by itself, or with neighbours."""
_WORD = re.compile(rf"[{KANA_AND_IDEOGRAPHS}]|[^\s{KANA_AND_IDEOGRAPHS}]+")
_FARTHEST = 300.0
"""Log-odds beyond which nothing changes, and whose exponentials can be multiplied."""
_SPANS = 6
_SPAN_SHARE = 0.04
"""A span that carries less than this share of what speaks for a hold isn't worth showing."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the model reads in one comment: calibrated probabilities by head, and which of spam
    and abuse it was trained to judge in this language. `second_opinion`: whether it was asked."""

    scores: dict[str, float]
    language: Language
    judged: frozenset[str]
    second_opinion: bool = False


class Classifier:
    """One loaded model. Immutable and safe to share between threads."""

    def __init__(
        self,
        version: str,
        manifest: Mapping[str, Any],
        arrays: Mapping[str, npt.NDArray[Any]],
        second: SecondOpinion | None = None,
    ) -> None:
        """`arrays`: `weights` int8 (buckets, heads), `scale` and `bias` float32 (heads,)."""
        self.version = version
        self.manifest = manifest
        self.second = second
        self.weights = Weights(arrays)
        calibration = manifest["calibration"]
        self._slope = np.array([calibration[head][0] for head in HEADS])
        self._offset = np.array([calibration[head][1] for head in HEADS])
        self._against = [*zip((-self._slope).tolist(), (-self._offset).tolist(), strict=True)]
        slope, offset = calibration["abuse"]
        self._abuse = -slope, -offset
        self._languages = {head: frozenset(manifest["languages"][head]) for head in VERDICT_HEADS}
        self._trained_for = cache(self._judged)
        self._threshold = lru_cache(256)(self._interpolated)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: the arrays themselves, wherever they were mapped from."""
        names = ("weights", "scale", "bias")
        arrays = {n: np.array(a) for n, a in zip(names, self.weights.arrays(), strict=True)}
        return Classifier, (self.version, self.manifest, arrays, self.second)

    def assess(self, comments: Sequence[Comment]) -> list[Assessment]:
        """Scores and language of each comment; the same for one as for many."""
        second = self.second
        return [
            self._reconsidered(second, reading, assessment) if second else assessment
            for batch in _batches(map(read, comments))
            for reading, assessment in zip(
                batch, map(self._assessment, batch, self._scores(batch)), strict=True
            )
        ]

    def scores(self, readings: Sequence[Reading]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities, shape (readings, spam + abuse + fine labels)."""
        return np.array(self._scores(readings)).reshape(-1, len(_SCORES))

    def _scores(self, readings: Sequence[Reading]) -> list[list[float]]:
        # by hand: NumPy takes longer to begin each step than all of them take for one comment
        return [*map(self._calibrated, self.weights.margins(extract(readings)).tolist())]

    def _calibrated(self, margins: Sequence[float]) -> list[float]:
        against = [
            slope * margin + offset
            for margin, (slope, offset) in zip(margins, self._against, strict=True)
        ]
        if max(against) > _FARTHEST or min(against) < -_FARTHEST:
            # one letter typed 65,536 times would be infinity
            against = [min(max(each, -_FARTHEST), _FARTHEST) for each in against]
        spam, toxicity, hate, *fine = map(math.exp, against)
        either = math.log(toxicity + hate + 1) - against[1] - against[2]
        slope, offset = self._abuse
        odds = (spam, math.exp(either * slope + offset), *fine)
        return [int(1e6 / (1 + each) + 0.5) / 1e6 for each in odds]

    def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
        """The words of the content that speak most for a head, heaviest first."""
        reading = read(comment)
        features = extract([reading])
        column = self._column(head, features)
        carried = self.weights.carried(features, column) * self._slope[column]
        # the blanks that frame a segment are no characters of the text
        weights = carried[1:-1]
        content = comment.content[:READ_CHARACTERS]
        folded, origin = fold_traced(content)
        return _spans(content, folded, origin, weights)

    def threshold(self, head: str, promise: float) -> float:
        """The score from which on a comment is held, so that at most a share `promise` of honest
        comments is held for it (as measured on corpora that training did not see)."""
        return self._threshold(head, promise)

    def _interpolated(self, head: str, promise: float) -> float:
        return threshold_of(self.manifest["thresholds"][head], promise)

    def _column(self, head: str, features: Features) -> int:
        if head != "abuse":
            return HEADS.index(head)
        margins = self.weights.margins(features)[0] * self._slope + self._offset
        return max((HEADS.index(name) for name in ABUSE), key=margins.__getitem__)

    def _assessment(self, reading: Reading, scores: Sequence[float]) -> Assessment:
        language, judged = self._trained_for(detect(reading.segments[BODY]))
        return Assessment(dict(zip(_SCORES, scores, strict=True)), language, judged)

    def _reconsidered(
        self, second: SecondOpinion, reading: Reading, first: Assessment
    ) -> Assessment:
        """With the second opinion on the heads that the linear model is uncertain of."""
        if first.language.code not in second.languages:
            return first
        near = [head for head in VERDICT_HEADS if second.is_near(head, first.scores)]
        if not near:
            return first
        decisive = {head: self.decisive(reading, head) for head in near}
        said = {text: second.log_odds(text) for text in {*decisive.values()}}
        scores = {
            head: second.together(head, first.scores[head], said[text])
            for head, text in decisive.items()
        }
        return replace(first, scores=first.scores | scores, second_opinion=True)

    def decisive(self, reading: Reading, head: str) -> str:
        """The body of a comment; of a long one, the stretch that stands for it."""
        body = reading.segments[BODY]
        if len(body) <= CHARACTERS:
            return body
        features = extract([reading])
        start, stop = self.weights.decisive(features, self._column(head, features))
        return f" {body}"[start:stop]

    def _judged(self, code: str) -> tuple[Language, frozenset[str]]:
        judged = frozenset(
            head for head in VERDICT_HEADS if code == UNDETERMINED or code in self._languages[head]
        )
        return Language(code, len(judged) == len(VERDICT_HEADS)), judged


def threshold_of(table: Sequence[Sequence[float]], promise: float) -> float:
    """The score of a promise, between those of a manifest's pairs of promise and score."""
    promises, scores = zip(*table, strict=True)
    return float(np.interp(np.log(promise), np.log(promises), scores))


def _batches(readings: Iterable[Reading]) -> Iterator[list[Reading]]:
    """So many at once that what is worked on stays in the processor's cache."""
    batch: list[Reading] = []
    characters = 0
    for reading in readings:
        batch.append(reading)
        characters += len(reading.segments[BODY])
        if characters >= _CHARACTERS_AT_ONCE:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _spans(
    content: str, folded: str, origin: Sequence[int], weights: npt.NDArray[np.float64]
) -> tuple[Span, ...]:
    words = _words(folded)
    carried = [float(weights[start:stop].sum()) for start, stop in words]
    worth = _SPAN_SHARE * sum(weight for weight in carried if weight > 0)
    # neighbours that both speak for the hold are one phrase
    phrases: list[tuple[int, int, float]] = []
    previous = False
    for (start, stop), weight in zip(words, carried, strict=True):
        if weight > worth:
            begin, sofar = (phrases.pop()[0::2]) if previous else (start, 0.0)
            phrases.append((int(begin), stop, sofar + weight))
        previous = weight > worth
    heaviest = sorted(phrases, key=lambda phrase: -phrase[2])[:_SPANS]
    places = [(origin[start], _end(content, origin, stop)) for start, stop, _ in heaviest]
    return tuple(
        Span(start, end, content[start:end], round(weight, 3))
        for (start, end), (_, _, weight) in zip(places, heaviest, strict=True)
    )


def _end(content: str, origin: Sequence[int], stop: int) -> int:
    """Where the source of the folded character before `stop` ends; tags behind it don't count."""
    begin = origin[stop - 1]
    source = _SOURCE.match(content, begin, max(origin[stop], begin + 1))
    return source.end() if source else begin + 1


def _words(folded: str) -> list[tuple[int, int]]:
    return [word.span() for word in _WORD.finditer(folded)]
