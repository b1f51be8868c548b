"""The Python client, against the real service and against servers that misbehave."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from moderation import client as client_module
from moderation.client import Answer, Client, NoAnswer
from tests.protocols import ABUSE, HAM, SPAM, faces_app, key_for, recorded
from tests.serving import free_port

VERDICT = {
    "id": "1",
    "decision": "publish",
    "reasons": [],
    "scores": {"spam": 0.1, "abuse": 0.1},
    "html": "fine",
    "changes": [],
    "language": {"code": "en", "evaluated": True},
    "degraded": False,
    "model": "m",
}
Reply = tuple[int, dict[str, str], bytes]


class Scripted:
    """A server that answers the next reply of a list, and the last one from then on."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.keys: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.keys.append(self.headers["Idempotency-Key"])
                rest = outer.replies
                status, headers, body = rest.pop(0) if len(rest) > 1 else rest[0]
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    started: list[Scripted] = []

    def start(*replies: Reply) -> Scripted:
        started.append(Scripted(*replies))
        return started[-1]

    yield start
    for one in started:
        one.server.shutdown()
        one.server.server_close()


def good(**change: Any) -> Reply:
    return 200, {}, json.dumps({**VERDICT, **change}).encode()


def busy(status: int = 503, **headers: str) -> Reply:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, sent, b'{"detail": "Busy."}'


def timed(call: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


def is_held(answer: Answer, why: str) -> bool:
    return (answer.decision, answer.degraded, answer.reasons) == (
        "hold",
        True,
        ("degraded",),
    ) and why in answer.error


# The real service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Any]:
    app = faces_app(tmp_path)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    app.config["url"] = f"http://127.0.0.1:{server.server_port}"
    yield app
    server.shutdown()
    server.server_close()


def test_it_brings_the_verdict(service: Any) -> None:
    client = Client(service.config["url"], key_for(service), time_limit=5)
    answer = client.check(f"<b>{HAM}</b>", author={"name": "Jane"})
    assert (answer.decision, answer.degraded, answer.error) == ("publish", False, "")
    assert answer.html == f"<b>{HAM}</b>"
    assert answer.scores["abuse"] == 0.01
    assert answer.verdict["model"] == "heads-1"
    assert [client.check(text).reasons for text in (SPAM, ABUSE)] == [("spam",), ("abuse",)]
    assert recorded(service)[-1].id == answer.id


def test_the_same_comment_again_gets_the_first_verdict(service: Any) -> None:
    client = Client(service.config["url"], key_for(service), time_limit=5)
    ids = {client.check(HAM, external_id="7-1").id for _ in range(3)}
    ids |= {client.check(SPAM, idempotency_key="7-2").id for _ in range(3)}
    assert len(ids) == len(recorded(service)) == 2


def test_a_wrong_key_or_field_is_a_failure_that_says_why(service: Any) -> None:
    key = key_for(service)
    url = service.config["url"]
    assert is_held(Client(url, "wrong", time_limit=5).check(HAM), "401: ")
    assert is_held(Client(url, key, time_limit=5).check(HAM, autor={}), "422: autor")


def test_a_preview_is_not_recorded(service: Any) -> None:
    client = Client(service.config["url"], key_for(service), time_limit=5)
    answer = client.check("<b>Hello <script>", record=False, external_id="7-1")
    assert (answer.id, answer.html) == (None, "<b>Hello &lt;script&gt;</b>")
    assert answer.verdict["changes"]
    assert not recorded(service)


def test_it_asks_for_the_policy_and_what_became_of_a_comment(service: Any) -> None:
    client = Client(service.config["url"], key_for(service, "submit"), time_limit=5)
    assert client.policy()["sentence"].startswith("You can use some HTML tags: <b>")
    answer = client.check(SPAM)
    assert client.statement(str(answer.id))["status"] == "held"
    with pytest.raises(NoAnswer, match="404") as raised:
        client.statement("../policy")
    assert raised.value.status == 404


# Failures


def test_a_question_without_an_answer_raises(scripted: Callable[..., Scripted]) -> None:
    with pytest.raises(NoAnswer, match="no connection") as raised:
        Client(f"http://127.0.0.1:{free_port()}").policy()
    assert raised.value.status == 0
    for body in (b"[]", b"<html>"):
        with pytest.raises(NoAnswer, match="not understood"):
            Client(scripted((200, {}, body)).url, time_limit=5).policy()
    server = scripted(busy(), (200, {}, b"{}"))
    assert Client(server.url, time_limit=5).policy() == {}


def test_nobody_there_is_a_hold_in_time() -> None:
    client = Client(f"http://127.0.0.1:{free_port()}")
    answer, seconds = timed(lambda: client.check("<script>alert(1)</script>"))
    assert is_held(answer, "no connection")
    assert answer.html == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert seconds < 2


def test_the_site_may_choose_to_publish() -> None:
    client = Client(f"http://127.0.0.1:{free_port()}", on_failure="publish")
    answer = client.check("<i>")
    assert (answer.decision, answer.degraded, answer.html) == ("publish", True, "&lt;i&gt;")


def test_silence_is_a_hold_when_the_time_is_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(f"http://127.0.0.1:{silent.getsockname()[1]}", time_limit=0.3)
        answer, seconds = timed(lambda: client.check(HAM))
    assert is_held(answer, "no answer within 0.3 seconds")
    assert 0.2 < seconds < 2


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
def test_drips_do_not_stretch_the_time_and_leave_no_thread(start: bytes) -> None:
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                connection.sendall(start)
                while True:
                    connection.sendall(b"H")
                    time.sleep(0.05)
            except OSError:
                ended.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", time_limit=0.3)
        answer, seconds = timed(lambda: client.check(HAM))
        assert is_held(answer, "no answer within")
        assert seconds < 2
        assert ended.wait(5)


@pytest.mark.parametrize(
    "reply",
    [
        (200, {}, b"garbage"),
        (200, {}, b"[]"),
        (200, {}, b"null"),
        (200, {}, b""),
        (200, {}, b"\xff"),
        (200, {}, b"{}"),
        (200, {"Content-Length": "9999"}, b'{"decision"'),
        good(decision="maybe"),
        good(reasons=None),
        good(scores={"spam": "high"}),
        (204, {}, b""),
        (302, {"Location": "http://elsewhere.example/"}, b""),
        (500, {}, b"<html>"),
        (404, {}, b"{}"),
    ],
)
def test_what_is_no_verdict_is_a_hold_and_not_asked_again(
    scripted: Callable[..., Scripted], reply: Reply
) -> None:
    server = scripted(reply)
    answer = Client(server.url, time_limit=1).check(HAM)
    assert is_held(answer, "")
    assert answer.error
    assert len(server.keys) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_it_asks_again_twice_with_the_same_key(
    scripted: Callable[..., Scripted], status: int
) -> None:
    server = scripted(busy(status), busy(status), good())
    answer = Client(server.url, time_limit=5).check(HAM)
    assert (answer.decision, answer.degraded) == ("publish", False)
    assert len(server.keys) == 3
    assert len(set(server.keys)) == 1


def test_and_no_more_than_twice(scripted: Callable[..., Scripted]) -> None:
    server = scripted(busy())
    assert is_held(Client(server.url, time_limit=5).check(HAM), "503: Busy.")
    assert len(server.keys) == 3


def test_each_comment_has_a_key_of_its_own(scripted: Callable[..., Scripted]) -> None:
    server = scripted(good())
    client = Client(server.url, time_limit=5)
    client.check(HAM)
    client.check(HAM)
    assert len(set(server.keys)) == 2


@pytest.mark.parametrize("wait", ["30", "Fri, 31 Dec 2027 23:59:59 GMT"])
def test_it_does_not_wait_longer_than_the_reader(
    scripted: Callable[..., Scripted], wait: str
) -> None:
    server = scripted(busy(Retry_After=wait))
    answer, seconds = timed(lambda: Client(server.url, time_limit=5).check(HAM))
    assert is_held(answer, "503")
    assert (len(server.keys), seconds < 2) == (1, True)


def test_it_waits_as_long_as_it_is_told(scripted: Callable[..., Scripted]) -> None:
    server = scripted(busy(Retry_After="1"), good())
    answer, seconds = timed(lambda: Client(server.url, time_limit=5).check(HAM))
    assert (answer.decision, seconds >= 1) == ("publish", True)


def test_a_dropped_connection_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted = []

        def hang_up() -> None:
            for _ in range(3):
                connection, _ = listener.accept()
                accepted.append(connection.recv(65536))
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert is_held(Client(url, time_limit=5).check(HAM), "no connection")
        assert len(accepted) == 3


@pytest.mark.parametrize("facts", [{"author": {"name": object()}}, {"article": {1, 2}}])
def test_what_cannot_be_sent_is_a_failure_too(facts: dict[str, Any]) -> None:
    assert is_held(Client("http://127.0.0.1:1").check(HAM, **facts), "not sent")


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://a.example", "http://"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Client(url)


def test_a_choice_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="on_failure"):
        Client("http://127.0.0.1:8000", on_failure="reject")  # type: ignore[arg-type]


def test_it_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    copied = tmp_path / "copied_client.py"
    copied.write_bytes(Path(client_module.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", "-c", f"exec(open({str(copied)!r}).read())"]
    subprocess.run(command, check=True)
