"""Coral's external moderation phase: a call for each new or edited comment, signed by Coral.

In Coral's admin: Moderation > External, with the URL `/coral` of this service. Coral shows the
phase's secret; it belongs into `coral_secrets` of the site, beside the old one while it is rotated.
If Coral gets no answer that it understands, it publishes, so a comment that we cannot judge is held
here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from moderation import faces
from moderation.endpoint import reply, service
from moderation.problems import BrokenJson, KeyNeeded
from moderation.settings import GENERAL
from moderation.store.tables import storable
from moderation.verdict import REASON_CODES, Article, Author, Comment, Verdict

coral = Blueprint("coral", __name__)

SOURCE = "coral"
_HEADER = "X-Coral-Signature"
_STAFF = ("ADMIN", "MODERATOR", "STAFF")
# Coral drops an answer with any other reason, and publishes: what is held for something else is
# withheld by the status alone.
_FLAGS = {"spam": "COMMENT_DETECTED_SPAM", "abuse": "COMMENT_DETECTED_TOXIC"}
_WITHHELD = "SYSTEM_WITHHELD"


@coral.post("/coral")
def moderate() -> Response:
    """Withhold a comment, or have no opinion, which leaves it to Coral's other phases."""
    try:
        raw = request.get_data()
    except RequestEntityTooLarge:  # Coral publishes what it gets an error for
        return reply({"status": _WITHHELD})
    site = _site(raw)
    try:
        comment = _comment(raw)
        if len(comment.content) > service().settings.policy(site).max_length:
            return reply({"status": _WITHHELD})
        return _answer(faces.judge(site, comment, SOURCE).verdict)
    except Exception as error:  # Coral publishes what it gets an error for
        return _undecided(site, error)


def signature(secret: str, raw: bytes) -> str:
    """How Coral signs a body."""
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def _site(raw: bytes) -> str:
    """The site that one of the signatures is of. Coral signs with each of a phase's secrets."""
    here = service()
    given = request.headers.get(_HEADER, "").split(",")
    signed = {one.strip().removeprefix("sha256=").lower().encode() for one in given}
    sites = {site: here.settings.policy(site).coral_secrets for site in here.settings.sites}
    for site, secrets in sites.items():
        expected = (signature(secret, raw).encode() for secret in secrets)
        if any(hmac.compare_digest(one, other) for one in expected for other in signed):
            return site
    if here.gatekeeper.is_open() and not any(sites.values()):
        return GENERAL  # a first try on one's own machine
    raise KeyNeeded(
        f"No {_HEADER} of this body is by a known secret. Put the secret that Coral shows for the "
        "phase into MODERATION_CORAL_SECRETS."
    )


def _comment(raw: bytes) -> Comment:
    try:
        sent = storable(json.loads(raw))
        author, story = sent.get("author") or {}, sent.get("story") or {}
        body = sent["comment"]["body"]
        if not isinstance(body, str):
            raise TypeError
        return Comment(
            body,
            Author(id=str(author.get("id") or ""), trusted=author.get("role") in _STAFF),
            Article(url=str(story.get("url") or "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BrokenJson("The body is not what Coral's external phase sends.") from error


def _answer(verdict: Verdict) -> Response:
    if verdict.decision == "publish":
        return reply({})
    codes = [finding.code for finding in verdict.reasons]
    actions = [
        {
            "actionType": "FLAG",
            "reason": _FLAGS[code],
            "additionalDetails": REASON_CODES[code],
        }
        for code in codes
        if code in _FLAGS
    ]
    metadata = {"moderation": {"reasons": codes, "scores": verdict.scores, "model": verdict.model}}
    answer: dict[str, Any] = {"status": _WITHHELD, "actions": actions, "metadata": metadata}
    return reply(answer)


def _undecided(site: str, error: Exception) -> Response:
    faces.failure(error)  # logs what nobody foresaw
    policy = service().settings.policy(site)
    return reply({} if policy.on_error == "publish" else {"status": _WITHHELD})
