"""What every verdict promises, whatever the text; for hypothesis and for atheris."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from marshmallow import ValidationError

from moderation import settings
from moderation.answers import verdict_json
from moderation.api.schemas import CommentSchema
from moderation.checks import build
from moderation.endpoint import read_json
from moderation.html_policy.rules import HtmlRules
from moderation.moderator import Moderator
from moderation.problems import BrokenJson
from moderation.shelf import ModelShelf, shipped
from moderation.store.history import Hashes
from moderation.store.stored import from_row, to_row
from moderation.verdict import REASON_CODES, Author, Comment

_ACTIVE = re.compile(
    r"<\s*(?:script|style|img|iframe|svg|form)|<[^>]*\son\w+\s*=|javascript:[^<]*\">"
)
RULES = (
    HtmlRules(),
    HtmlRules(preset="basic", on_disallowed="strip", autolink=True, line_breaks="p"),
    HtmlRules(preset="text", on_disallowed="hold", masked_links="text-must-match"),
)


class TextPath:
    """From a text to its verdict, its row and back, with the shipped model."""

    def __init__(self) -> None:
        model = ModelShelf(shipped()).active()
        self._moderator = Moderator(build(model), model)
        policy = settings.load({}).policy("default")
        # so strict that nearly everything is explained
        self._policies = [replace(policy, html=rules, promise=0.5) for rules in RULES]
        self._hashes = Hashes("secret")
        self._schema = CommentSchema()

    def check(self, content: str) -> None:
        """A verdict like any other, on the text wherever a comment may hold one."""
        if not content:
            return
        comment = Comment(content, Author(name=content[:1000], url=content[:1000]), parent=content)
        for policy in self._policies:
            (verdict,) = self._moderator.moderate([comment], policy)
            assert not verdict.degraded
            assert verdict.decision == ("hold" if verdict.reasons else "publish")
            assert all(0 <= score <= 1 for score in verdict.scores.values())
            assert not _ACTIVE.search(verdict.html), verdict.html
            for reason in verdict.reasons:
                assert reason.code in REASON_CODES
                for span in reason.spans:
                    assert content[span.start : span.end] == span.text != ""
            row = to_row(policy, comment, verdict, None, self._hashes)
            assert json.loads(json.dumps(row)) == row
            json.dumps(row, ensure_ascii=False).encode()
            assert from_row(row).verdict.decision == verdict.decision
            json.dumps(verdict_json("id", verdict), allow_nan=False)

    def check_body(self, raw: bytes) -> None:
        """Any body is a comment, or it is said what is wrong with it."""
        try:
            comment = self._schema.load(read_json(raw))
        except (BrokenJson, ValidationError) as error:
            assert str(error)
        else:
            assert isinstance(comment, Comment)
