"""What to tell the author of a comment: a message, and where the comment is withheld the statement
of reasons that Article 17 of the EU's Digital Services Act (Regulation (EU) 2022/2065) asks for.

Words are quoted for abuse, where an author needs them to object; for spam they would only tell the
sender what to write otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from moderation.quotes import heaviest
from moderation.settings import Policy
from moderation.store.reviewing import not_taken_back
from moderation.store.stored import Status, Stored
from moderation.wordings import Wordings, wordings


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
    language: str
    """Of all its sentences."""
    message: str
    reasons: tuple[Reason, ...]
    statement_of_reasons: StatementOfReasons | None


def state(stored: Stored, policy: Policy, language: str) -> Statement:
    """The statement on a comment as things are now, in one of the languages of wordings/."""
    words = wordings(language)
    reasons = _reasons(stored, words)
    return Statement(
        id=stored.id,
        status=stored.status,
        language=language,
        message=_message(stored, reasons, words),
        reasons=reasons,
        statement_of_reasons=_legal(stored, reasons, policy, words),
    )


def as_text(statement: Statement) -> str:
    """The statement to read, as for an e-mail."""
    parts, words = [statement.message], wordings(statement.language)
    if legal := statement.statement_of_reasons:
        points = {
            "restriction": legal.restriction,
            "facts": legal.facts,
            "ground": legal.ground,
            "automated": legal.automated.explanation,
            "objection": legal.objection,
        }
        parts.append(words.say("heading", "title"))
        parts += [f"{words.say('heading', name)} {said}" for name, said in points.items()]
    return "\n\n".join(parts) + "\n"


def _reasons(stored: Stored, words: Wordings) -> tuple[Reason, ...]:
    """Those that count: a moderator's label, else what the checks said."""
    if stored.status == "published":
        return ()
    if label := _found(stored):
        return (Reason(label, words.say("found", label)),)
    codes = dict.fromkeys(finding.code for finding in stored.verdict.reasons)
    return tuple(Reason(code, words.say("reason", code)) for code in codes)


def _found(stored: Stored) -> str:
    """What a moderator found, as a reason code; empty where none said so."""
    found = stored.status == "rejected" and stored.label in ("spam", "abuse")
    return str(stored.label) if found else ""


def _message(stored: Stored, reasons: tuple[Reason, ...], words: Wordings) -> str:
    said = " ".join(dict.fromkeys(reason.message for reason in reasons))
    found = words.say("found", _found(stored) or "unlabelled")
    return words.say("message", stored.status, reasons=said, found=found)


def _legal(
    stored: Stored, reasons: tuple[Reason, ...], policy: Policy, words: Wordings
) -> StatementOfReasons | None:
    if stored.status == "published":
        return None
    return StatementOfReasons(
        restriction=words.say("restriction", stored.status),
        facts=_facts(stored, words),
        ground=words.say("ground", "rules", rules=_rules(stored, reasons, words)),
        automated=_automated(stored, words),
        objection=_objection(stored, policy, words),
    )


def _rules(stored: Stored, reasons: tuple[Reason, ...], words: Wordings) -> str:
    unlabelled = stored.status == "rejected" and not _found(stored)
    codes = ["unlabelled"] if unlabelled else [reason.code for reason in reasons]
    return "; ".join(dict.fromkeys(words.say("rule", code) for code in codes))


def _facts(stored: Stored, words: Wordings) -> str:
    article = stored.comment.article.title or stored.comment.article.url
    came = {"comment": words.quote(stored.comment.content), "when": words.when(stored.received)}
    parts = [
        words.say("facts", "came_under", **came, article=words.quote(article))
        if article
        else words.say("facts", "came", **came)
    ]
    if findings := stored.verdict.reasons:
        said = dict.fromkeys(words.say("reason", finding.code) for finding in findings)
        parts += [words.say("facts", "checked"), *said]
        parts += [
            words.say("facts", "weighed", words=quoted)
            for finding in findings
            if finding.code == "abuse"
            and (quoted := heaviest(finding.spans, words.texts["quoted"]))
        ]
    if stored.status == "rejected":
        rejected = not_taken_back(stored.reviews)[-1]
        parts.append(words.say("found", _found(stored) or "unlabelled"))
        parts.append(words.say("facts", "decided", when=words.when(rejected.at)))
    return " ".join(parts)


def _automated(stored: Stored, words: Wordings) -> Automated:
    found = bool(stored.verdict.reasons)
    if stored.status == "held":
        return Automated(True, True, words.say("automated", "held"))
    return Automated(found, False, words.say("automated", "checked" if found else "unchecked"))


def _objection(stored: Stored, policy: Policy, words: Wordings) -> str:
    to = policy.objections_to
    parts = [words.say("objection", "waiting")] if stored.status == "held" else []
    parts.append(words.say("objection", "to" if to else "unnamed", to=to, id=stored.id))
    return " ".join([*parts, words.say("objection", "beyond")])
