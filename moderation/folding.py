"""A text in a plain form: what a reader sees of it, disguises and markup off, in lower case.

Each step is tried only where it could change something, for most comments need none.
"""

from __future__ import annotations

import html
import re
import string
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from moderation.confusables import LATIN_TWINS

MAX_CHARACTERS = 65_536
"""As much of a text as is read, from both its ends; no call takes more but bulk scoring."""

# Only what is shaped like a tag to the last attribute: "<p you fool>" is shown, so it is read.
_KNOWN_TAG = re.compile(
    r"<(?=[/a-z])(/?)(a|abbr|acronym|address|b|bdo|big|blockquote|body|br|button|caption|center|cite|code"
    r"|dd|del|details|dfn|div|dl|dt|em|embed|fieldset|font|form|h[1-6]|head|hr|html|i|iframe|img|input"
    r"|ins|kbd|label|li|link|mark|meta|object|ol|option|p|pre|q|s|samp|script|section|select|small"
    r"|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|textarea|tfoot|th|thead"
    r"|title|tr|tt|u|ul|var|video|wbr)"
    r"""(?:\s{1,9}[\w:@.-]{1,40}\s{0,9}=\s{0,9}(?:"[^"<]{0,4000}"|'[^'<]{0,4000}'|[^\s"'<>]{1,4000}))*"""
    r"\s{0,9}/?>|</[a-z][a-z0-9:-]{0,20}>|<!--\s{0,9}\S{0,20}?\s{0,9}-->",
    re.IGNORECASE,
)
_PARTS_TEXT = frozenset(
    "address blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table td th tr ul".split()
)
_BBCODE = re.compile(
    r"\[(/?)(url|link|b|i|u|s|img|color|size|quote|code)(=[^\[\]]{0,500})?\]", re.IGNORECASE
)
_BBCODE_END = re.compile(r"\[/([bius])\]", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
BLANK = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
INVISIBLE = re.compile(
    "[\u0080-\u0084\u0086-\u009f\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_MARK = re.compile("[\u0300-\u036f\u0489]")
_PILED_MARKS = re.compile("[\u0300-\u036f\u0489]{2,}")
_BEYOND_ASCII = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")
_STACKED_MARKS = re.compile(r"(?<=[^\W\d_])[\u0300-\u036f\u0489]+")
_WORD = re.compile(r"[^\W\d_]+")
_TWINS = "".join(map(chr, LATIN_TWINS))
_TWIN = re.compile(f"[{_TWINS}]")
_MIXED = re.compile(f"[a-z][{_TWINS}]|[{_TWINS}][a-z]")
_LATIN = re.compile("[a-z]+")
_FINAL_SIGMA = re.compile("ς")
_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u052f]+")
_SMALL_CAPITALS = re.compile(
    "[\u1d00-\u1d22\u0262\u026a\u0274\u0280\u028f\u0299\u029c\u029f\ua730\ua731]"
)
# What the steps below look for in a printable text, but for tags, entities and NFKC: one search
# for all of them spares most texts a dozen.
_SOUGHT = (BLANK, INVISIBLE, _MARK, _GREEK_OR_CYRILLIC, _SMALL_CAPITALS, _TWIN)
_UNUSUAL = re.compile(f"[{''.join(each.pattern.strip('[]+') for each in _SOUGHT)}]")
_ASCII = bytes(range(128))
_REPEATED = f"{string.ascii_lowercase}!?.-=_*#~"
_RUNS = tuple(character * 4 for character in _REPEATED)
_THREE_EQUAL = b"\1\1\1"
_RUN = re.compile(rf"([{re.escape(_REPEATED)}])\1{{3,}}")
_WHITE = re.compile(r"\s\s+|[^\S ]")  # all but the single spaces, of which there are many


def fold(content: str) -> str:
    """The visible text in a plain form: tags and disguises off, lower case, single spaces."""
    if (plain := _folded_plain(content.replace("\n", " "))) is not None:
        return _both_ends(plain)
    for applies, pattern, put in _UNDRESS:
        if applies(content):
            content = pattern.sub(put, content)
    content = content.lower()
    for applies, pattern, put in _SMOOTH:
        if applies(content):
            content = pattern.sub(put, content)
    return _both_ends(content.strip())


def _folded_plain(content: str) -> str | None:
    """The folded text where that is a matter of case and blanks; None where it may be more."""
    if "<" in content or "[" in content or "&" in content or not content.isprintable():
        return None
    if not content.isascii():
        beyond = _beyond_ascii(content)
        if _UNUSUAL.search(beyond.lower()) or not unicodedata.is_normalized("NFKC", beyond):
            return None
    lower = content.lower()
    if _holds_run(lower):
        return None
    return " ".join(lower.split()) if "  " in lower else lower.strip()


@lru_cache(maxsize=1)  # several steps ask about one text
def _beyond_ascii(text: str) -> str:
    """The characters that aren't ASCII: few in most texts, so that looking there is quick."""
    packed = text.encode("utf-8", "surrogatepass").translate(None, _ASCII)
    return packed.decode("utf-8", "surrogatepass")


def fold_traced(content: str) -> tuple[str, list[int]]:
    """`fold`, and for every character of it the offset in `content` that it came from.

    The list has one entry more than the text: where the last character ends.
    """
    origin = list(range(len(content) + 1))
    for applies, pattern, put in (*_UNDRESS, _LOWER, *_SMOOTH):
        if applies(content):
            content, origin = _substitute(pattern, put, content, origin)
    left = len(content) - len(content.lstrip())
    text, origin = content.strip(), origin[left:]
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        origin = origin[:half] + origin[len(text) - half : len(text) + 1]
    text = _both_ends(text)
    return text, origin[: len(text) + 1]


def _substitute(
    pattern: re.Pattern[str], put: Callable[[re.Match[str]], str], text: str, origin: list[int]
) -> tuple[str, list[int]]:
    parts: list[str] = []
    places: list[int] = []
    done = 0
    for match in pattern.finditer(text):
        new, start, length = put(match), match.start(), match.end() - match.start()
        parts += text[done:start], new
        places += origin[done:start]
        # a replacement of another length is laid over its source evenly
        places += [origin[start + i * length // len(new)] for i in range(len(new))]
        done = match.end()
    parts.append(text[done:])
    return "".join(parts), places + origin[done:]


def _without_tag(match: re.Match[str]) -> str:
    # <br> parts two words, <b> does not: v<b></b>iagra reads as one
    return " " if (match[2] or "").lower() in _PARTS_TEXT else ""


def _without_bbcode(match: re.Match[str]) -> str:
    # row[i] is a place in a table, unless an [/i] comes somewhere
    index = len(match[2]) == 1 and not match[1] and not match[3]
    return match[0] if index and match[2].lower() not in _ended(match.string) else ""


@lru_cache(maxsize=1)  # many tags of one text ask
def _ended(text: str) -> frozenset[str]:
    return frozenset(name.lower() for name in _BBCODE_END.findall(text))


def _latin(match: re.Match[str]) -> str:
    twin = match[0].translate(LATIN_TWINS)
    return match[0] if _GREEK_OR_CYRILLIC.search(twin) else twin


def _latin_if_mixed(match: re.Match[str]) -> str:
    # Cyrillic or Greek letters inside a Latin word are a disguise; a whole word of them is Russian
    return _latin(match) if _LATIN.search(match[0]) else match[0]


def _always(text: str) -> bool:
    return True


def _holds(*sought: re.Pattern[str]) -> Callable[[str], bool]:
    """Whether a text holds any of these characters, none of which is ASCII."""

    def holds(text: str) -> bool:
        if text.isascii():
            return False
        beyond = _beyond_ascii(text)
        return any(pattern.search(beyond) for pattern in sought)

    return holds


def _not_plain(text: str) -> bool:
    if text.isascii():
        return False
    beyond = _beyond_ascii(text)  # only marks join what stands before them
    return _MARK.search(beyond) is not None or not unicodedata.is_normalized("NFKC", beyond)


def _not_printable(text: str) -> bool:
    return not text.isprintable()


_holds_mark = _holds(_MARK)
_holds_twin = _holds(_TWIN)


def _holds_run(text: str) -> bool:
    # most texts have no four equal characters in a row at all, which is seen three times as fast
    code = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    equal = (code[1:] == code[:-1]).tobytes()
    return _THREE_EQUAL in equal and any(map(text.__contains__, _RUNS))


def _mixes_scripts(text: str) -> bool:
    return _holds_twin(text) and _MIXED.search(text) is not None


def _mostly_latin(text: str) -> bool:
    if text.isascii():
        return False
    others = _count(_GREEK_OR_CYRILLIC, _beyond_ascii(text))
    return 0 < others < _count(_LATIN, text)


def _count(letters: re.Pattern[str], text: str) -> int:
    return sum(map(len, letters.findall(text)))


_Step = tuple[Callable[[str], bool], re.Pattern[str], Callable[[re.Match[str]], str]]
_UNDRESS: tuple[_Step, ...] = (
    (lambda text: "<" in text, _KNOWN_TAG, _without_tag),
    (lambda text: "[" in text, _BBCODE, _without_bbcode),
    (lambda text: "&" in text, _ENTITY, lambda match: html.unescape(match[0])),
    (_not_printable, _CONTROL, lambda match: ""),
    (_holds(BLANK), BLANK, lambda match: " "),
    (_holds(INVISIBLE), INVISIBLE, lambda match: ""),
    (_holds_mark, _PILED_MARKS, lambda match: ""),
    (_not_plain, _BEYOND_ASCII, lambda match: unicodedata.normalize("NFKC", match[0])),
)
_LOWER: _Step = (_always, re.compile(r"[A-Z]+|[^\x00-\x7f]+"), lambda match: match[0].lower())
_SMOOTH: tuple[_Step, ...] = (
    (_holds(_FINAL_SIGMA), _FINAL_SIGMA, lambda match: "σ"),
    (_holds_mark, _STACKED_MARKS, lambda match: ""),
    (_holds(_SMALL_CAPITALS), _SMALL_CAPITALS, lambda match: match[0].translate(LATIN_TWINS)),
    (_mostly_latin, _WORD, _latin),
    (_mixes_scripts, _WORD, _latin_if_mixed),
    # a hundred "!" say no more than three, and would drown the rest
    (_holds_run, _RUN, lambda match: match[0][:3]),
    (_always, _WHITE, lambda match: " "),
)


def _both_ends(content: str) -> str:
    if len(content) <= MAX_CHARACTERS:
        return content
    return content[: MAX_CHARACTERS // 2] + content[-MAX_CHARACTERS // 2 :]
