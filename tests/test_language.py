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
        # fastText is nearly sure that this is German
        ("i hope you die in a fire", "und"),
        ("ok", "und"),
        ("123 !!! 👍", "und"),
        ("", "und"),
    ],
)  # fmt: skip
def test_the_language_of_a_text(text: str, code: str) -> None:
    assert detect(text) == code


@pytest.mark.parametrize(
    ("text", "taken_for"),
    [
        ("o goberno non explicou por que os prezos subiron tanto este ano e a xente non sabe como"
         " pagar as facturas que chegan cada mes", "pt"),
        ("die regering het nie verduidelik waarom die pryse van krag so baie gestyg het nie, en"
         " die mense weet nie hoe om die rekeninge te betaal nie", "nl"),
        ("no estic d'acord amb el que diu l'article perquè les persones que viuen al barri no"
         " tenen cap culpa de la situació", "es"),
        ("jeg er ikke enig i det artikkelen sier, fordi de som bor i nabolaget ikke har skyld i"
         " det som har hendt", "de"),
    ],
)  # fmt: skip
def test_a_small_neighbour_is_not_taken_for_the_large_language(text: str, taken_for: str) -> None:
    assert detect(text) != taken_for


@pytest.mark.parametrize(
    "text",
    [
        "i think that this is not what they had in mind when you asked them",
        "das ist nicht, was sie im sinn hatten, als du sie gefragt hast, und ich auch nicht",
    ],
)
def test_a_plain_text_needs_no_detector(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(language, "_model", refuse)
    assert detect(text) in ("en", "de")
    with pytest.raises(AssertionError):
        detect("rząd nie wyjaśnił, dlaczego ceny prądu tak bardzo wzrosły w tym roku")
