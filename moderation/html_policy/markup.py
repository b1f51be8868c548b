"""Comment markup, read: which `<` begins a tag, and what characters a text shows.

Only a syntactically complete tag counts; every other `<` is text that someone typed. Nothing here
decides what is safe. Every expression is linear: possessive, and stopped by the next `<`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.entities import html5
from typing import NamedTuple

# Never part of a comment: controls but tab and newline, lone surrogates, noncharacters, BOM.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_BIDI_OVERRIDE = re.compile("[\u202d\u202e]")
_BIDI_EMBEDDING = re.compile("[\u202a-\u202c\u2066-\u2069]")
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)

_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|[a-zA-Z][a-zA-Z0-9]{1,31});")

_NAME = r"[a-zA-Z][a-zA-Z0-9\-]*+(?::[a-zA-Z][a-zA-Z0-9\-]*+)?+"
_KEY = r"[a-zA-Z_:@][a-zA-Z0-9_:.\-]*+"
_VALUE = r"""(?:"[^"]*+"|'[^']*+'|[^\s"'=<>`]++)"""
_ATTRIBUTE = re.compile(rf"({_KEY})(?:\s*+=\s*+({_VALUE}))?+", re.ASCII)
# A failed attempt never goes back, and outside of quotes it ends at the next `<` or quote: at most
# three attempts (outside, in '…', in "…") can be reading any one character. Python 3.11.2
# takes half a value for a whole one where its `?` is possessive too.
_TAG = re.compile(
    rf"<(?:/({_NAME})\s*+>"
    rf"|({_NAME})((?:\s++{_KEY}(?:\s*+=\s*+{_VALUE})?)*+)\s*+/?>"
    rf"|(!--))",
    re.ASCII,
)
# What begins with these is shown or dropped up to its end: code, or a document of its own.
_ENDINGS = {
    name: re.compile(rf"</{name}\s*+>", re.IGNORECASE | re.ASCII)
    for name in ("script", "style", "template", "iframe", "noembed", "noframes")
} | {"!--": re.compile("-->")}


class Tag(NamedTuple):
    """A syntactically complete tag, a comment (`!--`), or a script and its like up to its end."""

    start: int
    end: int
    name: str
    closing: bool
    attributes: str


def tags(content: str) -> Iterator[Tag]:
    """Every tag of the content in order; whatever lies between them is text."""
    endless: set[str] = set()  # asked once: what has no end from here has none further on
    position = 0
    while found := _TAG.search(content, position):
        start, position = found.span()
        closed, opened, written, comment = found.groups()
        if closed:
            yield Tag(start, position, closed.lower(), True, "")
            continue
        name = (opened or "!--").lower()
        if name in _ENDINGS and name not in endless:
            if ending := _ENDINGS[name].search(content, position):
                position = ending.end()
            else:
                endless.add(name)
        if comment and name in endless:
            continue
        yield Tag(start, position, name, False, written or "")


def attributes(source: str) -> Iterator[tuple[str, str | None]]:
    """Names and decoded values in a tag; None where an attribute has no value."""
    for name, value in _ATTRIBUTE.findall(source):
        plain = value[1:-1] if value[:1] in ('"', "'") else value
        yield name.lower(), decode(plain) if value else None


def visible_characters(content: str) -> tuple[str, int]:
    """The content without characters that a reader can't see and a page shouldn't hold, newlines
    as `\\n`, and how many characters were dropped."""
    if content.replace("\n", "").isprintable():  # six times as fast as looking for what isn't
        return content, 0
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    content, dropped = _INVISIBLE.subn("", content)
    content, overrides = _BIDI_OVERRIDE.subn("", content)
    # Right-to-left text needs the harmless ones; elsewhere they only hide what a text says.
    if _BIDI_EMBEDDING.search(content) and not _RIGHT_TO_LEFT.search(content):
        content, embeddings = _BIDI_EMBEDDING.subn("", content)
        overrides += embeddings
    return content, dropped + overrides


def holds_entity(text: str) -> bool:
    """Whether `decode` could change anything."""
    return "&" in text and _ENTITY.search(text) is not None


def decode(text: str) -> str:
    """Entities as the characters they name, only with their semicolon: `&copy=2` is a URL's."""
    if "&" not in text:
        return text
    return visible_characters(_ENTITY.sub(_character, text))[0]


def _character(entity: re.Match[str]) -> str:
    name = entity[0][1:]
    return html.unescape(entity[0]) if name[0] == "#" or name in html5 else entity[0]


def escape(text: str) -> str:
    """Text for a page in the cleaner's own spelling (it is quadratic on `&` and NBSP as they are:
    65,536 of them cost 35 and 57 ms bare, 10 and 6 ms as entities)."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\xa0", "&nbsp;")


# URLs: what a link may lead to, and what a reader takes for one

_HOST = r"//(?:[\w\-.]++|\[[0-9a-fA-F:.]++\])(?::[0-9]{1,5})?(?:[/?#]\S*+)?"
_ADDRESS = r"[^\s@?,<>\"\\]++@[\w\-.]++(?:\?\S*+)?"
_NUMBER = r"\+?[0-9][0-9().\-]*+"
# Strict where browsers are lenient: `https:/path` and `https:\\host` are refused, they would lead
# into the page's own site; so are names before the host (`https://bank.example@other.example`).
URL_SCHEMES = {
    scheme: re.compile(shape)
    for scheme, shape in {
        "http": _HOST,
        "https": _HOST,
        "mailto": _ADDRESS,
        "tel": _NUMBER,
        "ftp": _HOST,
        "gemini": _HOST,
        "irc": _HOST,
        "ircs": _HOST,
        "xmpp": _ADDRESS,
    }.items()
}
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*+):")
# The first letter stands alone, with its case: so it is looked for ten times as fast.
_URL = re.compile(
    r"[hHwW](?i:(?<=h)ttps?://|(?<![\w.]w)(?<=w)ww\.)"
    r"(?:(?![,;|](?i:https?://|www\.))[^\s<>\"'`])+"
)
_SENTENCE_END = ".,;:!?*_~"
_BEFORE_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.\-]*+://(?:[^/?#@]*+@)?|mailto:|tel:|xmpp:)?(?:www\.)?", re.IGNORECASE
)
_AFTER_HOST = re.compile(r"[/?#:]")
# A whole text of this shape is read as a site's name. The endings are a choice: any two letters
# would make sites of `Node.js` and `main.rs`.
_SITE_NAME = re.compile(
    r"(?:[\w\-]++\.)+(?:com|net|org|info|biz|edu|gov|io|co|app|dev|shop|site|online|store|xyz|"
    r"eu|us|uk|de|fr|es|it|nl|pl|ru|cn|jp|br|in|au|ca|ch|at)(?:[/?#:]\S*+)?",
    re.IGNORECASE,
)


def scheme(url: str) -> str:
    """The URL's scheme in lower case; empty for a relative URL."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def leads_somewhere(url: str) -> bool:
    """Whether this is an absolute URL of a known scheme, with all that the scheme needs."""
    shape = URL_SCHEMES.get(name := scheme(url))
    return bool(shape and shape.fullmatch(url, len(name) + 1))


def as_browsers_read(href: str) -> str:
    """An `href` as a browser would take it: without the white space that could hide its scheme."""
    return href.strip().replace("\t", "").replace("\n", "").replace(" ", "%20")


def mentions_url(text: str) -> bool:
    """Whether `urls_in` could find anything: twenty times as fast."""
    return "://" in text or "www." in text.lower()


def urls_in(text: str) -> Iterator[tuple[int, str]]:
    """Each `http://…`, `https://…` and `www.…` of a text with its place, without the punctuation
    of the sentence around it."""
    if not mentions_url(text):
        return
    for found in _URL.finditer(text):
        url = found[0].rstrip(_SENTENCE_END)
        if "[" not in url:
            url = url.rstrip(_SENTENCE_END + "]}")
        closing = len(url) - len(url.rstrip(")"))
        surplus = min(closing, url.count(")") - url.count("("))
        if surplus > 0:
            url = url[:-surplus].rstrip(_SENTENCE_END)
        if _from_host(url) not in ("", "www"):
            yield found.start(), url


def _from_host(url: str) -> str:
    before = _BEFORE_HOST.match(url)
    return url[before.end() :] if before else url


def same_place(url: str) -> str:
    """The URL in a form that is equal for all spellings of one address."""
    rest = _from_host(url)
    path = _AFTER_HOST.search(rest)
    cut = path.start() if path else len(rest)
    return (rest[:cut].lower() + rest[cut:]).rstrip("/")


def host(url: str) -> str:
    """The host in a URL or a site's name, in lower case and without `www.`."""
    return _AFTER_HOST.split(same_place(url), maxsplit=1)[0].rstrip(".")


def claimed_host(text: str) -> str:
    """The host that a link's text names, or nothing where it doesn't look like an address."""
    for _, url in urls_in(text):
        return host(url)
    return host(text.strip()) if _SITE_NAME.fullmatch(text.strip()) else ""
