"""How the cost of a comment grows with its size, on every path that a request takes.

    python -m tests.benchmarks.growth [--bound EXPONENT]

Prints the processor's time in milliseconds for hostile texts of 4,096 to 65,536 characters, and
the exponent between the largest two: 1 is linear. With a bound it exits with 1 where a text that
costs more than some milliseconds grows faster.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from time import process_time

from moderation import settings
from moderation.api.schemas import CommentSchema
from moderation.bulk import Unexplained
from moderation.checks import build
from moderation.endpoint import read_json
from moderation.moderator import Moderator
from moderation.shelf import ModelShelf, shipped
from moderation.store.history import Hashes
from moderation.store.stored import to_row
from moderation.verdict import Comment

SIZES = (4_096, 16_384, 65_536)
UNITS = {
    "words": "You can read the whole article again, and still not see it. ",
    "one letter": "a",
    "spaces": " ",
    "line ends": "\n",
    "tags": "<b><i>x</i></b>",
    "open tags": "<a href=",
    "entities": "&amp;#38;",
    "links": "https://a.example/b?c=d ",
    "dots": "www.a.b.c.d.e.f.g.",
    "addresses": "a@b.c,",
    "digits": "0123456789 ",
    "marks": "e\u0301\u0301\u0301",
    "ligature": "\ufdfa",
    "invisible": "a\u200b",
    "right to left": "\u202eabc\u202c",
    "bbcode": "[url=x][b]y[/b][/url]",
    "cyrillic": "раураl ",
    "emoji": "👩‍👩‍👧‍👦",
    "quotes": "\"'`",
    "backslashes": "\\u0000\\",
    "rude": "idiot pills ",
}
_TO_TELL = 5.0  # milliseconds below which a factor is noise


def paths() -> dict[str, Callable[[str], object]]:
    """What is done with a content, by name."""
    policy = settings.load({"MODERATION_BLOCK_WORDS": "casino, cheap pills"}).policy("default")
    model = ModelShelf(shipped()).active()
    # the words behind a hold by themselves: where a longer text is held and a shorter one is not,
    # they would look like growth
    unexplained = Unexplained(model)
    moderator = Moderator(build(unexplained), unexplained)
    schema, hashes = CommentSchema(), Hashes("secret")
    (verdict,) = moderator.moderate([Comment("x")], policy)

    def verdict_on(content: str) -> object:
        return moderator.moderate([Comment(content)], policy)

    return {
        "json": lambda content: schema.load(read_json(json.dumps({"content": content}).encode())),
        "verdict": verdict_on,
        "explanation": lambda content: model.explain(Comment(content), "abuse"),
        "row": lambda content: to_row(policy, Comment(content), verdict, "key", hashes),
    }


def milliseconds(path: Callable[[str], object], content: str) -> float:
    """The least of some runs: the others were disturbed."""
    taken = []
    for _ in range(3):
        started = process_time()
        path(content)
        taken.append(process_time() - started)
    return 1000 * min(taken)


def main() -> int:
    """Measure and print a table; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bound", type=float)
    given = parser.parse_args()
    print(f"| path | text | {' | '.join(f'{size:,}' for size in SIZES)} | exponent |")
    print("| --- | --- | --- | --- | --- | --- |")
    worst = 0.0
    for name, path in paths().items():
        path("warm")
        for text, unit in UNITS.items():
            contents = [(unit * size)[:size] for size in SIZES]
            taken = [milliseconds(path, content) for content in contents]
            exponent = math.log(taken[-1] / max(taken[-2], 0.001), SIZES[-1] / SIZES[-2])
            if taken[-1] > _TO_TELL:
                worst = max(worst, exponent)
                print(
                    f"| {name} | {text} | {' | '.join(f'{one:.1f}' for one in taken)} "
                    f"| {exponent:.2f} |"
                )
    print(f"\nThe fastest growth is by the power of {worst:.2f}.")
    return 1 if given.bound and worst > given.bound else 0


if __name__ == "__main__":
    sys.exit(main())
