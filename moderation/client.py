"""A client for blogs in Python. It needs nothing but the standard library, and a blog may copy it.

    from moderation.client import Client

    moderation = Client("http://127.0.0.1:8000", key="…")
    answer = moderation.check("Great read!", author={"name": "Jane"}, external_id="comment-7-1")
    publish = answer.decision == "publish"

`check` always answers, and in time. Whatever goes wrong, the answer is the one that the blog chose
(`hold`, unless told otherwise), `degraded` is true and `error` says what it was. The other calls
only ask; they raise `NoAnswer`.
"""

from __future__ import annotations

import html
import http.client
import json
import math
import queue
import random
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote, urlsplit

Decision = Literal["publish", "hold"]
T = TypeVar("T")

TIME_LIMIT = 0.8
"""Seconds that a reader may wait for the page because of us."""

_RETRIES = 2
_PAUSE = 0.05
_TRY_AGAIN = (429, 502, 503, 504)
_LARGEST_ANSWER = 1 << 24


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with a comment. `html` is safe to insert into a page as it is."""

    decision: Decision
    html: str
    reasons: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    id: str | None = None
    degraded: bool = False
    error: str = ""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """The whole answer of the service; empty where there was none."""


class NoAnswer(Exception):
    """There was no answer, or none that is of use. `status` is 0 where not even HTTP came back."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


class Client:
    """One service and how to ask it. Safe to share between threads."""

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        time_limit: float = TIME_LIMIT,
        on_failure: Decision = "hold",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls`: for a certificate of one's own CA."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http:// or https:// URL")
        if on_failure not in ("publish", "hold"):
            raise ValueError("on_failure must be 'publish' or 'hold'")
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/") + "/v1"
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._key = key
        self._time_limit = time_limit
        self._on_failure = on_failure

    def check(
        self, content: str, *, idempotency_key: str = "", record: bool = True, **facts: Any
    ) -> Answer:
        """The verdict on a comment. `facts` are the other fields of POST /v1/comments: `author`,
        `article`, `parent`, `form`, `external_id`.

        With an `external_id` or `idempotency_key`, new for each edit, the same comment may be sent
        again later: it gets the first verdict. Retries in here never act twice.

        `record=False` stores nothing: for a preview of the comment's `html` and its `changes`.
        """
        path = "/comments" if record else "/comments?record=false"
        try:
            body = json.dumps({"content": content, **facts}).encode()
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": idempotency_key or uuid.uuid4().hex,
            }
            return self._call("POST", path, _verdict, body, headers)
        except (TypeError, ValueError, RuntimeError) as error:
            return self._failure(content, f"not sent: {error}")
        except NoAnswer as error:
            return self._failure(content, str(error))

    def policy(self) -> dict[str, Any]:
        """GET /v1/policy: what HTML a comment may hold, and the sentence that says so."""
        return self._call("GET", "/policy", _object)

    def statement(self, comment_id: str, languages: str = "") -> dict[str, Any]:
        """GET /v1/comments/{id}/statement: what has become of a comment, and what to tell its
        author. NoAnswer with status 404 where it was erased. `languages` is the `Accept-Language`
        of their browser, or the language of your pages; without it, that of the comment."""
        path = f"/comments/{quote(comment_id, safe='')}/statement"
        headers = {"Accept-Language": languages} if languages else None
        return self._call("GET", path, _object, headers=headers)

    def _call(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        request = (method, self._path + path, body, {**(headers or {}), **key})
        return _Call(self._connection, request, read, self._time_limit).outcome()

    def _failure(self, content: str, why: str) -> Answer:
        shown = html.escape(content) if isinstance(content, str) else ""
        return Answer(self._on_failure, shown, ("degraded",), degraded=True, error=why)

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=timeout, context=self._tls
        )


class _Call(Generic[T]):
    """One request's way to the service and back, in a thread of its own: a name server, a
    handshake or an answer in drips can each take longer than a socket's time-out says."""

    def __init__(
        self,
        connect: Callable[[float], http.client.HTTPConnection],
        request: tuple[str, str, bytes | None, dict[str, str]],
        read: Callable[[bytes], T],
        seconds: float,
    ) -> None:
        self._connect = connect
        self._request = request
        self._read = read
        self._late = NoAnswer(f"no answer within {seconds:g} seconds")
        self._deadline = time.monotonic() + seconds
        self._found: queue.SimpleQueue[T | NoAnswer] = queue.SimpleQueue()
        self._socket: socket.socket | None = None

    def outcome(self) -> T:
        """What was read, in time; else NoAnswer."""
        threading.Thread(target=self._run, daemon=True).start()
        try:
            found: T | NoAnswer = self._found.get(timeout=self._left())
        except queue.Empty:
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)  # ends the thread
            found = self._late
        if isinstance(found, NoAnswer):
            raise found
        return found

    def _left(self) -> float:
        return max(0.001, self._deadline - time.monotonic())

    def _run(self) -> None:
        try:
            self._found.put(self._tries())
        except Exception as error:  # nobody would see it in this thread
            self._found.put(NoAnswer(f"failed: {type(error).__name__}: {error}"))

    def _tries(self) -> T | NoAnswer:
        for attempt in range(_RETRIES + 1):
            found, pause = self._try()
            if pause is None:
                break
            # Jittered, so that those who were refused together do not come back together.
            pause = max(pause, _PAUSE * 2**attempt) * random.uniform(1, 1.5)
            if attempt == _RETRIES or pause >= self._left():
                break
            time.sleep(pause)
        return found

    def _try(self) -> tuple[T | NoAnswer, float | None]:
        """What was read, or what went wrong; and the seconds until another try, None for none."""
        connection = self._connect(self._left())
        try:
            connection.connect()
            self._socket = connection.sock
            connection.request(*self._request)
            response = connection.getresponse()
            said = response.read(_LARGEST_ANSWER)
        except TimeoutError:
            return self._late, None
        except OSError as error:
            return NoAnswer(f"no connection: {error}"), 0.0
        except http.client.HTTPException as error:
            return NoAnswer(f"no HTTP answer: {type(error).__name__}"), None
        finally:
            connection.close()
        if response.status != http.client.OK:
            pause = _seconds(response.getheader("Retry-After", ""))
            return _problem(response.status, said), pause if response.status in _TRY_AGAIN else None
        try:
            return self._read(said), None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            return NoAnswer(f"not understood: {type(error).__name__} {error}", 200), None


def _verdict(said: bytes) -> Answer:
    verdict = json.loads(said)
    if verdict["decision"] not in ("publish", "hold"):
        raise ValueError("decision")
    return Answer(
        decision=verdict["decision"],
        html=str(verdict["html"]),
        reasons=tuple(str(reason["code"]) for reason in verdict["reasons"]),
        scores={str(name): float(score) for name, score in verdict["scores"].items()},
        id=verdict.get("id"),
        degraded=bool(verdict["degraded"]),
        verdict=verdict,
    )


def _object(said: bytes) -> dict[str, Any]:
    found = json.loads(said)
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _problem(status: int, said: bytes) -> NoAnswer:
    try:
        return NoAnswer(f"{status}: {json.loads(said)['detail']}", status)
    except (ValueError, KeyError, TypeError, RecursionError):
        return NoAnswer(f"status {status}", status)


def _seconds(retry_after: str) -> float:
    """Retry-After in seconds. A date in it has no finer grain than a second: too long for us."""
    if not retry_after:
        return 0.0
    return float(retry_after) if retry_after.strip().isdecimal() else math.inf
