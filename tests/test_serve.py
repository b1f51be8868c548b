"""The started service, over real HTTP: how it starts, what it withstands, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moderation.store import Store
from tests.serving import (
    COMMAND,
    ROOT,
    Served,
    clean_environment,
    configured,
    dripping,
    environment,
    free_port,
    write_model,
)

COMMENT = {"content": "Cheap pills here"}
BODY = json.dumps(COMMENT).encode()
HEAD = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(BODY)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model."""
    folder = tmp_path_factory.mktemp("home")
    write_model(folder / "models", "small-2")
    write_model(folder / "models", "small-1")
    return folder


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    """One service for the tests that leave it as it was."""
    with Served(home, flood_window=0, duplicate_window=0) as service:
        yield service


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    """A folder of a test's own, with the model."""
    (tmp_path / "models").symlink_to(home / "models")
    return tmp_path


def refused(folder: Path, *options: str, **given: object) -> str:
    """The one line of a `serve` that does not start."""
    done = subprocess.run(
        [*COMMAND, "serve", *options],
        cwd=ROOT,
        env={**clean_environment(), **environment(folder, **given)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_it_answers_soon_after_the_command(folder: Path) -> None:
    started = time.monotonic()
    with Served(folder) as service:
        assert service.call("GET", "/readyz").json["status"] == "ready"
        # 0.8 s on the machine this was written on, and room for a busy one
        assert time.monotonic() - started < 3


def test_it_says_where_it_listens_and_that_it_is_open(served: Served) -> None:
    assert f"listening on http://127.0.0.1:{served.port}" in served.log()
    assert "no key was created yet" in served.log()


def test_scikit_learn_stays_out_of_the_serving_process() -> None:
    program = (
        "import sys, moderation.server, moderation.app, moderation.bulk\n"
        "heavy = ('sklearn', 'scipy', 'pandas', 'training')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"


def test_a_verdict_is_recorded_over_http(served: Served) -> None:
    verdict = served.call("POST", "/v1/comments", COMMENT).json
    assert verdict["decision"] == "hold"
    assert served.call("GET", f"/v1/comments/{verdict['id']}").json["verdict"] == verdict


def test_sigterm_finishes_what_is_begun_and_exits_0(folder: Path) -> None:
    with Served(folder) as service:
        answers: list[Any] = []
        batch = {"comments": [{"content": f"A fine day number {n}"} for n in range(1000)]}
        sender = threading.Thread(
            target=lambda: answers.append(service.call("POST", "/v1/comments/batch", batch))
        )
        sender.start()
        time.sleep(0.15)
        assert service.stop() == 0
        sender.join()
    assert len(answers[0].json["verdicts"]) == 1000


def test_ctrl_c_exits_0_without_a_word(folder: Path) -> None:
    with Served(folder) as service:
        before = service.log()
        assert service.stop(signal.SIGINT) == 0
        assert service.log() == before


def test_a_port_in_use_is_one_line_and_exit_2(served: Served, folder: Path) -> None:
    assert str(served.port) in refused(folder, "--port", str(served.port))


def test_an_address_that_is_not_here_is_one_line_and_exit_2(folder: Path) -> None:
    assert "nowhere.invalid" in refused(folder, "--host", "nowhere.invalid")
    assert "192.0.2.1" in refused(folder, "--host", "192.0.2.1")


def test_bad_settings_are_one_line_and_exit_2(folder: Path) -> None:
    assert "MODERATION_PORT" in refused(folder, "--port", "99999")
    assert "MODERATION_WORKERS" in refused(folder, "--workers", "0")
    assert "MODERATION_HSOT" in refused(folder, hsot="x")
    assert "MODERATION_DATABASE" in refused(folder, database="mysql://x")


def test_on_another_address_it_needs_a_key_first(folder: Path) -> None:
    port = str(free_port())
    assert "moderation keys create" in refused(folder, "--host", "0.0.0.0", "--port", port)
    store = Store.open(configured(folder).database)
    key = store.keys.create("blog", "submit")
    store.close()
    with Served(folder, "--host", "0.0.0.0") as service:
        assert "open to everybody" not in service.log()
        assert service.call("POST", "/v1/comments", COMMENT).status == 401
        headers = {"Authorization": f"Bearer {key}"}
        assert service.call("POST", "/v1/comments", COMMENT, headers).status == 200
        assert service.call("GET", "/v1/comments", headers=headers).status == 403


def test_a_model_that_was_changed_stops_the_start(folder: Path, tmp_path: Path) -> None:
    models = tmp_path / "other"
    write_model(models)
    with (models / "small-1" / "model.joblib").open("ab") as file:
        file.write(b"x")
    assert "small-1" in refused(folder, "--models-dir", str(models))


def test_localhost_and_ipv6_can_be_listened_on(folder: Path) -> None:
    with Served(folder, "--host", "localhost") as service:
        assert service.call("GET", "/healthz").status == 200
    with Served(folder, "--host", "::1") as service:
        assert f"http://[::1]:{service.port}" in service.log()


def test_a_proxy_client_may_name_the_whole_address(served: Served) -> None:
    request = b"POST http://KEY.rest.akismet.com/v1/comments HTTP/1.1\r\n"
    answer = served.raw(request + b"Host: KEY.rest.akismet.com\r\n" + HEAD + b"\r\n" + BODY)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_connect_is_refused_at_once(served: Served) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 404 ")
    assert time.monotonic() - started < 0.5


def test_an_http_1_0_client_gets_a_length_and_no_chunks(served: Served) -> None:
    answer = served.raw(b"POST /v1/comments HTTP/1.0\r\n" + HEAD + b"\r\n" + BODY)
    assert answer.startswith(b"HTTP/1.0 200 ")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert b"content-length: %d" % len(body) in head


def test_a_chunked_body_is_read(served: Served) -> None:
    request = (
        b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    )
    assert served.raw(request).startswith(b"HTTP/1.1 200 ")


def test_a_body_over_the_limit_is_refused_before_it_is_sent(served: Served) -> None:
    request = (
        b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = served.raw(request)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


def test_a_chunked_body_over_the_limit_is_refused(served: Served) -> None:
    request = (
        b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    )
    request += b"10000\r\n" + (b"x" * 0x10000 + b"\r\n10000\r\n") * 19
    assert served.raw(request).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "request_",
    [
        b"GARBAGE\r\n\r\n",
        b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /v1/comments?q=\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
    ],
    ids=["garbage", "negative", "two lengths", "bytes", "header"],
)
def test_what_is_not_http_is_refused_and_others_are_served(served: Served, request_: bytes) -> None:
    assert served.raw(request_)[:10] in (b"HTTP/1.1 4", b"")
    assert served.call("GET", "/healthz").status == 200


def test_bytes_that_are_not_utf8_are_refused(served: Served) -> None:
    answer = served.call("POST", "/v1/comments", b'{"content": "\xff"}')
    assert (answer.status, answer.json["title"]) == (400, "Broken JSON")
    assert served.call("GET", "/v1/comments?q=%ff").status == 200


def test_clients_that_drip_hold_up_nobody(served: Served) -> None:
    with dripping(served.port, 200):
        slowest = 0.0
        for _ in range(50):
            started = time.monotonic()
            assert served.call("POST", "/v1/comments?record=false", COMMENT).status == 200
            slowest = max(slowest, time.monotonic() - started)
    assert slowest < 1


def test_a_connection_is_kept_for_several_requests(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    sockets = set()
    for _ in range(3):
        connection.request("POST", "/v1/comments", BODY, {"Content-Type": "application/json"})
        assert connection.getresponse().read()
        assert connection.sock is not None
        sockets.add(connection.sock.getsockname())
    connection.close()
    assert len(sockets) == 1


def test_a_killed_worker_is_replaced_and_what_was_recorded_is_there(folder: Path) -> None:
    with Served(folder, "--workers", "2") as service:
        recorded = service.call("POST", "/v1/comments", COMMENT).json["id"]
        before = service.workers()
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        deadline = time.monotonic() + 10
        while len({*service.workers()} - {before[0]}) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len({*service.workers()} - {before[0]}) == 2
        for _ in range(20):
            assert eventually(service, f"/v1/comments/{recorded}") == 200
        assert service.stop() == 0


def eventually(service: Served, path: str) -> int:
    """The status of the first answer; a connection to the killed worker may be reset."""
    for _ in range(50):
        try:
            return service.call("GET", path).status
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.05)
    return 0


def test_workers_end_when_the_main_process_is_killed(folder: Path) -> None:
    with Served(folder) as service:
        (worker,) = service.workers()
        service.stop(signal.SIGKILL)
        deadline = time.monotonic() + 5
        while running(worker) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not running(worker)


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_figures_are_of_all_workers(folder: Path) -> None:
    with Served(folder, "--workers", "2", flood_window=0, duplicate_window=0) as service:
        for _ in range(30):
            service.call("POST", "/v1/comments?record=false", COMMENT)
        for _ in range(5):
            figures = service.call("GET", "/metrics").body.decode()
            assert 'moderation_verdicts_total{decision="hold",model="small-1"} 30.0' in figures


def test_a_model_is_switched_in_all_workers_without_a_dropped_request(
    home: Path, tmp_path: Path
) -> None:
    write_model(tmp_path / "models", "small-2")
    write_model(tmp_path / "models", "small-1")
    statuses: list[int] = []
    versions: list[str] = []
    with Served(tmp_path, "--workers", "2") as service:
        stop = threading.Event()

        def send() -> None:
            while not stop.is_set():
                answer = service.call("POST", "/v1/comments?record=false", COMMENT)
                statuses.append(answer.status)
                versions.append(answer.json["model"])

        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(0.2)
        assert service.call("POST", "/v1/models/small-2/activate").json["active"] == "small-2"
        after = len(versions)
        time.sleep(0.3)
        stop.set()
        sender.join()
    assert {*statuses} == {200}
    assert versions[0] == "small-1"
    assert {*versions[after + 1 :]} == {"small-2"}


def test_a_key_is_never_in_the_log(served: Served) -> None:
    served.call("GET", "/v1/policy", headers={"Authorization": "Bearer SECRETSECRET"})
    served.call("POST", "/v1/comments", {"content": "private words"})
    assert "SECRET" not in served.log()
    assert "private" not in served.log()
