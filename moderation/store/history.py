"""What a site was sent before, told by keyed hashes: no text and no address is kept for it."""

from __future__ import annotations

import hmac
import json
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from moderation.store.database import Ask
from moderation.store.tables import comments as table
from moderation.verdict import Author, Comment

# "Thanks for this!" is written by many an honest reader: so short a text without a link is the
# same only if it is the same author's. Counted in letters and digits.
_SHORT = 30
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())


class Hashes:
    """Keyed hashes of one database. They tell that two things are equal, and nothing else."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def text(self, comment: Comment) -> str:
        """Of the text, whatever its case, spacing and punctuation."""
        letters = _letters(comment.content)
        whose = "" if _is_telling(comment, letters) else _identity(comment.author)
        return self._hash(letters, whose)

    def author(self, author: Author) -> str:
        """Of whom the comment is from."""
        return self._hash(_identity(author))

    def address(self, site: str, ip: str) -> str:
        """Of an author's address on one site."""
        return self._hash("address", site, ip)

    def request(self, comment: Comment) -> str:
        """Of everything in it."""
        return self._hash(json.dumps(asdict(comment), sort_keys=True))

    def _hash(self, *parts: str) -> str:
        message = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, "sha256").hex()


class SiteHistory:
    """One site's history, for the duplicate and flood checks."""

    def __init__(self, ask: Ask, hashes: Hashes, site: str) -> None:
        self._ask = ask
        self._hashes = hashes
        self._site = site

    def same_text(self, comments: Sequence[Comment], seconds: float) -> list[int]:
        """How often each text came within the last `seconds`, earlier ones here included; 0 for
        a short one of whose author nothing is known."""
        if seconds <= 0:
            return [0] * len(comments)
        hashes = [self._hashes.text(c) for c in comments]
        counts = self._before(hashes, table.c.text_hash.name, seconds)
        return [
            0
            if count and c.author == Author() and not _is_telling(c, _letters(c.content))
            else count
            for c, count in zip(comments, counts, strict=True)
        ]

    def by_author(self, comments: Sequence[Comment], seconds: float) -> list[int]:
        """How many comments each author sent within the last `seconds`, earlier ones here
        included; 0 where the blog gives neither id, e-mail nor address of the author."""
        told = [bool(c.author.id or c.author.email or c.author.ip) for c in comments]
        if seconds <= 0 or not any(told):
            return [0] * len(comments)
        hashes = [
            self._hashes.author(c.author) for c, known in zip(comments, told, strict=True) if known
        ]
        counts = iter(self._before(hashes, table.c.author_hash.name, seconds))
        return [next(counts) if known else 0 for known in told]

    def _before(self, hashes: Sequence[str], column: str, seconds: float) -> list[int]:
        asked = [*set(hashes)]
        query = _COUNTED.format(column=column, hashes=", ".join("?" * len(asked)))
        seen = Counter(dict(self._ask(query, (self._site, *asked, time.time() - seconds))))
        counts = []
        for value in hashes:
            counts.append(seen[value])
            seen[value] += 1
        return counts


_COUNTED = (
    f"SELECT {{column}}, count(*) FROM {table.name}"
    " WHERE site = ? AND {column} IN ({hashes}) AND received >= ? GROUP BY {column}"
)


def _identity(author: Author) -> str:
    """The surest thing that is known of an author; the name only if there is nothing else."""
    facts = {"id": author.id, "email": author.email.strip().casefold(), "ip": author.ip}
    surest = next((f"{kind}:{fact}" for kind, fact in facts.items() if fact), None)
    return surest or f"name:{author.name.strip().casefold()}"


def _is_telling(comment: Comment, letters: str) -> bool:
    """Whether the text, of these letters, alone says that two comments are the same."""
    return len(letters) >= _SHORT or "://" in comment.content


def _letters(content: str) -> str:
    """Letters, marks and digits; a text without any (":-)") is taken as it is."""
    plain = unicodedata.normalize("NFKC", content).casefold()
    if plain.isascii():  # the same in a tenth of the time
        return plain.encode().translate(None, _NO_LETTERS).decode() or plain.strip()
    return "".join(c for c in plain if unicodedata.category(c)[0] in "LMN") or plain.strip()
