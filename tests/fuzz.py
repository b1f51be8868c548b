"""Let atheris look for texts that break the way of a comment.

    python -m tests.fuzz [libFuzzer's options, as -max_total_time=60 -max_len=4096]

Needs `pip install atheris` (Linux). It watches which branches of our code a text takes, and stops
at the first one that breaks what every verdict promises. test_text_path.py holds the promises too,
with texts by hypothesis.
"""

from __future__ import annotations

import importlib
import sys

import atheris

WATCHED = (
    "moderation.text",
    "moderation.features",
    "moderation.html_policy.markup",
    "moderation.html_policy.writer",
    "moderation.html_policy.page",
    "moderation.html_policy",
    "moderation.store.history",
    "moderation.store.stored",
    "moderation.endpoint",
)


def main() -> None:
    """Fuzz until the options say stop."""
    with atheris.instrument_imports(include=[*WATCHED]):
        for name in WATCHED:
            importlib.import_module(name)
        from tests.text_path import TextPath
    path = TextPath()

    def one(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        path.check(provider.ConsumeUnicode(4096))
        path.check_body(data)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
