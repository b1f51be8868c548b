"""Who is calling, and what their key allows. Every face asks here, however it carries the key."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from flask import has_request_context, request

from moderation.errors import BadSetting
from moderation.problems import KeyNeeded, KeyTooWeak
from moderation.settings import GENERAL, Settings
from moderation.store.keys import ROLES, Keys, Role

_HOW = "Send `Authorization: Bearer KEY`; `moderation keys create` makes a key."
# How long a first key takes to close a service that runs open: asked for less often than this,
# the database is not asked on every call of somebody's first try.
_RECHECK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a key: it belongs to one site."""

    site: str
    role: Role
    key: str
    """The key's id; empty where the service runs open."""

    def may(self, role: Role) -> bool:
        """Whether the key's role includes this one."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Gatekeeper:
    """Tells callers from their keys.

    *Open* means: on a loopback address, until a first key is created, for a first try. Then every
    program on this machine may call everything without a key, as admin of the site "default". The
    page still asks who comes, since a browser also carries what other sites send: `serve` prints
    a link that signs in one person, once. Creating a key ends all of that at once.
    """

    def __init__(
        self,
        keys: Keys,
        count: Callable[[str, str], None] = lambda site, key: None,
        *,
        open_until_first_key: bool,
    ) -> None:
        """`count` is told the site and the key of each call, and may refuse it."""
        self._keys, self._count = keys, count
        self._may_be_open = open_until_first_key
        self._asked = float("-inf")
        self._asking = threading.Lock()

    def admit(self, key: str, role: Role) -> Caller:
        """The caller with this key; KeyNeeded or KeyTooWeak where it does not open this door,
        TooManyCalls where it was used too often."""
        if self.is_open():
            _refuse_other_sites()
            self._count(GENERAL, "")
            return Caller(GENERAL, ROLES[-1], "")
        record = self._keys.find(key) if key else None
        if record is None:
            raise KeyNeeded(f"{'This key is unknown or revoked' if key else 'No key'}. {_HOW}")
        if not record.may(role):
            raise KeyTooWeak(f"This call needs a key of role {role}; yours is of {record.role}.")
        self._count(record.site, record.id)
        return Caller(record.site, record.role, record.id)

    def is_open(self) -> bool:
        """Whether nobody needs a key. Once it is closed, it stays so."""
        if not self._may_be_open:
            return False
        with self._asking:  # nobody is let in on what was not asked yet, nor on a failed question
            if time.monotonic() - self._asked > _RECHECK_SECONDS:
                self._may_be_open = not self._keys.any()
                self._asked = time.monotonic()
            return self._may_be_open


def bearer(environ: Mapping[str, Any] | None = None) -> str:
    """The key of a request's Authorization header; empty without one."""
    asked = request.environ if environ is None else environ
    scheme, _, key = asked.get("HTTP_AUTHORIZATION", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _refuse_other_sites() -> None:
    """A browser carries to an open service what pages of other sites send: by its address, or by a
    name that was made to lead here (DNS rebinding)."""
    if not has_request_context():  # the one call that passes by Flask; it answers nothing of others
        return
    sent_by = request.headers.get("Sec-Fetch-Site", "none")
    name = re.sub(r":\d+$", "", request.host).strip("[]")
    if sent_by in ("cross-site", "same-site") or (
        request.path.startswith("/v1/") and not is_loopback(name)
    ):
        raise KeyNeeded(f"Without a key only this machine's own programs are served. {_HOW}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def refuse_unguarded(settings: Settings, keys: Keys) -> None:
    """BadSetting where others than this machine could call a service that has no key."""
    if not is_loopback(settings.host) and not keys.any():
        raise BadSetting(
            "MODERATION_HOST",
            f"{settings.host} can be reached from other machines, and there is no key yet. "
            "Create one first: moderation keys create --site default --role admin",
        )
