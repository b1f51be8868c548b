"""How a setting's value is read, from an environment string or from a TOML value.

A parser returns the value or raises ValueError with what would be right: "must be …".
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

Parser = Callable[[object], object]


def text(raw: object) -> str:
    """Any text but none."""
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError("must be a text that is not empty")
    return raw.strip()


def line(raw: object) -> str:
    """Any text on one line; none is fine."""
    if not isinstance(raw, str) or len(raw.splitlines()) > 1:
        raise ValueError("must be a text on one line")
    return raw.strip()


def folder(raw: object) -> Path:
    """A folder, which need not be there yet."""
    return Path(text(raw)).expanduser()


def url(raw: object) -> str:
    """A database URL; whether there is such a database shows when it is opened."""
    value = text(raw)
    if "://" not in value:
        raise ValueError(
            "must be an SQLAlchemy URL, as sqlite:////srv/moderation.db "
            "or postgresql://user@host/name"
        )
    return value


def web_address(raw: object) -> str:
    """An http(s) URL, or none."""
    value = raw.strip() if isinstance(raw, str) else None
    if value == "":
        return ""
    try:
        parts = urlsplit(value or "")
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        fits = False
    # What http.client would refuse only when it is to be sent, and a password that logs would show.
    if not value or not fits or "@" in parts.netloc or not value.isascii() or " " in value:
        raise ValueError(
            "must be an address as https://blog.example/hooks, of ASCII, without a password"
        )
    return value


def signing_secrets(raw: object) -> tuple[str, ...]:
    """Secrets of Standard Webhooks."""
    given = texts(raw)
    for secret in given:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not secret.startswith("whsec_") or not 24 <= len(key) <= 64:
            raise ValueError(
                "must be whsec_ and then 24 to 64 bytes in base64, as `echo whsec_$(openssl rand "
                "-base64 32)` makes them"
            )
    return given


def texts(raw: object) -> tuple[str, ...]:
    """A TOML list of texts, or one text with commas or line ends between them; none is fine."""
    parts = raw.replace("\n", ",").split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError('must be a list of texts: "a, b" in the environment, ["a", "b"] in TOML')
    return tuple(part.strip() for part in parts if part.strip())


def networks(raw: object) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses, or networks of them; none is fine."""
    try:
        return tuple(ip_network(given) for given in texts(raw))
    except ValueError as error:
        raise ValueError(
            f"must be addresses or networks, as 10.0.0.7, 172.16.0.0/12 ({error})"
        ) from error


def yes_or_no(raw: object) -> bool:
    """true or false, and what people write for them."""
    value = str(raw).strip().lower()
    if value not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise ValueError("must be true or false")
    return value in ("true", "yes", "on", "1")


def choice(*allowed: str) -> Parser:
    """One of these words."""

    def parse(raw: object) -> str:
        if raw not in allowed:
            raise ValueError(f"must be {' or '.join(allowed)}")
        return str(raw)

    return parse


def integer(least: int, most: int | None = None) -> Parser:
    """A whole number from `least` to `most`."""
    bounds = f"from {least} up" if most is None else f"from {least} to {most}"

    def parse(raw: object) -> int:
        try:
            value = int(raw) if isinstance(raw, str) else raw
        except ValueError:
            value = None
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"must be a whole number {bounds}")
        if value < least or (most is not None and value > most):
            raise ValueError(f"must be a whole number {bounds}")
        return value

    return parse


def number(least: float) -> Parser:
    """A number, `least` or more."""

    def parse(raw: object) -> float:
        value = _number(raw)
        if value is None or value < least:
            raise ValueError(f"must be a number from {least:g} up")
        return value

    return parse


def fraction(raw: object) -> float:
    """A share between 0 and 1, written 0.005 or 1/200."""
    value = _number(raw)
    if value is None or not 0 < value < 1:
        raise ValueError("must be a share between 0 and 1, as 0.005 or 1/200")
    return value


def share_or_off(raw: object) -> float | None:
    """A share, or `off`."""
    if raw == "off":
        return None
    try:
        return fraction(raw)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from error


def _number(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    try:
        value = float(Fraction(raw.strip())) if isinstance(raw, str) else float(raw)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if math.isfinite(value) else None
