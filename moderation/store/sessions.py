"""Who is signed in at the page: sessions in the database, so that any worker or machine knows them
and revoking a key ends them. Only hashes of their tokens are stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from moderation.settings import GENERAL
from moderation.store.database import Database
from moderation.store.keys import ROLES, KeyRecord, Role
from moderation.store.tables import keys, meta, sessions, tries

LIFETIME = 30 * 86400
TRIES, TRIES_WINDOW = 10, 300
"""So many tries to sign in from one address within so many seconds; then it has to wait."""
_LINK = "sign_in_link"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person, at all sites that they signed in to with a key of it."""

    token: str = field(repr=False)
    name: str
    roles: Mapping[str, Role]
    """What they may do, site by site."""
    keys: Mapping[str, str]
    """The id of their key of each site; none for who came by the one-time link."""

    def sites(self, role: Role = "moderate") -> tuple[str, ...]:
        """Where they may do this."""
        enough = ROLES[ROLES.index(role) :]
        return tuple(sorted(site for site, own in self.roles.items() if own in enough))

    @property
    def csrf(self) -> str:
        """What a form of this session carries, and nobody else can know."""
        return hmac.new(self.token.encode(), b"csrf", hashlib.sha256).hexdigest()


class Sessions:
    """All sessions of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._secret = database.fact("secret").encode()

    def start(self, key: KeyRecord | None, beside: str = "") -> str:
        """The token of a new session for who holds this key, or came by the one-time link. It
        takes over the sites of the session `beside`, whose token ends."""
        token, now = secrets.token_urlsafe(32), time.time()
        row = {"digest": _digest(token), "key_id": key and key.id, "expires": now + LIFETIME}
        old = sessions.c.digest == _digest(beside)
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires < now))
            connection.execute(sa.delete(sessions).where(old, sessions.c.key_id == row["key_id"]))
            connection.execute(sa.update(sessions).where(old).values(digest=row["digest"]))
            connection.execute(sa.insert(sessions), {**row, "entered": now})
        return token

    def find(self, token: str) -> Session | None:
        """The session of this token, while it lasts and its keys are not revoked."""
        with self._database.reading() as connection:
            rows = connection.execute(_FIND, {"of": _digest(token), "now": time.time()}).all()
        if not rows:
            return None
        own = [row for row in rows if row.key_id]  # the link is for as long as there is no key
        if not own:
            return Session(token, "", {GENERAL: ROLES[-1]}, {})
        roles, keys = {row.site: row.role for row in own}, {row.site: row.key_id for row in own}
        return Session(token, own[-1].name or own[-1].key_id, roles, keys)

    def end(self, token: str) -> None:
        """Sign out."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.digest == _digest(token)))

    def offer_link(self) -> str:
        """The token of a link that signs in one person, once; the one before stops."""
        token = secrets.token_urlsafe(24)
        with self._database.writing() as connection:
            connection.execute(sa.delete(meta).where(meta.c.name == _LINK))
            connection.execute(sa.insert(meta), {"name": _LINK, "value": _digest(token)})
        return token

    def take_link(self, token: str) -> bool:
        """Whether this is the link's token, from now on no more."""
        its = sa.delete(meta).where(meta.c.name == _LINK, meta.c.value == _digest(token))
        with self._database.writing() as connection:
            return bool(connection.execute(its).rowcount)

    def may_try(self, address: str) -> int:
        """Count a try to sign in from this address, right or wrong: 0 where it may go on, else the
        seconds until it may try again."""
        now = time.time()
        client = hmac.new(self._secret, address.encode(), hashlib.sha256).hexdigest()
        of = sa.select(tries.c.at).where(tries.c.client == client).order_by(tries.c.at)
        with self._database.writing() as connection:
            connection.execute(sa.delete(tries).where(tries.c.at < now - TRIES_WINDOW))
            made = connection.scalars(of).all()
            if len(made) >= TRIES:
                return max(1, int(made[-TRIES] + TRIES_WINDOW - now))
            connection.execute(sa.insert(tries), {"client": client, "at": now})
        return 0


_FIND = (
    sa.select(sessions.c.key_id, keys.c.site, keys.c.role, keys.c.name)
    .select_from(sessions.outerjoin(keys, keys.c.id == sessions.c.key_id))
    .where(
        sessions.c.digest == sa.bindparam("of"),
        sessions.c.expires > sa.bindparam("now"),
        keys.c.revoked.is_(None),
    )
    .order_by(sessions.c.entered)
)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
