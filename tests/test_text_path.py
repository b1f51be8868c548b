"""No text breaks a verdict. `python -m tests.fuzz` looks for one for as long as you like."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.text_path import TextPath

PIECES = st.sampled_from(
    [
        *("<b>", "</b>", "<a href='", "<a href=https://a.example>", "<script>", "<!--", "-->", "<"),
        *(
            "&amp;",
            "&#x26;",
            "&#0;",
            "&",
            ";",
            "[url=",
            "[/url]",
            "https://",
            "www.",
            "javascript:",
        ),
        *("\0", "\ud800", "\udfff", "\u200b", "\u202e", "\ufdfa", "\u0301", "\ufeff", "\n", "\r"),
        *("idiot", "pills", "\U000e0041", "🏳️‍🌈", "ß", "İ", "ﬁ", "\x85", "\u2028", " onclick=x "),
        "javascript:",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), min_size=1, max_size=40).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = st.sampled_from(
    ["content", "author", "article", "form", "parent", "external_id", "seconds", "trusted", "name"]
)


@pytest.fixture(scope="module")
def path() -> TextPath:
    return TextPath()


@settings(max_examples=150)
@given(content=TEXTS)
@example(content="\ufdfa" * 500)
@example(content="<b><i>x</b></i>" * 100)
@example(content="&amp;lt;script&amp;gt;")
def test_no_text_breaks_a_verdict(path: TextPath, content: str) -> None:
    path.check(content)


@settings(max_examples=200)
@given(raw=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
@example(raw=b'{"content": "x", "form": {"seconds": 1e400}}')
@example(raw=b"[" * 100_000)
@example(raw=b"9" * 5000)
def test_no_body_breaks_the_reader(path: TextPath, raw: bytes) -> None:
    path.check_body(raw)


@settings(max_examples=200)
@given(fields=st.dictionaries(FIELDS, VALUES | st.dictionaries(FIELDS, VALUES), max_size=6))
def test_no_fields_break_the_reader(path: TextPath, fields: dict[str, object]) -> None:
    path.check_body(json.dumps({"content": "x", **fields}).encode())
