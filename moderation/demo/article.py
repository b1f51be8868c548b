"""The article that the blog shows."""

from __future__ import annotations

from dataclasses import dataclass

from markdown_it import MarkdownIt
from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Article:
    """A Markdown text, as a page and as plain text."""

    title: str
    text: str
    html: Markup


def read(markdown: str) -> Article:
    """The article of a Markdown text, whose first heading is its title."""
    parser = MarkdownIt("commonmark", {"html": False})
    blocks = [
        "".join(part.content for part in token.children or ())
        for token in parser.parse(markdown)
        if token.type == "inline"
    ]
    return Article(blocks[0], "\n\n".join(blocks), Markup(parser.render(markdown)))
