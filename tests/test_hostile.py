"""What the started service withstands: hostile clients, while honest ones are served."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from moderation.store import Store
from tests.serving import Answer, Served, configured, dripping, write_model

COMMENT = {"content": "A fine day"}
BODY = json.dumps(COMMENT).encode()
POST = b"POST /v1/comments?record=false HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("home")
    write_model(folder / "models")
    with Served(folder, flood_window=0, duplicate_window=0) as service:
        yield service


def honest(service: Served) -> Answer:
    """Somebody else's comment; a service that is held up does not answer within ten seconds."""
    answer = service.call("POST", "/v1/comments", COMMENT)
    assert answer.json["decision"] == "publish"
    return answer


# ------------------------------------------------------------------ our own description


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """All its phases, from our own OpenAPI document."""
    write_model(tmp_path / "models")
    store = Store.open(configured(tmp_path).database)
    key = store.keys.create("default", "admin")
    store.close()
    with Served(tmp_path, flood_window=0, duplicate_window=0) as service:
        arguments = ["run", f"http://127.0.0.1:{service.port}/openapi.json"]
        arguments += ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "8"]
        arguments += ["--header", f"Authorization: Bearer {key}", "--seed", "1", "--no-color"]
        config = str(Path(__file__).with_name("schemathesis.toml"))
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--config-file", config, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        assert "Traceback" not in service.log()
        assert "ERROR" not in service.log()


# ------------------------------------------------------------------ slow and many


def test_bodies_that_drip_hold_up_nobody(served: Served) -> None:
    """More of them than there were threads once."""
    with dripping(served.port, 700, only=2):
        for _ in range(5):
            honest(served)


def test_a_thousand_idle_connections_hold_up_nobody(served: Served) -> None:
    with dripping(served.port, 1000):
        for _ in range(5):
            honest(served)


def test_a_burst_is_answered_to_the_last(served: Served) -> None:
    """By a verdict, or by a time to come again."""
    with ExitStack() as stack, ThreadPoolExecutor(50) as pool:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=20))
            for _ in range(400)
        ]

        def send(connection: socket.socket) -> bytes:
            connection.sendall(POST + LENGTH + b"Connection: close\r\n\r\n" + BODY)
            received = b""
            while piece := connection.recv(65536):
                received += piece
            return received

        for answer in pool.map(send, connections):
            head = answer.lower()
            assert head.startswith(b"http/1.1 200 ") or b"retry-after: " in head
    honest(served)


def test_who_hangs_up_in_the_middle_harms_nobody(served: Served) -> None:
    request = POST + LENGTH + b"\r\n" + BODY
    for end in range(0, len(request), 7):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.sendall(request[:end])
    honest(served)


def test_who_closes_one_side_is_answered_or_hung_up_on(served: Served) -> None:
    for body in (BODY, BODY[:5]):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.sendall(POST + LENGTH + b"\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
            assert answer == b"" or (b" 200 " in answer[:13]) == (body == BODY)
    honest(served)


# ------------------------------------------------------------------ odd HTTP


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(20_000)),
        b"X: y\r\n" * 20_000,
        b"Cookie: " + b"a=b; " * 50_000 + b"\r\n",
        b"X-" + b"y" * 500_000 + b": z\r\n",
    ],
    ids=["many", "the same", "cookies", "long name"],
)
def test_a_flood_of_headers_is_refused(served: Served, headers: bytes) -> None:
    answer = served.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n")
    assert answer[:10] in (b"HTTP/1.1 4", b"")
    honest(served)


@pytest.mark.parametrize(
    "lines",
    [
        LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: +4\r\n\r\n{}{}",
        b"Content-Length: 4, 4\r\n\r\n{}{}",
        b"Content-Length: 4\r\nContent-Length: 0\r\n\r\n{}{}",
        b"Content-Length: 0x4\r\n\r\n{}{}",
        b"Content-Length: 99999999999999999999\r\n\r\n{}{}",
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
        b"X: a\r\n folded: b\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_nothing_is_smuggled_behind_an_ambiguous_request(served: Served, lines: bytes) -> None:
    """A proxy in front may take another view of where it ends; so the connection ends here."""
    answer = served.raw(POST + lines + NEXT)
    assert b"/smuggled" not in answer
    assert answer.count(b"HTTP/1.1 404 ") == 0, answer
    assert b"HTTP/1.1 200 " not in answer
    honest(served)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
def test_a_compressed_body_is_refused_unread(served: Served, encoding: str) -> None:
    bomb = gzip.compress(b'{"content": "' + b"x" * 30_000_000 + b'"}')
    answer = served.call("POST", "/v1/comments", bomb, {"Content-Encoding": encoding})
    assert (answer.status, answer.json["title"]) == (415, "Wrong media type")


def test_a_method_is_what_the_request_line_says(served: Served) -> None:
    address = f"/v1/comments/{honest(served).json['id']}"
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert (
            served.call("GET", f"{address}?_method=DELETE", None, {header: "DELETE"}).status == 200
        )
    for method in ("TRACE", "OPTIONS", "PROPFIND", "PUT", "PATCH", "X" * 300):
        assert served.call(method, address).status in (400, 405), method
    for method in ("HEAD", "GET"):
        assert served.call(method, address).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1//comments",
        "/v1/../v1/comments",
        "/v1/comments/..%2f..%2fmodels",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/docs/..%2f..%2fREADME",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1/comments/%0d%0aSet-Cookie:%20x",
        "/v1/comments/%00",
    ],
)
def test_a_path_leads_nowhere_but_to_its_route(served: Served, path: str) -> None:
    answer = served.call("GET", path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answer.headers


def test_a_header_of_an_answer_holds_nothing_that_was_sent(served: Served) -> None:
    odd = {"X-Request-Id": "a\tb", "Idempotency-Key": "k", "Origin": "https://evil.example"}
    answer = served.call("POST", "/v1/comments", {"content": "x\r\nSet-Cookie: a=b"}, odd)
    assert answer.status == 200
    assert not {"set-cookie", "access-control-allow-origin"} & answer.headers.keys()


def test_pipelined_requests_are_answered_in_their_order(served: Served) -> None:
    answer = served.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT)
    assert [piece[:3] for piece in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"]
