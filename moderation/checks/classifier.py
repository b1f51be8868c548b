"""spam, abuse: what the model reads in the text. One check among others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from moderation.checks.case import Case, Check, Model
from moderation.classifier import Assessment
from moderation.quotes import heaviest
from moderation.verdict import Finding, Span

_READS_LIKE = {"spam": "Reads like advertising", "abuse": "Reads like an attack"}


def judge(model: Model) -> Check:
    """The check of this model. A score holds from the threshold that keeps the site's promise.

    A text in a language the model was not trained on gets scores, but they hold nothing.
    """

    def check(cases: Sequence[Case]) -> Sequence[Sequence[Finding]]:
        if not cases:
            return []
        promise = cases[0].policy.promise
        thresholds = {head: model.threshold(head, promise) for head in _READS_LIKE}
        return [
            [*_findings(model, case, case.assessment, thresholds)] if case.assessment else ()
            for case in cases
        ]

    return check


def _findings(
    model: Model, case: Case, assessment: Assessment, thresholds: Mapping[str, float]
) -> Iterator[Finding]:
    for head, threshold in thresholds.items():
        score = assessment.scores[head]
        if score < threshold or head not in assessment.judged:
            yield Finding(head, score=score, holds=False)
        else:
            spans = model.explain(case.comment, head)
            yield Finding(head, _message(head, spans), score, spans)


def _message(head: str, spans: Sequence[Span]) -> str:
    quoted = heaviest(spans)
    return f"{_READS_LIKE[head]}: {quoted}." if quoted else f"{_READS_LIKE[head]}."
