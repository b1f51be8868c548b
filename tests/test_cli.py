"""The commands: what they print, what they exit with, and how they fail."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path

import click
import pytest

from moderation import cli
from moderation.store import Store
from moderation.verdict import Comment, Verdict
from tests.serving import COMMAND, ROOT, clean_environment, configured, environment, write_model

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two small models."""
    folder = tmp_path_factory.mktemp("models")
    write_model(folder, "small-2")
    write_model(folder, "small-1")
    return folder


@pytest.fixture
def run(tmp_path: Path, models: Path) -> Run:
    """Runs the command as a program of its own."""

    def command(
        *arguments: str, stdin: bytes = b"", **given: object
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env={**clean_environment(), **environment(tmp_path, **{"models": models, **given})},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return command


def complaint(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line of a command that failed."""
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("moderation: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    ("text", "code", "word"), [("A fine day", 0, "publish"), ("Cheap pills!", 1, "hold")]
)
def test_check_exits_with_the_decision(run: Run, text: str, code: int, word: str) -> None:
    done = run("check", text)
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (code, word, "")
    assert "small-1" in done.stdout


def test_check_names_the_words_that_caused_a_hold(run: Run) -> None:
    done = run("check", "Buy cheap pills here")
    assert 'spam: Reads like advertising: "pills".' in done.stdout
    assert done.stdout.endswith("Buy cheap pills here\n")
    assert "\x1b" not in done.stdout


def test_check_reads_standard_input_and_answers_in_json(run: Run) -> None:
    done = run("check", "-", "--json", stdin="You moron \xe9\n".encode())
    assert done.returncode == 1
    verdict = json.loads(done.stdout)
    assert [reason["code"] for reason in verdict["reasons"]] == ["abuse"]
    assert verdict["html"] == "You moron \xe9"
    assert verdict["id"] is None


def test_check_survives_bytes_that_are_no_text(run: Run) -> None:
    assert run("check", "-", stdin=b"\xff\x00\x1b[31m pills").returncode == 1


def test_check_records_nothing(run: Run, tmp_path: Path) -> None:
    run("check", "pills")
    assert not (tmp_path / "comments.db").exists()


def test_check_wants_a_comment(run: Run) -> None:
    assert "1 to 65536 characters" in complaint(run("check", "-"))
    assert "moderation check --help" in complaint(run("check"))


def test_check_follows_the_rules_of_the_site(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "moderation.toml"
    config.write_text('[sites.strict]\nblock_words = ["bread"]\n', encoding="utf-8")
    assert run("check", "On bread", config=config).returncode == 0
    assert run("check", "On bread", "--site", "strict", config=config).returncode == 1
    assert "--site" in complaint(run("check", "x", "--site", "A B", config=config))


def test_on_a_terminal_the_words_are_coloured(tmp_path: Path, models: Path) -> None:
    leader, follower = pty.openpty()
    done = subprocess.Popen(
        [*COMMAND, "check", "Buy pills \x1b[2J now"],
        cwd=ROOT,
        env={**clean_environment(), **environment(tmp_path, models=models), "TERM": "xterm"},
        stdout=follower,
    )
    done.wait(timeout=60)
    shown = os.read(leader, 65536).decode()
    os.close(leader)
    os.close(follower)
    assert "\x1b[31m\x1b[1mpills\x1b[0m" in shown
    assert "\x1b[2J" not in shown  # a comment does not steer the terminal


def test_help_is_fast_and_imports_nothing_of_the_service(run: Run) -> None:
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "moderation", "--help"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not [name for name in ("flask", "sqlalchemy", "numpy") if f"| {name}\n" in seen.stderr]
    for command in cli.OWN:
        assert f"  {command} " in seen.stdout


def test_the_listed_line_of_a_command_is_the_first_of_its_help() -> None:
    for name, line in cli.OWN.items():
        command = getattr(import_module(f"moderation.commands.{name}"), name)
        assert isinstance(command, click.Command)
        assert (command.help or "").startswith(line.removesuffix("."))


@pytest.mark.parametrize("name", cli.OWN)
def test_every_command_has_help(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--help" in done.stdout


def test_a_mistyped_command_gets_the_nearest(run: Run) -> None:
    assert "did you mean check?" in complaint(run("chek", "x"))
    assert "--jsn" in complaint(run("check", "--jsn", "x"))


def test_other_packages_add_commands_that_are_loaded_when_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = metadata.EntryPoint("greet", "tests.test_cli:greet", cli.GROUP)
    monkeypatch.setattr(
        metadata, "entry_points", lambda group: [entry] if group == cli.GROUP else []
    )
    assert cli.run(["greet"]) == 3
    assert capsys.readouterr().out == "Hello\n"
    assert cli.run(["--help"]) == 0
    assert re.search(r"^  greet +Say hello\.$", capsys.readouterr().out, re.MULTILINE)


@click.command()
def greet() -> int:
    """Say hello."""
    click.echo("Hello")
    return 3


def test_a_mistake_in_the_program_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = click.Command("broken", callback=lambda: 1 / 0)
    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: broken)
    monkeypatch.setattr(cli, "OWN", {"broken": "Broken."})
    assert cli.run(["broken"]) == 2
    complained = capsys.readouterr().err
    assert "ZeroDivisionError at test_cli.py" in complained
    assert complained.count("\n") == 1


def test_a_bad_setting_stops_every_command_by_its_name(run: Run) -> None:
    assert "MODERATION_PORT" in complaint(run("check", "x", port="http"))
    assert "MODERATION_PROT" in complaint(run("keys", "list", prot="1"))


def test_a_key_is_printed_alone_and_once(run: Run) -> None:
    made = run("keys", "create", "--site", "blog", "--role", "moderate")
    assert (made.returncode, made.stderr) == (0, "")
    key = made.stdout.removesuffix("\n")
    assert len(key) == 12
    assert key.isalnum()
    listed = run("keys", "list").stdout
    assert key not in listed
    assert listed.split()[2:] == ["active", "moderate", "blog"]
    run("keys", "revoke", listed.split()[0])
    assert run("keys", "list").stdout.split()[2] == "revoked"


def test_a_key_of_a_site_that_is_not_configured_is_made_with_a_word_about_it(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "sites.toml").write_text("[sites.news]\nmax_links = 1\n")
    config = str(tmp_path / "sites.toml")
    made = run("keys", "create", "--site", "nwes", "--role", "submit", config=config)
    assert len(made.stdout.strip()) == 12
    assert "No [sites.nwes] is configured" in made.stderr
    assert "news" in made.stderr
    assert not run("keys", "create", "--site", "news", "--role", "submit", config=config).stderr


def test_keys_that_cannot_be_are_refused(run: Run) -> None:
    assert "--site" in complaint(run("keys", "create", "--site", "Ä", "--role", "admin"))
    assert "--role" in complaint(run("keys", "create", "--site", "blog", "--role", "boss"))
    assert "keys list" in complaint(run("keys", "revoke", "nothing"))


def test_models_are_listed_activated_and_rolled_back(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    for version in ("small-2", "small-1"):
        write_model(folder, version)
    here = ("--models-dir", str(folder))

    def active() -> str:
        lines = run("models", "list", *here).stdout.splitlines()
        return next(line.split()[1] for line in lines if line.startswith("*"))

    assert active() == "small-1"
    assert run("models", "activate", "small-2", *here).returncode == 0
    assert active() == "small-2"
    assert run("models", "rollback", *here).returncode == 0
    assert active() == "small-1"
    assert "Installed: " in complaint(run("models", "activate", "small-3", *here))
    assert complaint(run("models", "rollback", *here))


def test_a_model_that_was_changed_is_listed_as_refused(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    write_model(folder, "small-2")
    write_model(folder, "small-1")
    with (folder / "small-2" / "model.joblib").open("ab") as file:
        file.write(b"x")
    listed = run("models", "list", "--models-dir", str(folder)).stdout
    assert [line for line in listed.splitlines() if "small-2" in line and "refused" in line]


def test_where_the_active_model_is_refused_the_others_are_listed(run: Run, tmp_path: Path) -> None:
    write_model(tmp_path / "own", "spoilt")
    with (tmp_path / "own" / "spoilt" / "model.joblib").open("ab") as file:
        file.write(b"x")
    done = run("models", "list", "--models-dir", str(tmp_path / "own"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "* spoilt  refused: " in done.stdout


def test_labels_are_written_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    settings = configured(tmp_path)
    store = Store.open(settings.database)
    verdict = Verdict("publish", (), {"spam": 0.1, "abuse": 0.1}, "")
    for text in ("=1+1", "Bread, and butter"):
        (stored,) = store.record(settings.policy("blog"), [Comment(text)], [verdict])
        store.review("blog", stored.id, "publish", "ok")
    store.close()
    target = tmp_path / "labels.csv"
    assert run("labels", "-o", str(target)).returncode == 0
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["'=1+1", "Bread, and butter"]
    assert run("labels").stdout == target.read_text(encoding="utf-8")
    assert run("labels", "--site", "other").stdout.count("\n") == 1
    assert "There is no such folder" in complaint(
        run("labels", "-o", str(tmp_path / "no" / "labels.csv"))
    )


def test_a_closed_pipe_is_no_error(tmp_path: Path, models: Path) -> None:
    rows = "".join(f"text number {number}\n" for number in range(5000))
    (tmp_path / "in.csv").write_text("text\n" + rows, encoding="utf-8")
    done = subprocess.run(
        f"{sys.executable} -m moderation score {tmp_path / 'in.csv'} | head -1; "
        "exit ${PIPESTATUS[0]}",
        shell=True,
        executable="/bin/bash",
        cwd=ROOT,
        env={**clean_environment(), **environment(tmp_path, models=models)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "text,decision,spam,abuse,reasons\n",
        "",
    )
