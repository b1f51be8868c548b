"""How entries of a site's block and trust lists are matched: whole words, so that "cialis" never
holds a "specialist", hosts with all that is below them, addresses or their domains."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

_ADDRESS_START = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:www\.)?", re.IGNORECASE)


def plain(text: str) -> str:
    """Without invisible characters, in the plain form of each letter, in one case."""
    seen = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", seen).casefold()


@lru_cache(maxsize=256)
def words(entries: tuple[str, ...]) -> re.Pattern[str] | None:
    """Whole words or phrases, in any case, any white space between the words of a phrase."""
    phrases = (r"\s+".join(map(re.escape, plain(entry).split())) for entry in entries)
    return _any_of(phrases, before=r"(?<!\w)", after=r"(?!\w)")


@lru_cache(maxsize=256)
def urls(entries: tuple[str, ...]) -> re.Pattern[str] | None:
    """A host with what is below it (subdomains, paths), without scheme, www and last slash."""
    bare = (re.escape(_ADDRESS_START.sub("", entry.strip()).rstrip("/")) for entry in entries)
    return _any_of(bare, before=r"(?<![\w-])", after=r"(?![\w-]|\.\w)")


def is_named(name: str, entries: tuple[str, ...]) -> bool:
    """Whether this is one of these names, the whole of it."""
    return bool(entries) and _name(name) in _names(entries)


def address(email: str, entries: Sequence[str]) -> str | None:
    """The entry, an address or "@domain", that this address falls under."""
    if not entries:
        return None
    typed = email.strip().casefold()
    domain = "@" + typed.rpartition("@")[2]
    return next((e for e in entries if typed and e.casefold() in (typed, domain)), None)


def points_to(url: str, entries: tuple[str, ...]) -> bool:
    """Whether an address is one of these hosts or below one. Unlike in a text, where a listed host
    may stand anywhere, it must be the address' own host: anybody can write it into a path."""
    if not entries:
        return False
    bare = _ADDRESS_START.sub("", url.strip()).casefold()
    host, _, rest = re.split(r"[?#]", bare)[0].partition("/")
    if "@" in host or "\\" in bare:
        return False
    host = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    for entry in entries:
        wanted = _ADDRESS_START.sub("", entry.strip()).rstrip("/").casefold()
        its_host, _, its_path = wanted.partition("/")
        if not its_host or not f".{host}".endswith(f".{its_host}"):
            continue
        if not its_path or f"{rest}/".startswith(f"{its_path}/"):
            return True
    return False


@lru_cache(maxsize=256)
def _names(entries: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_name, entries)) - {""}


def _name(typed: str) -> str:
    return " ".join(plain(typed).split())


def _any_of(parts: Iterator[str], before: str, after: str) -> re.Pattern[str] | None:
    union = "|".join(part for part in parts if part)
    return re.compile(f"{before}(?:{union}){after}", re.IGNORECASE) if union else None
