"""All that the blog says to the moderation service, and hears from it.

A comment is kept here before the service is asked. Without an answer it is held, and sent again;
its own id goes with it, so the service stores nothing twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from moderation.client import Answer, Client, NoAnswer
from moderation.demo.comments import Comment, Comments, Status

_AT_ONCE = 50
_QUIET = 2.0  # seconds in which a service that did not answer is left alone


class Messenger:
    """Between one blog and one service. Safe to share between threads."""

    def __init__(self, client: Client, comments: Comments) -> None:
        self._client = client
        self._comments = comments
        self._quiet_until = float("-inf")
        self._catching_up = threading.Lock()
        self.policy: Mapping[str, Any] = {}
        """The site's HTML policy as last heard; empty as long as nobody has said it."""

    def submit(self, comment_id: str, content: str, facts: Mapping[str, Any]) -> Comment:
        """Keep a comment and ask for the verdict. What was answered before stays as it is."""
        kept = self._comments.add(comment_id, content, facts)
        if kept.facts is not None:
            self._send(kept.id, content, kept.facts)
        return self._comments.find(comment_id) or kept

    def preview(self, content: str) -> Answer:
        """What the HTML policy makes of a text; nothing is stored anywhere."""
        return self._client.check(content, record=False)

    def catch_up(self) -> None:
        """Hear the policy, send what could not be sent, and ask what moderators decided."""
        with self._catching_up:
            if time.monotonic() < self._quiet_until:
                return
            try:
                self.policy = self._client.policy()
                for waiting in self._comments.unsent(_AT_ONCE):
                    self._send(waiting.id, waiting.content, waiting.facts or {})
                for comment in self._comments.to_ask_about(_AT_ONCE):
                    self._ask(comment)
            except NoAnswer:
                self._quiet_until = time.monotonic() + _QUIET

    def statement(self, comment: Comment) -> Mapping[str, Any]:
        """What the service tells the comment's author; empty where it does not say."""
        if comment.service_id is None or time.monotonic() < self._quiet_until:
            return {}
        try:
            return self._client.statement(comment.service_id, "en")  # as the rest of the page
        except NoAnswer:
            return {}

    def _send(self, comment_id: str, content: str, facts: Mapping[str, Any]) -> None:
        answer = self._client.check(content, external_id=comment_id, **facts)
        if answer.id is not None:
            status: Status = "published" if answer.decision == "publish" else "held"
            self._comments.answered(comment_id, answer.id, status, answer.html)

    def _ask(self, comment: Comment) -> None:
        try:
            status = self._client.statement(str(comment.service_id))["status"]
        except NoAnswer as error:
            if error.status != 404:
                raise
            status = comment.status  # erased over there: what is here is for us to decide
        self._comments.asked(comment.id, status)
