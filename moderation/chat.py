"""OpenAI's chat completions, as far as comment systems ask a language model whether a comment is
spam: Twikoo does, and takes any base URL. No model of language is here; the answer is our verdict.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any

from flask import Blueprint, Response

from moderation import faces
from moderation.auth import bearer
from moderation.endpoint import reply, service
from moderation.openai_moderations import BadInput, handle_errors, read_body
from moderation.verdict import Author, Comment

chat = Blueprint("chat", __name__)
handle_errors(chat)

SOURCE = "chat"
# How Twikoo writes what it asks about; after a failure it adds what was wrong.
_TWIKOO = re.compile(
    r"Comment: (?P<content>.*)\nNickname: (?P<name>.*)\nWebsite: (?P<url>.*?)"
    r"(\n\n\[ERROR FROM PREVIOUS ATTEMPT\].*)?",
    re.DOTALL,
)


@chat.post("/v1/chat/completions")
def completions() -> Response:
    """Whether the last user's message is to be held, as `{"spam": true}`."""
    site = service().gatekeeper.admit(bearer(), "submit").site
    comment = _comment(read_body())
    policy = service().settings.policy(site)
    if len(comment.content) > policy.max_length:
        return _answer(held=True)
    try:
        verdict = faces.judge(site, comment, SOURCE).verdict
    except Exception as error:  # Twikoo publishes what it gets an error for
        faces.failure(error)  # logs what nobody foresaw
        return _answer(held=policy.on_error != "publish")
    return _answer(held=verdict.decision == "hold", model=verdict.model)


def _answer(*, held: bool, model: str = "") -> Response:
    content = json.dumps({"spam": held})
    return reply(
        {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }
    )


def _comment(body: dict[str, Any]) -> Comment:
    if body.get("stream"):
        raise BadInput("Nothing is streamed here: the answer is one word.", "stream")
    messages = body.get("messages")
    said = [
        message["content"]
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, dict)
        and message.get("role") == "user"
        and isinstance(message.get("content"), str)
    ]
    if not said or not said[-1].strip():
        raise BadInput("'messages' must have a text by the role 'user': the comment.", "messages")
    asked = _TWIKOO.fullmatch(said[-1])
    if asked is None:
        return Comment(said[-1])
    return Comment(asked["content"], Author(name=asked["name"].strip(), url=asked["url"].strip()))
