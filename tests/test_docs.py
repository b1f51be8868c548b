"""What the README says is there, and what is there stands in the README."""

from __future__ import annotations

import re
from pathlib import Path

from moderation import settings
from moderation.cli import commands
from moderation.verdict import REASON_CODES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_readme_as_the_table_says() -> None:
    assert settings.as_markdown().strip() in README


def test_every_reason_code_is_in_the_readme() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \| ", README, re.MULTILINE))
    assert set(REASON_CODES) <= listed


def test_every_command_is_in_the_readme_or_the_changelog() -> None:
    known = README + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    context = commands.make_context("moderation", ["--help"], resilient_parsing=True)
    for name in commands.list_commands(context):
        assert f"moderation {name}" in known or f"`{name}`" in known, name


def test_every_dependency_has_a_line_in_the_readme() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project[project.index("dependencies = [") : project.index("[project.optional")]
    for name in re.findall(r'^    "([A-Za-z0-9-]+)', block, re.MULTILINE):
        assert name in README, name


def test_links_to_files_lead_somewhere() -> None:
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page.name} → {target}"


def test_ci_runs_the_readmes_test_command() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = next(line for line in README.splitlines() if line.endswith("/pytest"))
    for step in command.split(" && "):
        assert step in ci, step
