"""Keys of the HTTP API. Only their hashes are stored, so nobody can read a key back."""

from __future__ import annotations

import hashlib
import secrets
import string
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from moderation.errors import BadSetting, UnknownKey
from moderation.settings import valid_site
from moderation.store.database import Database
from moderation.store.tables import keys as table

Role = Literal["submit", "moderate", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do what those before it may

# WordPress' plugin refuses keys of any other length without asking. 36 ** 12 is about 2 ** 62:
# too many to guess, so a fast hash is enough.
KEY_LENGTH = 12
# Lower case only: many clients write the key into a host name, which has no case.
_ALPHABET = string.ascii_lowercase + string.digits
# WordPress drops all but hexadecimal digits from a key that is typed into its page. 2 ** 48 are
# still too many to guess over a network, and all that such a key opens is asking for a verdict.
_ALPHABET_OF_BLOGS = string.digits + "abcdef"


# Under load the database is not asked for every call. Nobody trusts a key for longer than this
# without asking again, so `revoke` waits that long, and then it is true everywhere.
TRUSTED_SECONDS = 0.25
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a key: not the key itself."""

    id: str
    site: str
    role: Role
    name: str
    created: datetime
    revoked: bool

    def may(self, role: Role) -> bool:
        """Whether it stands for this role, or for one that includes it."""
        return not self.revoked and ROLES.index(self.role) >= ROLES.index(role)


class Keys:
    """All keys of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._trusted: dict[str, tuple[float, KeyRecord]] = {}

    def create(self, site: str, role: str, name: str = "") -> str:
        """Make a key and return it: the only time that anybody sees it."""
        if not valid_site(site):
            raise BadSetting("site", f"{site!r} is not 1 to 64 of a-z, 0-9, - and _.")
        if role not in ROLES:
            raise BadSetting("role", f"{role!r} is none of {', '.join(ROLES)}.")
        alphabet = _ALPHABET_OF_BLOGS if role == "submit" else _ALPHABET
        key = "".join(secrets.choice(alphabet) for _ in range(KEY_LENGTH))
        of = {"site": site, "role": role, "name": name.strip()}
        row = {"id": secrets.token_hex(4), "digest": _digest(key), **of}
        with self._database.writing() as connection:
            connection.execute(sa.insert(table), {**row, "created": time.time()})
        return key

    def list(self) -> list[KeyRecord]:
        """Every key there was, oldest first."""
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(_SELECT.order_by(table.c.created))]

    def names(self) -> dict[str, str]:
        """Whose each key is, by its id: the name it was given, else the id."""
        return {record.id: record.name or record.id for record in self.list()}

    def any(self) -> bool:
        """Whether a key was ever created. Revoking the last one does not open the service."""
        with self._database.reading() as connection:
            return connection.scalar(_ANY) is not None

    def find(self, key: str) -> KeyRecord | None:
        """The record of a key that may be used; None for an unknown or revoked one.

        The database compares hashes, so how long that takes tells nothing about any key.
        """
        digest, now = _digest(key), time.monotonic()
        until, record = self._trusted.get(digest, (0.0, None))
        if record and now < until:
            return record
        with self._database.reading() as connection:
            row = connection.execute(_USABLE, {"of": digest}).one_or_none()
        if row is None:
            return None
        if len(self._trusted) >= _REMEMBERED:
            self._trusted.clear()
        self._trusted[digest] = (now + TRUSTED_SECONDS, _record(row))
        return _record(row)

    def revoke(self, which: str) -> KeyRecord:
        """Stop a key, named by its id or by itself, from now on."""
        named = sa.or_(table.c.id == which, table.c.digest == _digest(which))
        with self._database.writing() as connection:
            row = connection.execute(_SELECT.where(named)).one_or_none()
            if row is None:
                raise UnknownKey
            change = sa.update(table).where(table.c.id == row.id, table.c.revoked.is_(None))
            connection.execute(change.values(revoked=time.time()))
            revoked = _record(connection.execute(_SELECT.where(table.c.id == row.id)).one())
        time.sleep(TRUSTED_SECONDS)
        return revoked


_SELECT = sa.select(table)
# Asked with every call, so made once.
_ANY = sa.select(table.c.id).limit(1)
_USABLE = _SELECT.where(table.c.digest == sa.bindparam("of"), table.c.revoked.is_(None))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _record(row: sa.Row[Any]) -> KeyRecord:
    created = datetime.fromtimestamp(row.created, UTC)
    return KeyRecord(row.id, row.site, row.role, row.name, created, row.revoked is not None)
