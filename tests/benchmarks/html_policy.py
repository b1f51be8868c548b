"""How long the HTML policy takes.

    python -m tests.benchmarks.html_policy [--bound SECONDS]

Prints microseconds for ordinary comments, and milliseconds for hostile ones of growing size, each
under the rules that cost most. Four times the size should take about four times as long. With a
bound it exits with 1 where the largest comment of any shape takes longer.
"""

from __future__ import annotations

import argparse
from time import perf_counter

from moderation.html_policy import HtmlPolicy, HtmlRules

SENTENCE = "I read the article twice, and I still don't see why it leaves out the second study. "
PLAIN = (SENTENCE * 5)[:400]
TAGGED = (
    (SENTENCE * 6)[:390]
    + ' This is <b>bold</b>, <i>so is this</i>, and <a href="https://blog.example/a?b=1">more</a>.'
).ljust(500, ".")
ORDINARY = {
    "plain, 400 characters": PLAIN,
    "plain, 400 characters in 5 lines": "\n".join(PLAIN[i : i + 80] for i in range(0, 400, 80)),
    "plain, 400 characters with a URL": PLAIN[:375] + " https://blog.example/a?b",
    "one &, 400 characters": PLAIN[:395] + " AT&T",
    "3 tags, 500 characters": TAGGED,
}
UNITS = [
    *(
        "<",
        ">",
        "&",
        "&amp;",
        "&#",
        "</",
        "<!--",
        "-->",
        "<!--x-->",
        '"',
        "'",
        "(",
        ")",
        "a@",
        ".com",
    ),
    *("<b>", "<b></b>", "<b>x</b>", "</b>", "<b/>", "<b><i>x</b>", "<sub><sup>x</sub>", "<img>"),
    *("<script>", "</script>", "<script><style>", "<blockquote>", "<blockquote>x", "<ul><li>"),
    *(
        "<li>",
        "<pre>x</pre>",
        '<a href="',
        "<a href='",
        "<x:y",
        "<b title=",
        "<a ",
        "<b x=1 ",
        "<t a=1>",
    ),
    *(
        "<aa aa=aa>",
        "<a x=\"' <a y='\" ",
        "<a href=http://x.example>",
        "http://",
        "www.",
    ),
    *("<a href=http://x:99999>y</a>", "<a href=https://x.example>y</a>", "http://x.example/a "),
    *("www.x,http://", "&#x202e;", "\xa0", "x\xa0", "\r", "\n", "\n\nx", "\ud800", "\u202a"),
    "<b>\n\nx",
]
SHAPES = {repr(unit): (lambda size, unit=unit: (unit * size)[:size]) for unit in UNITS} | {
    "one tag, many attributes": lambda size: "<b " + "a=1 " * (size // 4) + ">",
    "one tag, many names": lambda size: "<b " + " ".join(f"a{n}" for n in range(size // 7)) + ">",
    "many tag names": lambda size: "".join(f"<t{n}>" for n in range(size // 8)),
    "unclosed attribute": lambda size: '<a href="' + "x" * size,
    "long URL": lambda size: '<a href="http://x.example/' + "x" * size + '">y</a>',
    "brackets behind a URL": lambda size: "http://x.example/(" + ")" * size,
    "paragraphs under many tags": lambda size: "<b><i><em><strong>" * 4 + "x\n\n" * (size // 3),
    "script without end": lambda size: "</script>" + "<script>x" * (size // 9),
    "quotes in quotes": lambda size: "<a b=\"' <a c='\" " + "b=\"' c='\" " * (size // 10),
}
RULES = (
    HtmlRules(),
    HtmlRules(preset="basic", extra_tags=("p", "br"), line_breaks="p", autolink=True),
    HtmlRules(preset="basic", on_disallowed="strip", masked_links="text-must-match"),
)


def seconds(policy: HtmlPolicy, content: str, runs: int) -> float:
    """The best time of a few, which other work on the machine disturbs least."""
    best = float("inf")
    for _ in range(7 if runs > 1 else 2):
        start = perf_counter()
        for _ in range(runs):
            policy.render(content)
        best = min(best, (perf_counter() - start) / runs)
    return best


def main() -> int:
    """Print both tables; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bound", type=float, help="seconds that no comment may take")
    bound = parser.parse_args().bound
    policies = [HtmlPolicy(rules) for rules in RULES]
    for name, content in ORDINARY.items():
        print(f"{name:36} {seconds(policies[0], content, 2000) * 1e6:8.1f} µs")
    print(f"\n{'milliseconds, worst of 3 policies':36} {'4,096':>8} {'16,384':>8} {'65,536':>8}")
    slow = []
    for name, shape in SHAPES.items():
        times = [
            max(seconds(policy, shape(size), 1) for policy in policies) * 1e3
            for size in (4096, 16384, 65536)
        ]
        print(f"{name:36.36}" + "".join(f" {time:8.1f}" for time in times))
        if bound is not None and times[-1] > bound * 1e3:
            slow.append(name)
    if slow:
        print(f"\nslower than {bound} s: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
