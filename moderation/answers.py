"""The JSON that the native API answers, by hand and from plain attributes: it is written for every
comment, and marshmallow's dump took several times as long. A test holds it to the schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from moderation.store.stored import Stored
from moderation.verdict import Change, Finding, Verdict


def problem_json(
    status: int,
    title: str,
    detail: str,
    *,
    kind: str,
    errors: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A problem object."""
    return {
        "type": kind,
        "title": title,
        "status": status,
        "detail": detail,
        "errors": dict(errors or {}),
    }


def verdict_json(comment_id: str | None, verdict: Verdict) -> dict[str, Any]:
    """A verdict; without id where nothing was recorded."""
    return {
        "id": comment_id,
        "decision": verdict.decision,
        "reasons": [_reason(finding) for finding in verdict.reasons],
        "scores": verdict.scores,
        "html": verdict.html,
        "changes": [_change(change) for change in verdict.changes],
        "language": {
            "code": verdict.language.code,
            "evaluated": verdict.language.evaluated,
        },
        "degraded": verdict.degraded,
        "model": verdict.model,
        "second_opinion": verdict.second_opinion,
    }


def record_json(stored: Stored) -> dict[str, Any]:
    """A recorded comment."""
    comment = stored.comment
    return {
        "id": stored.id,
        "status": stored.status,
        "received": stored.received.isoformat(),
        "content": comment.content,
        "author": asdict(comment.author),
        "article": asdict(comment.article),
        "parent": comment.parent,
        "external_id": comment.external_id,
        "label": stored.label,
        "verdict": verdict_json(stored.id, stored.verdict),
        "reviews": [{**asdict(r), "at": r.at.isoformat()} for r in stored.reviews],
    }


def _reason(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "score": finding.score,
        "message": finding.message,
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "text": span.text,
                "weight": span.weight,
            }
            for span in finding.spans
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "what": change.what,
        "name": change.name,
        "action": change.action,
        "count": change.count,
    }
