"""Language: told by words where they tell, by fastText elsewhere, and `und` in doubt."""

from __future__ import annotations

import pytest

from moderation import language
from moderation.language import detect


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("thank you for this, it was what i had been looking for all week", "en"),
        # English that fastText takes for another language
        ("bro... why do you assume im a woman just because im not a piece a shit?", "en"),
        ("shut up you moron im not reading this and you know why", "en"),
        ("danke, das war genau das, was ich seit einer woche gesucht habe", "de"),
        ("merci pour cet article, je ne connaissais pas cette histoire", "fr"),
        ("ik heb het artikel gelezen en het was precies wat ik deze week zocht", "nl"),
        ("tak for det, jeg har ledt efter det hele ugen og er meget glad", "da"),
        ("gracias por el artículo, no conocía esta parte de la historia", "es"),
        # another language that quotes English
        ("er sagte: i want to know what you think about this, und dann ging er nach hause, ich"
         " habe nicht verstanden, was er von mir will, und du auch nicht", "de"),
        ("이 기사는 정말 좋네요 감사합니다", "ko"),
        ("这篇文章写得很好，谢谢", "zh"),
        ("ok", "und"),
        ("123 !!! 👍", "und"),
        ("", "und"),
    ],
)  # fmt: skip
def test_the_language_of_a_text(text: str, code: str) -> None:
    assert detect(text) == code


def test_plain_english_needs_no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(language, "_model", refuse)
    assert detect("i think that this is not what they had in mind when you asked them") == "en"
    with pytest.raises(AssertionError):
        detect("das ist nicht, was sie im sinn hatten, als du sie gefragt hast")
