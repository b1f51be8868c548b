"""off_topic: a link under an article that the comment has no word in common with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from moderation.checks.case import Case, per_case
from moderation.folding import fold
from moderation.text import targets
from moderation.verdict import Finding

# Five letters stand for a word in its forms: "election", "elected", "Wahlen" beside "Wahlkampf".
_STEM = re.compile(r"\b[^\W\d_]{5}")
_FEW = {"article": 50, "comment": 4}
"""Distinct stems below which a text is too short to say what it is about."""


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Hold a comment with a link that shares no word with the article, where the site asks for it
    and the blog sends the article's text. (Mishne et al. 2005 compare the two as language models;
    a comment of a few sentences rarely fills one.)"""
    links, article = case.page.links, case.comment.article
    if not case.policy.hold_off_topic or not links or not article.text:
        return ()
    content = case.comment.content
    for link in targets(content):
        content = content.replace(link, " ")
    said, topic = _stems(content), _stems(f"{article.title} {article.text}")
    if len(said) < _FEW["comment"] or len(topic) < _FEW["article"] or said & topic:
        return ()
    return (Finding("off_topic", "Points to another place, and has no word of the article's."),)


def _stems(text: str) -> set[str]:
    return set(_STEM.findall(fold(text)))
