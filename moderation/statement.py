"""What to tell the author of a comment: a message, and where the comment is withheld the statement
of reasons that Article 17 of the EU's Digital Services Act (Regulation (EU) 2022/2065) asks for.

Words are quoted for abuse, where an author needs them to object; for spam they would only tell the
sender what to write otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from moderation.quotes import heaviest, quote
from moderation.settings import Policy
from moderation.stored import Status, Stored
from moderation.wordings import AGAINST_THE_RULES, FOUND, UNLABELLED, WORDINGS


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code, and how it is put to the author."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Automated:
    """Whether the comment was found, and the decision taken, without a person."""

    detection: bool
    decision: bool
    explanation: str


@dataclass(frozen=True, slots=True)
class StatementOfReasons:
    """Article 17(3), point by point, in sentences for the author."""

    restriction: str
    facts: str
    ground: str
    automated: Automated
    objection: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What to tell the author; there is a `statement_of_reasons` while the comment is withheld."""

    id: str
    status: Status
    message: str
    reasons: tuple[Reason, ...]
    statement_of_reasons: StatementOfReasons | None


def state(stored: Stored, policy: Policy) -> Statement:
    """The statement on a comment as things are now."""
    reasons = _reasons(stored)
    return Statement(
        id=stored.id,
        status=stored.status,
        message=_message(stored, reasons),
        reasons=reasons,
        statement_of_reasons=_legal(stored, reasons, policy),
    )


def as_text(statement: Statement) -> str:
    """The statement to read, as for an e-mail."""
    parts = [statement.message]
    if legal := statement.statement_of_reasons:
        parts += [
            "Statement of reasons (Regulation (EU) 2022/2065, Article 17)",
            f"What was decided: {legal.restriction}",
            f"Facts: {legal.facts}",
            f"Ground: {legal.ground}",
            f"Automated means: {legal.automated.explanation}",
            f"If you object: {legal.objection}",
        ]
    return "\n\n".join(parts) + "\n"


def _reasons(stored: Stored) -> tuple[Reason, ...]:
    """Those that count: a moderator's label, else what the checks said."""
    if stored.status == "published":
        return ()
    if found := _found(stored):
        return (Reason(str(stored.label), found),)
    codes = dict.fromkeys(finding.code for finding in stored.verdict.reasons)
    return tuple(Reason(code, WORDINGS[code].message) for code in codes)


def _found(stored: Stored) -> str:
    """What a moderator found; empty where none said so."""
    return FOUND.get(stored.label or "", "") if stored.status == "rejected" else ""


def _message(stored: Stored, reasons: tuple[Reason, ...]) -> str:
    if stored.status == "published":
        return "Your comment is published. Thank you."
    if stored.status == "rejected":
        return f"Your comment is not published. {_found(stored) or AGAINST_THE_RULES}"
    said = " ".join(dict.fromkeys(reason.message for reason in reasons))
    return f"Thank you. A moderator will look at your comment before it is published. {said}"


def _legal(
    stored: Stored, reasons: tuple[Reason, ...], policy: Policy
) -> StatementOfReasons | None:
    if stored.status == "published":
        return None
    until = "until a moderator has decided" if stored.status == "held" else "with no end set"
    return StatementOfReasons(
        restriction=f"The comment is not shown to readers, {until}. It concerns this comment only.",
        facts=_facts(stored),
        ground="The rules of this site for comments; nobody says that it breaks a law. "
        f"The rule: {_rule(stored, reasons)}.",
        automated=_automated(stored),
        objection=_objection(stored, policy),
    )


def _rule(stored: Stored, reasons: tuple[Reason, ...]) -> str:
    if stored.status == "rejected" and not _found(stored):
        return UNLABELLED
    return "; ".join(dict.fromkeys(WORDINGS[reason.code].rule for reason in reasons))


def _facts(stored: Stored) -> str:
    article = stored.comment.article
    under = article.title or article.url
    where = f" under {quote(under)}" if under else ""
    sent = f"The comment {quote(stored.comment.content)} came on {_when(stored.received)}{where}."
    parts = [sent]
    if stored.verdict.reasons:
        said = dict.fromkeys(WORDINGS[finding.code].message for finding in stored.verdict.reasons)
        parts.append(
            "An automatic check held it for a moderator. This site checks every comment so, "
            f"without anybody having reported it. {' '.join(said)}"
        )
        parts += [
            f"What weighed most: {quoted}."
            for finding in stored.verdict.reasons
            if finding.code == "abuse" and (quoted := heaviest(finding.spans))
        ]
    if stored.status == "rejected":
        rejected = next(each for each in reversed(stored.reviews) if each.decision == "reject")
        found = _found(stored) or AGAINST_THE_RULES
        parts.append(f"{found} This was on {_when(rejected.at)}.")
    return " ".join(parts)


def _automated(stored: Stored) -> Automated:
    detection = bool(stored.verdict.reasons)
    if stored.status == "held":
        said = "The comment was found and held by automated means. A person decides about it next."
        return Automated(detection=True, decision=True, explanation=said)
    found = "The comment was found by automated means" if detection else "A person found it"
    return Automated(detection, False, f"{found}. A person decided not to publish it.")


def _objection(stored: Stored, policy: Policy) -> str:
    to = policy.objections_to or "the people who run this site"
    waiting = "You need not do anything: a moderator will look at it. "
    return (
        f"{waiting if stored.status == 'held' else ''}If you think that this is wrong, write to "
        f"{to} and name comment {stored.id}; a person will read it. You can also turn to a "
        "certified out-of-court dispute settlement body or to a court."
    )


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y at %H:%M} UTC"
