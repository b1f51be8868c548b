"""Unmodified clients from PyPI and npm against a started service.

Their scripts lie in ../shared/clients, beside the repository; the clients are installed into
tests/clients as its package.json and requirements.txt say (.ci/run does it).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moderation.shelf import shipped
from tests.serving import COMMAND, ROOT, Served, clean_environment, environment, write_model

SCRIPTS = ROOT.parent / "shared" / "clients"
CLIENTS = ROOT / "tests" / "clients"
NODE_MODULES = CLIENTS / "node_modules"
PYTHON = CLIENTS / ".venv" / "bin" / "python"
SECONDS = 300

# Understood by the shipped model.
TEXTS = {
    "SPAM_TEXT": "I lost my savings to a fake broker, then a recovery expert on telegram got all "
    "my bitcoin back within two days. Contact him now on whatsapp, cheap pills too!",
    "HAM_TEXT": "Thanks for the write-up, the part about index locks saved my afternoon.",
    "TOXIC_TEXT": "You are a stupid idiot and a moron, shut up and die.",
    "NICE_TEXT": "Thanks for the write-up, the part about index locks saved my afternoon.",
}

pytestmark = pytest.mark.skipif(
    not SCRIPTS.is_dir(), reason="the clients' scripts (../shared/clients) are not here"
)


class Running:
    """The service, a key, and a way to let a script loose on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not any(shipped().glob("*/manifest.json")):
            write_model(folder / "models")
        command = [*COMMAND, "keys", "create", "--site", "default", "--role", "submit"]
        settings = {**clean_environment(), **environment(folder)}
        made = subprocess.run(
            command, cwd=ROOT, env=settings, check=True, capture_output=True, text=True
        )
        self.key = made.stdout.strip()
        self.served = Served(folder)

    def run(self, *command: str | Path, **more: str) -> None:
        """Run a check script of a client; it must end well and say how many steps passed."""
        program, *arguments = map(str, command)
        done = subprocess.run(
            [program, *arguments],
            cwd=SCRIPTS,
            env={**self._without_proxy(), **TEXTS, **more, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert " passed, 0 failed" in done.stdout

    @property
    def address(self) -> tuple[str, str]:
        """Base URL and key, as every script takes them."""
        return f"http://127.0.0.1:{self.served.port}", self.key

    def _without_proxy(self) -> dict[str, str]:
        return {k: v for k, v in clean_environment().items() if "proxy" not in k.lower()}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    here = Running(tmp_path_factory.mktemp("clients"))
    with here.served:
        yield here


@pytest.fixture
def python(request: pytest.FixtureRequest) -> Path:
    """A Python with the clients from PyPI: one of their own, or the one of the tests."""
    found = PYTHON if PYTHON.exists() else Path(sys.executable)
    needed = f"import {', '.join(request.param)}"
    asked = subprocess.run([found, "-c", needed], capture_output=True, check=False)
    if asked.returncode:
        pytest.skip(f"{' and '.join(request.param)} not installed (tests/clients/requirements.txt)")
    return found


@pytest.fixture
def node(request: pytest.FixtureRequest) -> str:
    """node, where this package is installed."""
    program = shutil.which("node")
    if program is None or not (NODE_MODULES / request.param).is_dir():
        pytest.skip(f"node or its package {request.param} is not installed (tests/clients)")
    return program


def needs_openssl() -> None:
    if shutil.which("openssl") is None:
        pytest.skip("the scripts make a certificate with the openssl command")


def test_the_odd_shapes_of_all_of_them(running: Running) -> None:
    running.run(sys.executable, "check_raw.py", *running.address)


@pytest.mark.parametrize("python", [("akismet", "httpx")], indirect=True)
def test_pypi_akismet(running: Running, python: Path) -> None:
    needs_openssl()
    running.run(python, "check_pypi_akismet.py", *running.address)


@pytest.mark.parametrize("python", [("googleapiclient", "perspective", "openai")], indirect=True)
def test_google_perspectiveapi_and_openai_from_pypi(running: Running, python: Path) -> None:
    needs_openssl()
    running.run(python, "check_perspective.py", *running.address)


@pytest.mark.parametrize("node", ["akismet-api"], indirect=True)
def test_npm_akismet_api_as_coral_and_twikoo_use_it(running: Running, node: str) -> None:
    script = ["--require", "./loopback-dns.js", "check_npm_akismet_api.js"]
    running.run(node, *script, *running.address, NODE_PATH=str(NODE_MODULES))


@pytest.mark.parametrize("node", ["akismet"], indirect=True)
def test_npm_akismet_as_waline_and_staticman_use_it(running: Running, node: str) -> None:
    running.run(node, "check_npm_akismet.js", *running.address, NODE_PATH=str(NODE_MODULES))


@pytest.mark.parametrize("node", ["perspective-api-client"], indirect=True)
def test_npm_perspective_api_client(running: Running, node: str) -> None:
    running.run(node, "check_npm_perspective.js", *running.address, NODE_PATH=str(NODE_MODULES))


@pytest.mark.parametrize("route", ["selfproxy", "proxy"])
@pytest.mark.parametrize("node", ["@waline/vercel"], indirect=True)
def test_a_whole_waline_server(running: Running, node: str, route: str) -> None:
    if not list((NODE_MODULES / "sqlite3").glob("build/**/*.node")):
        pytest.skip("Waline's sqlite3 is not built (npm rebuild sqlite3)")
    needs_openssl()
    script = ["check_waline.py", *running.address, "--npm", CLIENTS, "--route", route]
    path = os.pathsep.join([str(Path(node).parent), os.environ["PATH"]])
    running.run(sys.executable, *script, PATH=path)
