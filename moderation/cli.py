"""The `moderation` command. A subcommand is imported when it is called, so that none waits for
what another one needs.

Other packages add subcommands through the entry-point group "moderation.commands".
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from moderation.errors import ModerationError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "moderation.commands"
# Ours, with the first line of each one's help: listing them imports none of them.
OWN = {
    "serve": "Run the service, production server included.",
    "check": "Judge one comment: TEXT, or - to read it from standard input.",
    "score": "Judge every row of a file.",
    "models": "List the installed models and switch between them.",
    "labels": "Write the moderators' labels as a labelled CSV, to train on.",
    "doctor": "Look at what the service needs, and say what to mend.",
    "keys": "Create, list and revoke keys of the HTTP API.",
    "backup": "Write the database and your models to a file, while the service runs.",
    "restore": "Put back what `moderation backup` wrote, with the service stopped.",
    "demo": "Start the service and a small blog that uses it, for a first look.",
}
_STOPPED = 130  # what shells say of a command that Ctrl-C ended


class Commands(click.Group):
    """Finds subcommands by name, in moderation/commands/ and among the entry points."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name."""
        return [*OWN, *sorted({other.name for other in _others()} - {*OWN})]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name in OWN:
            found = getattr(import_module(f"moderation.commands.{cmd_name}"), cmd_name)
        else:
            found = next((o.load() for o in _others() if o.name == cmd_name), None)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name."""
        if args and args[0] not in OWN and args[0] not in (known := self.list_commands(ctx)):
            raise click.UsageError(f"There is no command {args[0]!r}{nearest(args[0], known)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. A closed pipe is no error: whoever read the output has seen enough."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Python flushes once more at its end, and would complain then.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of subcommands."""
        rows = [
            (name, OWN.get(name) or _short_help(self.get_command(ctx, name)))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="moderation", message="%(version)s")
def commands() -> None:
    """Comment moderation for blogs: publish, or hold for a person, with the reasons."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. An error is one line that says how to mend it."""
    try:
        code = commands.main(arguments, prog_name="moderation", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("stopped.", _STOPPED)
    except Exception as error:
        return _fail(*_explained(error))
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    click.echo(f"moderation: {' '.join(message.split())}", err=True)
    return code


def _explained(error: Exception) -> tuple[str, int]:
    """What to say of an error, and the exit code."""
    if isinstance(error, ModerationError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        return _usage(error), 2
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}.", 2
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
    return f"a mistake in the program, please report it: {place}: {error}", 2


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    ended = message if message.endswith((".", "?")) else f"{message}."
    if isinstance(error, click.UsageError) and error.ctx:
        return f"{ended} See `{error.ctx.command_path} --help`."
    return ended


def _short_help(command: click.Command | None) -> str:
    return command.get_short_help_str(limit=80) if command else ""


def _others() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # noqa: PLC0415  # the commands of ours need none

    return tuple(entry_points(group=GROUP))
