"""Near-copies are found, and strangers are not taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.store.likeness import alike, bands

SCAM = (
    "I lost 40,000 dollars to a fake broker. Then I contacted a recovery expert on Telegram, {}, "
    "who got all my bitcoin back within two days! Write to him: {}"
)
PRAISE = "Great article, I learned a lot about {} and shared it with my friends. Thank you!"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SCAM.format("Mr Ali", "https://a.example/x"), SCAM.format("Dr Bo", "https://b.example")),
        (SCAM.format("Mr Ali", "1"), SCAM.format("Mr Ali", "1").upper()),
        (SCAM.format("Mr Ali", "1"), "<b>" + SCAM.format("Mr Ali", "1").replace(" ", "  ")),
        (SCAM.format("Mr Ali", "1"), SCAM.format("Mr Аli", "1")),  # a Cyrillic letter
        (PRAISE.format("bread"), PRAISE.format("cameras")),
        ("call 555-0001 for loans at a good rate", "call 555-9382 for loans at a good rate"),
        (
            "这个网站提供最便宜的药品，请立即联系我们获取更多信息",
            "这个网站提供最便宜的药品，请立刻联系我们获取更多信息",
        ),
        ("", ""),
        ("🙂", "🙂"),
    ],
)
def test_near_copies_are_found_and_told(one: str, other: str) -> None:
    assert alike(one, other)
    assert set(bands(one)) & set(bands(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SCAM.format("Mr Ali", "1"), PRAISE.format("bread")),
        ("Thank you!", "I disagree."),
        ("https://a.example/one", "https://b.example/two"),
        (
            "I do not agree with the author that bread needs so much salt.",
            "I do not see why anybody would bake with that much water in it.",
        ),
        ("🙂", "🙁"),
        ("", "a"),
    ],
)
def test_strangers_are_not_alike(one: str, other: str) -> None:
    assert not alike(one, other)


@given(st.text(max_size=400))
def test_every_text_is_like_itself_and_fits_the_database(content: str) -> None:
    assert alike(content, content)
    assert 1 <= len(bands(content)) <= 10
    assert all(0 <= band < 1 << 63 for band in bands(content))


def test_bands_are_the_same_for_ever() -> None:
    """They are stored, so a change needs new rows for all comments."""
    assert bands(PRAISE)[:2] == (475499887410232591, 703461934998817734)
