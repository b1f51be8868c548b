"""Requests to addresses that a setting names: where they may go, and how long they may take."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from moderation import outgoing
from moderation.outgoing import NotSent, is_public, post
from tests.receiver import receiving

PUBLIC = ("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "2002:808:808::1")
NOT_PUBLIC = """
127.0.0.1 127.8.9.10 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
100.64.0.1 192.0.2.1 198.18.0.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
:: ::1 fe80::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b:1::a00:1 2002:7f00:1:: 2002:a00:1::
2001:0:4136:e378:8000:63bf:3fff:fdd2
""".split()


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_in_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_a_network_or_a_machine_is_not(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0"])
def test_another_way_to_write_this_machine_is_refused(host: str) -> None:
    with receiving() as receiver:
        with pytest.raises(NotSent, match="not a public address"):
            post(f"http://{host}:{receiver.port}/", b"{}", {})
        assert receiver.requests == []


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    answers = [(*entry, ("93.184.216.34", 80)), (*entry, ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(NotSent, match=r"10\.0\.0\.1"):
        post("http://blog.example/", b"{}", {})


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: public when it is checked, this machine a moment later."""
    asked: list[str] = []
    reached: list[Any] = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: Any, timeout: float) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(NotSent, match="refused"):
        post("http://rebinding.example/", b"{}", {})
    assert (asked, reached) == (["rebinding.example"], [("93.184.216.34", 80)])


def test_a_name_that_cannot_be_resolved_is_said_so() -> None:
    with pytest.raises(NotSent, match="cannot be resolved"):
        post("http://nowhere.invalid/", b"{}", {})


def test_a_name_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.wait() and [])
    with pytest.raises(NotSent, match="no answer in time"):
        post("http://blog.example/", b"{}", {}, seconds=0.2)
    answers.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that this machine made for itself."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *names, *files], cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem"


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 503 Out\r\n"], ids=["status", "headers"])
def test_an_answer_in_drips_is_given_up(
    secure: bool, begun: bytes, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begun)
        while True:
            handler.wfile.write(b"X: more\r\n" if begun else b"x")
            time.sleep(0.05)

    with receiving(tls(certificate) if secure else None) as receiver:
        receiver.answer = drip
        url = f"{'https' if secure else 'http'}://127.0.0.1:{receiver.port}/"
        if begun:
            assert post(url, b"{}", {}, private=True, seconds=0.5) == 503
        else:
            with pytest.raises(NotSent):
                post(url, b"{}", {}, private=True, seconds=0.5)


def test_silence_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(NotSent, match="no answer in time"):
            post(url, b"{}", {}, private=True, seconds=0.3)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65536)

    with receiving() as receiver:
        receiver.answer = pour
        assert post(receiver.url, b"{}", {}, private=True) == 200


def test_what_is_no_http_is_not_sent() -> None:
    with receiving() as receiver:
        receiver.answer = lambda handler: handler.wfile.write(b"hello\r\n\r\n") and None
        with pytest.raises(NotSent, match="BadStatusLine"):
            post(receiver.url, b"{}", {}, private=True)


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with receiving(tls(certificate)) as receiver:
        with pytest.raises(NotSent, match="certificate is not valid"):
            post(f"https://localhost:{receiver.port}/", b"{}", {}, private=True)
        assert receiver.requests == []


def test_over_tls_the_name_is_checked_though_the_connection_goes_to_an_address(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiving(tls(certificate)) as receiver:
        assert post(f"https://localhost:{receiver.port}/", b"{}", {}, private=True) == 204
        _, headers, _ = receiver.requests[0]
        assert headers["Host"] == f"localhost:{receiver.port}"
        monkeypatch.setattr(
            outgoing,
            "_connected",
            lambda host, port, private, seconds: socket.create_connection(
                ("127.0.0.1", port), seconds
            ),
        )
        with pytest.raises(NotSent, match="certificate is not valid"):
            post(f"https://blog.example:{receiver.port}/", b"{}", {}, private=True)
