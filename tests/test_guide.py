"""The guide: its links lead somewhere, its commands run, its examples do what they say.

A block that begins with ```sh run is run, against a service of its page's own; one that begins with
```sh run=1 must exit with 1.
```python file=NAME is a file. Every other block is only to be read.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moderation import settings
from moderation.docs import GUIDE, anchor, guide
from moderation.shelf import shipped
from tests.serving import ROOT, Served, app_in, client_of, environment, write_model
from tests.test_real_clients import NODE_MODULES, PYTHON, TEXTS

PAGES = sorted(GUIDE.glob("*.md"))
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^( *)```(\w+) ?([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    info: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    for indent, language, info, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        yield Block(language, info, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))


def block(page: str, language: str, word: str) -> str:
    """The one block of a page with this word in it."""
    (found,) = (b.text for b in blocks(GUIDE / page) if b.language == language and word in b.text)
    return found


RUNNABLE = [page for page in PAGES if any(b.info.startswith("run") for b in blocks(page))]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    if not any(shipped().glob("*/manifest.json")):
        write_model(tmp_path / "models")
    with Served(tmp_path) as started:
        yield started


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(page: Path, tmp_path: Path) -> None:
    client = client_of(app_in(tmp_path))
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        file, _, place = link.partition("#")
        if file.startswith("/docs/model-card"):
            continue  # of the model that serves; the word models of tests have none
        if file.startswith("/"):
            answer = client.get(file)
            assert answer.status_code == 200, link
            assert not place or f'id="{place}"' in answer.text, link
            continue
        target = page.parent / file if file else page
        assert target.exists(), link
        if place:
            headings = _HEADING.findall(target.read_text(encoding="utf-8"))
            assert place in map(anchor, headings), link


def test_every_page_is_shown_and_loads_nothing_from_outside(tmp_path: Path) -> None:
    client = client_of(app_in(tmp_path))
    assert guide()[0].name == "quick-start"
    for page in guide():
        answer = client.get(f"/docs/{page.name}")
        assert answer.status_code == 200
        assert f'<h1 id="{anchor(page.title)}">' in answer.text
        assert not re.findall(r'(?:src|srcset)="(?:https?:)?//', answer.text)


def test_the_bare_address_leads_to_the_docs(tmp_path: Path) -> None:
    answer = client_of(app_in(tmp_path)).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/docs")


def test_files_that_pages_show_can_be_had_and_no_others(tmp_path: Path) -> None:
    client = client_of(app_in(tmp_path))
    for file in GUIDE.glob("*/*"):
        answer = client.get(f"/docs/{file.parent.name}/{file.name}")
        assert answer.data == file.read_bytes()
        assert answer.content_type.startswith("text/plain")
    for path in ("/docs/https/ca.key", "/docs/../keys.py", "/docs/https/..%2f01-quick-start.md"):
        assert client.get(path).status_code == 404, path


def test_the_card_of_the_active_model_is_a_page_with_its_plots(served: Served) -> None:
    page = served.call("GET", "/docs/model-card")
    assert page.status == 200
    assert b"Model " in page.body
    for plot in re.findall(rb'<img src="([^"]+)"', page.body):
        answer = served.call("GET", plot.decode())
        assert answer.body.startswith(b"\x89PNG"), plot
    assert served.call("GET", "/docs/model-card/manifest.json").status == 404


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda path: path.stem)
def test_commands_run(page: Path, served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    programs = folder / "bin"
    programs.mkdir()
    # an error must not pass for an answer
    curl = programs / "curl"
    curl.write_text('#!/bin/sh\nexec /usr/bin/curl --fail-with-body "$@"\n')
    curl.chmod(0o755)
    (programs / "moderation").write_text(f'#!/bin/sh\nexec {sys.executable} -m moderation "$@"\n')
    (programs / "moderation").chmod(0o755)
    known = {**os.environ, "PYTHONPATH": str(ROOT), **environment(tmp_path)}
    path = f"{programs}:{os.environ['PATH']}"
    for command in blocks(page):
        if command.language != "sh" or not command.info.startswith("run"):
            continue
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command.text.replace(":8000", f":{served.port}")],
            cwd=folder,
            env={**known, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        expected = int(command.info.removeprefix("run").removeprefix("=") or 0)
        assert done.returncode == expected, command.text + done.stdout + done.stderr
        assert done.stdout.strip() != "hold", "the service did not answer: " + command.text


def test_the_blog_in_ten_lines_publishes_and_holds(served: Served) -> None:
    blog: dict[str, Any] = {"__name__": "blog"}
    text = next(b.text for b in blocks(GUIDE / "16-own-blog.md") if b.info == "file=blog.py")
    exec(compile(text.replace(":8000", f":{served.port}"), "blog.py", "exec"), blog)
    client = blog["app"].test_client()

    def send(content: str) -> str:
        return str(client.post("/comments", data={"text": content, "name": "Jane"}).text)

    assert send(TEXTS["HAM_TEXT"]) == "Thank you!"
    assert "first" in send(TEXTS["SPAM_TEXT"])
    served.stop()
    assert "first" in send("Also a fine comment, sent while nobody answers.")
    assert len(blog["published"]) == 1
    assert len(blog["waiting"]) == 2


def test_the_settings_file_is_one_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(block("03-tuning.md", "toml", "[sites.news]"))
    known = settings.load({"MODERATION_CONFIG": str(tmp_path / "site.toml")})
    assert known.policy("news").block_words == ("casino",)
    assert known.policy("forum").promise == 0.01


def test_the_example_for_akismet_api(served: Served) -> None:
    if not (NODE_MODULES / "akismet-api").is_dir():
        pytest.skip("the npm package akismet-api is not installed (tests/clients)")
    example = block("14-clients.md", "js", "akismet-api").replace(":8000", f":{served.port}")
    example = example.replace("your-key", "abcdef012345")
    ask = "client.checkSpam({user_ip: '192.0.2.1', content: process.env.SPAM_TEXT})"
    known = {**os.environ, **TEXTS, "NODE_PATH": str(NODE_MODULES)}
    command = ["node", "-e", f"{example};{ask}.then(held => console.log(held))"]
    assert subprocess.check_output(command, env=known, text=True).strip() == "true"


def test_the_example_for_pypi_akismet(served: Served) -> None:
    if not PYTHON.exists():
        pytest.skip("the clients of tests/clients/requirements.txt are not installed")
    example = block("14-clients.md", "python", "akismet").replace("8000", str(served.port))
    example = example.replace("your-key", "abcdef012345") + (
        "\nimport os\n"
        "print(client.comment_check('192.0.2.1', comment_content=os.environ['SPAM_TEXT']).name)"
    )
    known = {**os.environ, **TEXTS}
    said = subprocess.check_output([PYTHON, "-c", example], env=known, text=True)
    assert said.strip() == "SPAM"
