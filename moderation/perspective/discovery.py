"""What Google's client libraries ask for first: which calls there are and what goes into them."""

from __future__ import annotations

from typing import Any

_STRING, _NUMBER, _FLAG = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
_STRINGS = {"type": "array", "items": _STRING}
_WHOLE = {"type": "integer", "format": "int32"}

_SCHEMAS: dict[str, dict[str, Any]] = {
    "TextEntry": {"text": _STRING, "type": _STRING},
    "ArticleAndParentComment": {
        "article": {"$ref": "TextEntry"},
        "parentComment": {"$ref": "TextEntry"},
    },
    "Context": {
        "entries": {"type": "array", "items": {"$ref": "TextEntry"}},
        "articleAndParentComment": {"$ref": "ArticleAndParentComment"},
    },
    "AttributeParameters": {"scoreType": _STRING, "scoreThreshold": _NUMBER},
    "Score": {"value": _NUMBER, "type": _STRING},
    "SpanScore": {"begin": _WHOLE, "end": _WHOLE, "score": {"$ref": "Score"}},
    "AttributeScores": {
        "summaryScore": {"$ref": "Score"},
        "spanScores": {"type": "array", "items": {"$ref": "SpanScore"}},
    },
    "AnalyzeCommentRequest": {
        "comment": {"$ref": "TextEntry"},
        "context": {"$ref": "Context"},
        "requestedAttributes": {
            "type": "object",
            "additionalProperties": {"$ref": "AttributeParameters"},
        },
        "languages": _STRINGS,
        "doNotStore": _FLAG,
        "spanAnnotations": _FLAG,
        "clientToken": _STRING,
        "sessionId": _STRING,
        "communityId": _STRING,
    },
    "AnalyzeCommentResponse": {
        "attributeScores": {"type": "object", "additionalProperties": {"$ref": "AttributeScores"}},
        "languages": _STRINGS,
        "detectedLanguages": _STRINGS,
        "clientToken": _STRING,
    },
    "SuggestCommentScoreRequest": {
        "comment": {"$ref": "TextEntry"},
        "context": {"$ref": "Context"},
        "attributeScores": {"type": "object", "additionalProperties": {"$ref": "AttributeScores"}},
        "languages": _STRINGS,
        "clientToken": _STRING,
        "sessionId": _STRING,
        "communityId": _STRING,
    },
    "SuggestCommentScoreResponse": {
        "detectedLanguages": _STRINGS,
        "requestedLanguages": _STRINGS,
        "clientToken": _STRING,
    },
}


def document(root: str) -> dict[str, Any]:
    """The description of the API that is served below this address."""
    query = {"type": "string", "location": "query"}
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "canonicalName": "Comment Analyzer",
        "version": "v1alpha1",
        "title": "Comment moderation, as the Perspective Comment Analyzer API",
        "protocol": "rest",
        "rootUrl": root,
        "baseUrl": root,
        "servicePath": "",
        "basePath": "",
        "batchPath": "batch",
        "parameters": dict.fromkeys(("key", "alt", "fields", "quotaUser"), query),
        "resources": {
            "comments": {
                "methods": {
                    "analyze": _method("analyze", "AnalyzeComment"),
                    "suggestscore": _method("suggestscore", "SuggestCommentScore"),
                }
            }
        },
        "schemas": {
            name: {"id": name, "type": "object", "properties": properties}
            for name, properties in _SCHEMAS.items()
        },
    }


def _method(name: str, messages: str) -> dict[str, Any]:
    path = f"v1alpha1/comments:{name}"
    return {
        "id": f"commentanalyzer.comments.{name}",
        "httpMethod": "POST",
        "path": path,
        "flatPath": path,
        "parameters": {},
        "parameterOrder": [],
        "request": {"$ref": f"{messages}Request"},
        "response": {"$ref": f"{messages}Response"},
    }
