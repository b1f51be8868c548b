"""`moderation demo` as a newcomer runs it: how it starts, what it says, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from moderation.client import Client
from moderation.store import Store
from tests.serving import COMMAND, ROOT, clean_environment, free_port, write_model


class Demo:
    """A started `moderation demo`."""

    def __init__(self, folder: Path, *options: str, **given: object) -> None:
        self.port, self.blog_port = free_port(), free_port()
        self.blog = f"http://127.0.0.1:{self.blog_port}/"
        self._errors = folder / "errors.log"
        ports = ["--port", str(self.port), "--blog-port", str(self.blog_port)]
        (folder / "tmp").mkdir(exist_ok=True)
        settings = {"models": folder / "models", "min_seconds": 0, **given}
        with self._errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "demo", *ports, *options],
                cwd=ROOT,
                env={
                    **clean_environment(),
                    **{f"MODERATION_{k.upper()}": str(v) for k, v in settings.items()},
                    "TMPDIR": str(folder / "tmp"),
                },
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __enter__(self) -> Self:
        assert self.process.stdout
        self.said = [self.process.stdout.readline() for _ in range(5)]
        assert "Ctrl-C" in self.said[-1], self.errors()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)
        if self.process.stdout:
            self.process.stdout.close()

    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8")

    def end(self, by: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(by)
        return self.process.wait(timeout=30)

    def service(self) -> int:
        """The process id of the service."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        (pid,) = Path(path).read_text().split()
        return int(pid)

    def page(self, path: str = "") -> str:
        with urlopen(self.blog + path, timeout=20) as response:
            return str(response.read().decode())

    def post(self, content: str) -> str:
        with urlopen(self.blog, urlencode({"content": content}).encode(), timeout=20) as response:
            return str(response.read().decode())


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "models")
    return tmp_path


@pytest.fixture
def demo(folder: Path) -> Iterator[Demo]:
    with Demo(folder) as started:
        yield started


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_one_command_starts_both_and_ctrl_c_ends_both(folder: Path, by: int) -> None:
    with Demo(folder) as demo:
        said = "".join(demo.said)
        assert f"The blog: {demo.blog}\n" in said
        for page in ("review", "docs"):
            assert f": http://127.0.0.1:{demo.port}/{page}\n" in said
        assert "until this ends" in said
        assert "1 comment." in demo.post("A fine day")
        assert "held for a moderator" in demo.post("Cheap pills here")
        assert demo.end(by) == 0
        assert is_free(demo.port)
        assert is_free(demo.blog_port)
        assert [*(folder / "tmp").iterdir()] == []
        assert "Traceback" not in demo.errors()
        assert "fine day" not in demo.errors()
        assert "comment=" not in demo.errors()


def test_ctrl_c_while_it_starts_ends_it_too(folder: Path) -> None:
    demo = Demo(folder)
    assert soon(lambda: [*(folder / "tmp").iterdir()] != [] or demo.process.poll() is not None)
    time.sleep(0.3)
    assert demo.end(signal.SIGINT) == 0
    assert "Traceback" not in demo.errors()
    assert soon(lambda: is_free(demo.port))
    assert demo.process.stdout
    demo.process.stdout.close()


def test_the_article_is_there_and_leads_to_the_moderators_page(demo: Demo) -> None:
    page = demo.page()
    assert "<h1>Hexley library reopens two years after the flood" in page
    assert f'href="http://127.0.0.1:{demo.port}/review"' in page


def test_a_folder_keeps_the_comments(folder: Path) -> None:
    kept = folder / "kept"
    for count in (1, 2):
        with Demo(folder, "--folder", str(kept)) as demo:
            assert str(kept) in "".join(demo.said)
            assert f"{count} comment" in demo.post(f"A fine day, number {count}")
            if count == 2:
                assert "number 1" in demo.page()


def test_a_database_of_ones_own_is_used_and_its_keys_are_kept_to(
    folder: Path, postgres_url: str, database_url: str
) -> None:
    store = Store.open(database_url)
    store.keys.create("default", "admin")
    with Demo(folder, database=database_url) as demo:
        assert "1 comment." in demo.post("A fine day")
        assert Client(f"http://127.0.0.1:{demo.port}", time_limit=5).check("x").error[:3] == "401"
        demo.end(signal.SIGINT)
    (kept,) = store.queue("default").comments
    assert kept.comment.content == "A fine day"
    # the blog's own key ended with it
    assert [(key.role, bool(key.revoked)) for key in store.keys.list()] == [
        ("admin", False),
        ("submit", True),
    ]
    store.close()


def test_the_blog_goes_on_when_the_service_ends(demo: Demo) -> None:
    os.kill(demo.service(), signal.SIGTERM)
    assert soon(lambda: "the service has ended" in demo.errors())
    assert "held here and sent to moderation by itself" in demo.post("A fine day")
    assert demo.end(signal.SIGINT) == 0


def test_the_service_does_not_outlive_a_demo_that_is_killed(demo: Demo) -> None:
    demo.end(signal.SIGKILL)
    assert soon(lambda: is_free(demo.port))


@pytest.mark.parametrize("taken", ["--port", "--blog-port"])
def test_a_port_that_is_taken_is_told_in_a_line(folder: Path, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = refused(folder, taken, str(listener.getsockname()[1]))
    assert "already. Stop it, or choose another" in done
    assert f"{taken}." in done


def test_a_bad_setting_is_told_in_a_line(folder: Path) -> None:
    assert "MODERATION_PROMISE" in refused(folder, promise="much")


def refused(folder: Path, *options: str, **given: Any) -> str:
    demo = Demo(folder, *options, **given)
    said, _ = demo.process.communicate(timeout=30)
    assert (demo.process.returncode, said) == (2, "")
    assert demo.errors().count("\n") == 1
    return demo.errors()


def test_the_help_says_what_it_does_and_where(folder: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "demo", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for part in ("--port", "8000", "--blog-port", "8001", "--folder", "MODERATION_DATABASE"):
        assert part in re.sub(r"\s+", " ", done.stdout)
