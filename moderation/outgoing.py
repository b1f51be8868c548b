"""A POST to an address that somebody else chose: checked, connected to as checked, and bounded.

The name is resolved once, and the connection goes to the very address that was looked at: a name
server that answers differently a moment later changes nothing. No redirect is followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

SECONDS = 10.0
"""What resolving the name, connecting, sending and the answer may take together."""

_LARGEST = 1 << 16
_PORTS = {"http": 80, "https": 443}
# An IPv4 address within: gateways of NAT64 would lead to it.
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotSent(Exception):
    """It did not arrive, or nobody can know; `str()` says why in a line."""


def is_public(address: IpAddress) -> bool:
    """Whether this is an address in the open internet, through no tunnel to another."""
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _NAT64):
            return False
        within = address.ipv4_mapped or address.sixtofour
        if within is not None:
            return is_public(within)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    private: bool = False,
    seconds: float = SECONDS,
) -> int:
    """The status of the answer, whatever it is. `private`: other than public addresses are fine.

    Raises NotSent.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    until = time.monotonic() + seconds
    try:
        with _connected(host, port, private, seconds) as plain:
            connection = http.client.HTTPConnection(host, port)
            if parts.scheme == "https":
                connection = http.client.HTTPSConnection(host, port)
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(
                    plain, server_hostname=host, do_handshake_on_connect=False
                )
            else:
                connection.sock = plain
            with closing(connection), _bell(connection.sock, until - time.monotonic()):
                return _answered(connection, target, body, headers)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise NotSent(_plain(error)) from error


def _answered(
    connection: http.client.HTTPConnection, target: str, body: bytes, headers: Mapping[str, str]
) -> int:
    if isinstance(connection.sock, ssl.SSLSocket):
        connection.sock.do_handshake()
    connection.request("POST", target, body, {**headers, "Connection": "close"})
    answer = connection.getresponse()
    with suppress(OSError, http.client.HTTPException):
        answer.read(_LARGEST)  # so that the other side sees no broken connection
    return answer.status


@contextmanager
def _bell(connected: socket.socket, seconds: float) -> Iterator[None]:
    """Each read may be quick and all of them endless: when it rings there is nothing to read."""
    bell = threading.Timer(seconds, _hang_up, [connected])
    bell.daemon = True
    bell.start()
    try:
        yield
    finally:
        bell.cancel()


def _hang_up(connected: socket.socket) -> None:
    with suppress(OSError):  # it has just ended by itself
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _connected(host: str, port: int, private: bool, seconds: float) -> socket.socket:
    until = time.monotonic() + seconds
    addresses = _resolved(host, port, seconds / 2)
    for address in addresses:
        if not private and not is_public(ipaddress.ip_address(address)):
            raise NotSent(
                f"{host} is at {address}, which is not a public address: see webhook_private"
            )
    problem: OSError = OSError(f"{host} has no address")
    for address in dict.fromkeys(addresses):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return socket.create_connection((address, port), timeout=min(left, seconds / 2))
        except OSError as error:
            problem = error
    raise problem


def _resolved(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a name. The system's resolver takes no time limit, so it is asked in a
    thread, which is left to itself where it takes too long."""
    found: Future[list[str]] = Future()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([str(entry[4][0]) for entry in entries])
        except Exception as error:
            found.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return found.result(seconds)


def _plain(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved ({error.strerror})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    said = getattr(error, "strerror", None) or str(error) or "the connection ended"
    return f"{type(error).__name__}: {said}"
