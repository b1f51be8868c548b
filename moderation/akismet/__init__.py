"""Akismet's protocol, 1.1: blogs that know Akismet ask us, and read our verdict in its words.

Clients compare whole bodies, so these are exact, and their status is 200.
"""

from __future__ import annotations

from flask import Blueprint, Response

from moderation import faces
from moderation.akismet.answer import CHECK, handle_errors, hold, say
from moderation.akismet.reader import (
    Invalid,
    admit,
    comment_of,
    is_test,
    read_fields,
    recorded_id,
    verified,
)
from moderation.endpoint import service
from moderation.faces import Report
from moderation.verdict import REASON_CODES, Verdict

akismet = Blueprint("akismet", __name__)
handle_errors(akismet)

SOURCE = "akismet"
THANKS = "Thanks for making the web a better place."

# What Akismet itself calls spam; all else that holds is for a person to decide.
_SPAM = frozenset({"spam", "honeypot"})
# Values that are always spam, for trying things out.
_ALWAYS_SPAM = (
    ("comment_author", "akismet-guaranteed-spam"),
    ("comment_author", "viagra-test-123"),
    ("comment_author_email", "akismet-guaranteed-spam@example.com"),
)


@akismet.post("/1.1/verify-key")
def verify_key() -> Response:
    """Whether a key is good."""
    verified(read_fields())
    return say("valid")


@akismet.post("/1.1/comment-check", endpoint=CHECK)
def comment_check() -> Response:
    """The verdict on a comment: `true` where it is held, `false` where it can be published."""
    fields = read_fields()
    caller = admit(fields)
    if not fields.get("blog", "").strip():
        raise Invalid("Missing required field: blog.")
    if "administrator" in fields.get("user_role", "").split(","):
        return say("false")
    if any(fields.get(name) == value for name, value in _ALWAYS_SPAM):
        return say("true")
    comment, policy = comment_of(fields), service().settings.policy(caller.site)
    if len(comment.content) > policy.max_length:
        return hold(f"Longer than {policy.max_length} characters.", ["too long"])
    judged = faces.judge(caller.site, comment, SOURCE, record=not is_test(fields))
    return _answer(judged.verdict, judged.id, policy.akismet_discard)


@akismet.post("/1.1/submit-spam")
def submit_spam() -> Response:
    """A moderator says that it is spam."""
    return _learn(Report("reject", "spam", SOURCE))


@akismet.post("/1.1/submit-ham")
def submit_ham() -> Response:
    """A moderator says that it can be published."""
    return _learn(Report("publish", "ok", SOURCE))


def _answer(verdict: Verdict, comment_id: str | None, discard: float | None) -> Response:
    codes = [finding.code for finding in verdict.reasons]
    if verdict.decision == "publish":
        return say("false", comment_id=comment_id)
    if not _SPAM.intersection(codes):
        return hold(" ".join(REASON_CODES[code] for code in codes), codes, comment_id)
    blatant = discard is not None and "spam" in codes and verdict.scores["spam"] >= discard
    return say("true", {"X-akismet-pro-tip": "discard"} if blatant else {}, comment_id)


def _learn(report: Report) -> Response:
    fields = read_fields()
    caller = admit(fields)
    if not is_test(fields):
        faces.learn(caller, comment_of(fields), report, recorded_id(fields))
    return say(THANKS)
