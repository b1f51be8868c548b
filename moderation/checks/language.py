"""language: the model says where it cannot judge, instead of guessing."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.checks.case import Case, per_case
from moderation.verdict import Finding


@per_case
def judge(case: Case) -> Sequence[Finding]:
    """Say that a text was not evaluated; the site's policy tells whether that holds it."""
    if case.assessment is None or case.assessment.language.evaluated:
        return ()
    language = case.assessment.language
    message = (
        "The language of the text is not clear, so the model did not judge it."
        if language.code == "und"
        else f"The text seems to be in a language that the model does not know ({language.code})."
    )
    return (Finding("language", message, holds=case.policy.on_unevaluated == "hold"),)
