"""Tells sites what became of their comments: https://www.standardwebhooks.com, version 1."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence

from moderation.outgoing import NotSent, post
from moderation.settings import Settings
from moderation.store.outbox import Message, Outbox

PREFIX = "whsec_"
_GONE = 410  # by the standard: "do not send me any more"


def deliver_due(outbox: Outbox, settings: Settings) -> int:
    """Send what is due, and say how many messages that were. What fails is tried again later."""
    sent = 0
    while message := outbox.claim():
        _deliver(message, outbox, settings)
        sent += 1
    return sent


def signature(secrets: Sequence[str], message_id: str, timestamp: int, body: str) -> str:
    """The header `webhook-signature`: one for each secret, while one is being replaced."""
    signed = f"{message_id}.{timestamp}.{body}".encode()
    keys = [base64.b64decode(secret.removeprefix(PREFIX)) for secret in secrets]
    digests = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _deliver(message: Message, outbox: Outbox, settings: Settings) -> None:
    policy = settings.policy(message.site)
    if not policy.webhook_url:
        outbox.delivered(message)  # the site wants none any more
        return
    now = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "moderation-webhooks",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(
            policy.webhook_secret, message.message_id, now, message.body
        ),
    }
    try:
        status = post(
            policy.webhook_url, message.body.encode(), headers, private=policy.webhook_private
        )
    except NotSent as error:
        outbox.failed(message, str(error))
        return
    if 200 <= status < 300:
        outbox.delivered(message)
    else:
        outbox.failed(message, f"answered {status}", for_good=status == _GONE)
