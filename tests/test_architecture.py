"""The house rules that a reader relies on: imports run one way, and rooms stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([*ROOT.glob("moderation/**/*.py"), *ROOT.glob("training/**/*.py")])
FACES = {"api", "review", "akismet", "perspective", "coral", "openai_moderations", "chat", "docs"}
CORE = {
    "verdict",
    "text",
    "features",
    "weights",
    "classifier",
    "html_policy",
    "moderator",
    "checks",
    "lists",
}


def room_of(module: Path) -> str:
    """The file or folder of the package that it stands in."""
    return module.relative_to(ROOT).parts[1].removesuffix(".py")


ROOMS = {room_of(module) for module in MODULES if module.is_relative_to(ROOT / "moderation")}


def rooms_of(module: Path) -> set[str]:
    """The rooms of `moderation` that it imports from."""
    names = (name.split(".") for name in imports_of(module))
    return {name[1] for name in names if name[0] == "moderation" and len(name) > 1} & ROOMS


def imports_of(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_vocabulary_imports_nothing_of_ours() -> None:
    found = imports_of(ROOT / "moderation" / "verdict.py")
    assert not {name for name in found if name.startswith(("moderation", "training"))}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_service_never_imports_training(module: Path) -> None:
    if module.is_relative_to(ROOT / "moderation"):
        assert not {name for name in imports_of(module) if name.split(".")[0] == "training"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_core_knows_no_framework_and_no_face(module: Path) -> None:
    if module.is_relative_to(ROOT / "moderation") and room_of(module) in CORE:
        found = imports_of(module)
        assert not {name for name in found if name.split(".")[0] in {"flask", "sqlalchemy"}}
        assert not rooms_of(module) & FACES


def test_imports_between_rooms_run_one_way() -> None:
    graph: dict[str, set[str]] = {}
    for module in ROOT.glob("moderation/**/*.py"):
        room = room_of(module)
        graph.setdefault(room, set()).update(rooms_of(module) - {room})
    assert len([*TopologicalSorter(graph).static_order()]) >= len(graph)  # or it says the cycle


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_demo_blog_knows_the_service_only_through_the_client(module: Path) -> None:
    if module.parent == ROOT / "moderation" / "demo":
        ours = {name for name in imports_of(module) if name.split(".")[0] == "moderation"}
        known = ("moderation.client", "moderation.demo")
        assert not {name for name in ours if not name.startswith(known)}


def test_only_the_list_of_checks_knows_all_checks() -> None:
    names = {path.stem for path in (ROOT / "moderation" / "checks").glob("*.py")}
    names -= {"__init__", "case"}
    for module in MODULES:
        if module.parent.name == "checks":
            continue
        found = {f"moderation.checks.{name}" for name in names} & imports_of(module)
        assert not found, f"{module.name} knows {found}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_file_has_outgrown_one_idea(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


def test_importing_the_app_loads_no_scikit_learn() -> None:
    code = (
        "import sys, moderation.app; "
        "print([m for m in ('sklearn', 'scipy', 'matplotlib', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_scoring_a_file_loads_neither_the_service_nor_what_trains() -> None:
    unneeded = ("flask", "marshmallow", "sqlalchemy", "joblib", "sklearn", "scipy", "pyarrow")
    code = (
        "import sys, moderation.cli, moderation.commands.score, moderation.bulk; "
        f"print([m for m in {unneeded} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
