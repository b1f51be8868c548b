"""The comment form: what a reader sent, read and made ready for the service."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, TimestampSigner

LONGEST = 65_536
_LONGEST_AGENT = 1_000
_LONGEST_FACTS = {"name": 100, "email": 254, "url": 2_000}


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came."""

    token: str
    content: str
    name: str
    email: str
    url: str
    honeypot: str

    @property
    def id(self) -> str:
        """The same for the same comment in the same form, so that a second click adds nothing."""
        facts = (self.token or secrets.token_hex(), self.content, self.name, self.email, self.url)
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:32]

    def facts(self, seconds: float | None, ip: str, user_agent: str) -> dict[str, Any]:
        """What the service wants to know beside the content."""
        author = {"name": self.name, "email": self.email, "url": self.url}
        return {
            "author": {**author, "ip": ip, "user_agent": user_agent[:_LONGEST_AGENT]},
            "form": {"honeypot": self.honeypot, "seconds": seconds},
        }

    def problems(self, longest: int) -> dict[str, str]:
        """What the reader has to mend, by field."""
        found = {
            name: f"At most {most} characters, please."
            for name, most in _LONGEST_FACTS.items()
            if len(getattr(self, name)) > most
        }
        if not self.content.strip():
            found["content"] = "Write your comment first."
        elif len(self.content) > longest:
            found["content"] = (
                f"At most {longest:,} characters, please; it has {len(self.content):,}."
            )
        return found


def read(form: Mapping[str, str]) -> Sent:
    """The form's fields. Line ends are one character, and what no database can hold is left out."""

    def field(name: str) -> str:
        return form.get(name, "").replace("\r\n", "\n").replace("\0", "")

    url = field("url").strip()
    return Sent(
        token=field("token"),
        content=field("content"),
        name=field("name").strip(),
        email=field("email").strip(),
        url=url if ":" in url or not url else f"https://{url}",
        honeypot=field("subject"),
    )


class Tokens:
    """Signed times at which forms were shown; they tell one form from another, too."""

    def __init__(self) -> None:
        self._signer = TimestampSigner(secrets.token_bytes(32))

    def new(self) -> str:
        """For a form that is shown now."""
        return self._signer.sign(secrets.token_urlsafe(12)).decode()

    def age(self, token: str) -> float | None:
        """Seconds since it was shown, up to one too many; None for a token of someone else's."""
        try:
            _, shown = self._signer.unsign(token, return_timestamp=True)
        except BadSignature:
            return None
        return max(0.0, time.time() - shown.timestamp())
