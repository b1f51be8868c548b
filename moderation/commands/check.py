"""moderation check."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from moderation.answers import verdict_json
from moderation.api.schemas import MAX_CONTENT
from moderation.checks import build
from moderation.commands.options import configured, models_dir, site_name
from moderation.moderator import Moderator
from moderation.shelf import ModelShelf
from moderation.verdict import Comment, Finding, Span, Verdict

# A comment must not steer the terminal that it is shown on.
_CONTROL = re.compile(r"[^\n\t\x20-\x7e\u00a0-\u2027\u202f-\u2065\u2070-\U0010ffff]")


@click.command()
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="The verdict as the HTTP API gives it.")
@click.option("--site", default="default", show_default=True, help="Whose rules apply.")
@models_dir
def check(text: str, as_json: bool, site: str, models_dir: Path | None) -> int:
    """Judge one comment: TEXT, or - to read it from standard input.

    Nothing is recorded. Exit code: 0 publish, 1 hold, 2 error.
    """

    settings = configured(models_dir)
    content = _content(text)
    model = ModelShelf(settings.models, consult=settings.second_opinion).active()
    moderator = Moderator(build(model), model)
    (verdict,) = moderator.moderate([Comment(content)], settings.policy(site_name(site)))
    if as_json:
        click.echo(json.dumps(verdict_json(None, verdict), ensure_ascii=False, indent=2))
    else:
        _show(content, verdict)
    return 0 if verdict.decision == "publish" else 1


def _content(text: str) -> str:
    if text == "-":
        piped = sys.stdin.buffer.read()
        text = piped.decode("utf-8", "replace").removesuffix("\n")
    # What the shell could not decode, and characters that no comment can hold.
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
    if not 1 <= len(text) <= MAX_CONTENT:
        raise click.UsageError(f"A comment has 1 to {MAX_CONTENT} characters, this has {len(text)}")
    return text


def _show(content: str, verdict: Verdict) -> None:
    colour = "green" if verdict.decision == "publish" else "red"
    decision = click.style(verdict.decision, fg=colour, bold=True)
    scores = ", ".join(f"{head} {verdict.scores[head]:.3f}" for head in ("spam", "abuse"))
    by = f"{verdict.model} and second opinion" if verdict.second_opinion else verdict.model
    click.echo(f"{decision}  {scores}  ({verdict.language.code}, model {by})")
    for finding in verdict.reasons:
        click.echo(f"  {click.style(finding.code, bold=True)}: {_plain(finding.message)}")
    if spans := _spans(verdict.reasons):
        click.echo()
        click.echo(_marked(content, spans))


def _spans(reasons: tuple[Finding, ...]) -> list[Span]:
    """What speaks for a hold, in the order of the text."""
    spans = [span for finding in reasons for span in finding.spans if span.weight > 0]
    return sorted(spans, key=lambda span: span.start)


def _marked(content: str, spans: list[Span]) -> str:
    parts, at = [], 0
    for span in spans:
        start = max(at, span.start)  # two reasons may rest on the same words
        if start < span.end:
            parts += [
                _plain(content[at:start]),
                click.style(_plain(content[start : span.end]), fg="red", bold=True),
            ]
            at = span.end
    return "".join([*parts, _plain(content[at:])])


def _plain(text: str) -> str:
    return _CONTROL.sub("\ufffd", text)
