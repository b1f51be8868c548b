"""Google's Perspective API, v1alpha1: whoever used it gets our model's scores.

analyze keeps what it is sent, as Perspective does, unless `doNotStore` is true: then nothing of it
is written anywhere. suggestscore is a moderator's review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from moderation import faces
from moderation.classifier import Assessment
from moderation.endpoint import reply, service
from moderation.perspective.attributes import ATTRIBUTES, SOURCE, report_of
from moderation.perspective.discovery import document
from moderation.perspective.errors import handle_errors, invalid, unknown_language
from moderation.perspective.reader import Analysis, caller, read_analysis, read_suggestion
from moderation.perspective.spans import in_utf16, sentences

perspective = Blueprint("perspective", __name__)
handle_errors(perspective)

Span = tuple[int, int]


@perspective.get("/$discovery/rest")
def discovery() -> Response:
    """The API's description, from which Google's clients make their calls."""
    scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
    root = f"{'https' if scheme == 'https' else 'http'}://{request.host}{request.root_path}/"
    return reply(document(root))


@perspective.post("/v1alpha1/comments:analyze")
def analyze() -> Response:
    """Scores of a comment: of the whole, and of each sentence where that is asked for."""
    site = caller().site
    asked = read_analysis()
    text = asked.comment.content
    spans = sentences(text) if asked.spans else [(0, len(text))]
    parts = [replace(asked.comment, content=text[start:end]) for start, end in spans]
    whole, *pieces = service().assess([asked.comment, *(parts if asked.spans else ())])
    _check_attributes(asked, whole)
    if asked.store:
        faces.judge(site, asked.comment, SOURCE)
    scored = list(zip(_counted(text, spans), pieces or [whole], strict=True))
    detected = [whole.language.code]
    answer = {
        "attributeScores": {
            name: _scores(name, threshold, whole, scored)
            for name, threshold in asked.attributes.items()
            if ATTRIBUTES[name].score(whole.scores) >= threshold
        },
        "languages": [*asked.languages] or detected,
        "detectedLanguages": detected,
    }
    return reply(answer if asked.token is None else {**answer, "clientToken": asked.token})


@perspective.post("/v1alpha1/comments:suggestscore")
def suggestscore() -> Response:
    """A moderator's word on a comment, in scores. The last one counts."""
    who = caller()
    said = read_suggestion()
    if said.keeps and (report := report_of(said.scores)):
        faces.learn(who, said.comment, report)
    (found,) = service().assess([said.comment])
    answer = {
        "detectedLanguages": [found.language.code],
        "requestedLanguages": [*said.languages],
    }
    return reply(answer if said.token is None else {**answer, "clientToken": said.token})


def _check_attributes(asked: Analysis, found: Assessment) -> None:
    """Refuse what the model has no score for, or no training in the language. A client that names
    a language knows better than the detector."""
    named = [language.partition("-")[0].lower() for language in asked.languages]
    for name in asked.attributes:
        attribute = ATTRIBUTES[name]
        if not found.scores.keys() >= {*attribute.needs}:
            raise invalid(f"Unknown requested attribute: {name}")
        if named and not service().reads(attribute.language_of).intersection(named):
            raise unknown_language(name, named, requested=True)
        if not named and attribute.language_of not in found.judged:
            raise unknown_language(name, [found.language.code], requested=False)


def _scores(
    name: str, threshold: float, whole: Assessment, scored: Sequence[tuple[Span, Assessment]]
) -> dict[str, Any]:
    score = ATTRIBUTES[name].score
    spans = [
        {"begin": begin, "end": end, "score": _score(value)}
        for (begin, end), part in scored
        if (value := score(part.scores)) >= threshold
    ]
    return {"spanScores": spans, "summaryScore": _score(score(whole.scores))}


def _score(value: float) -> dict[str, Any]:
    return {"value": round(value, 6), "type": "PROBABILITY"}


def _counted(text: str, spans: Sequence[Span]) -> list[Span]:
    begins = in_utf16(text, [begin for begin, _ in spans])
    ends = in_utf16(text, [end for _, end in spans])
    return list(zip(begins, ends, strict=True))
