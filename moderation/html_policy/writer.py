"""Comment markup, written: well-formed from whatever nesting a comment has.

So the cleaner behind it has nothing left to repair, and its work can be checked by comparing.
Blocks are written at once. An inline element is written when text needs it; it ends where a block
begins or an outer element ends, and goes on behind. So empty ones are never written, and no page
is nested deeper than its site allows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from moderation.html_policy.markup import escape

_BLOCKS = frozenset({"p", "pre", "blockquote", "ul", "ol", "li", "hr", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"ul", "ol"})
_WITHOUT_BLOCKS = frozenset({"p", "pre", "h3", "h4", "h5", "h6"})
_END_TAG_OPTIONAL = frozenset({"p", "li"})

MAX_BLANK_LINES = 2
_MAX_QUOTES = 5
# Formatting goes on behind a block or a crossed end tag so often and no more: a short comment of
# many paragraphs under many tags would be a page a hundred times as long.
_MAX_REOPENED = 200


class _Inline:
    """An inline element open in the comment: its start tag, and where that was written."""

    __slots__ = ("at", "href", "name", "reads_from", "tag")

    def __init__(self, name: str, tag: str, href: str, reads_from: int) -> None:
        self.name, self.tag, self.href, self.reads_from = name, tag, href, reads_from
        self.at = -1


class MarkupWriter:
    """Takes text and tags as they come, gives markup.

    `repair(name, action)` hears of each tag that was "closed" for want of an end, or "removed" as
    it held nothing; `keep_link(href, text)` decides on a link once its text is known.
    """

    def __init__(
        self,
        line_breaks: Literal["none", "br", "p"],
        max_depth: int = 1,
        repair: Callable[[str, Literal["closed", "removed"]], None] = lambda name, action: None,
        keep_link: Callable[[str, str], bool] = lambda href, text: True,
    ) -> None:
        self.seen: list[str] = []
        """What a reader sees, in pieces: the text, and newlines between blocks."""
        self._line_breaks, self._max_depth = line_breaks, max_depth
        self._repair, self._keep_link = repair, keep_link
        self._out: list[str] = []
        self._blocks: list[str] = []
        self._inline: list[_Inline] = []
        self._written = 0  # so many of _inline, from the outermost, are open in _out
        self._reopened = 0
        self._breaks = 0  # newlines read and not yet written
        self._fresh = True  # nothing written yet behind the edge of a block
        self._paragraph = False

    def inside(self, *names: str) -> bool:
        """Whether text here stands in one of these inline elements, or directly in such a block."""
        return self._block() in names or any(each.name in names for each in self._inline)

    def fits(self, name: str) -> bool:
        """Whether the element may stand here: a stray list item would end one of the page's own."""
        return name != "li" or self._list_or_item() != ""

    def too_deep(self, name: str) -> bool:
        """Whether the element would be nested deeper than the site allows."""
        if name == "blockquote" and self._blocks.count(name) >= _MAX_QUOTES:
            return True
        return len(self._blocks) + len(self._inline) >= self._max_depth

    def open(self, name: str, tag: str, href: str = "") -> None:
        """Begin an element; `tag` is its start tag as it shall be written."""
        if name == "br":
            self._line_break()
        elif name in _BLOCKS:
            self._open_block(name, tag)
        else:
            if name == "a" and self.inside("a"):
                self.close("a", typed=False)
            self._inline.append(_Inline(name, tag, href, len(self.seen)))

    def close(self, name: str, typed: bool = True) -> bool:
        """End the innermost such element; False if there is nothing to end."""
        if name in _BLOCKS:
            return self._close_block(name)
        for index in range(len(self._inline) - 1, -1, -1):
            if self._inline[index].name == name:
                self._suspend(index + 1)
                for crossed in self._inline[index + 1 :]:
                    self._repair(crossed.name, "closed")
                self._end(index, typed)
                return True
        return name in _END_TAG_OPTIONAL

    def text(self, text: str, to_markup: Callable[[str], str] = escape) -> None:
        """Write visible text, each line of it through `to_markup`."""
        self.seen.append(text)
        if self._block() == "pre":
            # Browsers drop the newline that follows the start tag.
            if text := text.lstrip("\n") if self._fresh else text:
                self._begin_text()
                self._out.append(to_markup(text))
            return
        for number, line in enumerate(text.split("\n")):
            self._breaks += number > 0
            if line and not line.isspace():
                self._begin_text()
                self._out.append(to_markup(line))
            elif line and not self._fresh and not self._breaks:
                self._out.append(to_markup(line))

    def finish(self) -> str:
        """End whatever is open and give the markup."""
        while self._inline:
            self._end(len(self._inline) - 1, typed=False)
        self._edge()
        while self._blocks:
            self._end_block(typed=False)
        return "".join(self._out)

    # Lines and paragraphs

    def _begin_text(self) -> None:
        breaks = 0 if self._fresh else min(self._breaks, MAX_BLANK_LINES + 1)
        makes_paragraphs = self._line_breaks == "p" and self._block() in ("", "blockquote")
        if breaks > 1 and makes_paragraphs:
            self._suspend(0)
            self._edge()
        elif breaks:
            self._out.append(("\n" if self._line_breaks == "none" else "<br>") * breaks)
        self._breaks, self._fresh = 0, False
        if makes_paragraphs and not self._paragraph:
            self._out.append("<p>")
            self._paragraph = True
        for element in self._inline[self._written :]:
            element.at = len(self._out)
            self._out.append(element.tag)
        self._written = len(self._inline)

    def _line_break(self) -> None:
        self.seen.append("\n")
        if self._line_breaks == "none" or self._block() == "pre":
            self._begin_text()
            self._out.append("<br>")
        else:
            self._breaks += 1

    def _edge(self) -> None:
        """The end of a paragraph, or of the text beside a block: newlines there mean nothing."""
        if self._paragraph:
            self._out.append("</p>")
        self._paragraph, self._fresh, self._breaks = False, True, 0

    # Inline elements

    def _suspend(self, index: int) -> None:
        """End on the page what is written from `index` on; all but links go on with more text."""
        while self._written > index:
            last = self._inline[self._written - 1]
            if last.name == "a" or self._reopened >= _MAX_REOPENED:
                self._end(self._written - 1, typed=False)
            else:
                self._out.append(f"</{last.name}>")
                self._reopened += 1
                self._written -= 1

    def _end(self, index: int, typed: bool) -> None:
        element = self._inline.pop(index)
        if index < self._written:
            self._written = index
            if element.name == "a" and not self._keeps(element):
                self._out[element.at] = ""
            else:
                self._out.append(f"</{element.name}>")
        if not typed or element.at < 0:
            self._repair(element.name, "removed" if typed else "closed")

    def _keeps(self, link: _Inline) -> bool:
        return self._keep_link(link.href, "".join(self.seen[link.reads_from :]))

    # Blocks

    def _block(self) -> str:
        return self._blocks[-1] if self._blocks else ""

    def _list_or_item(self) -> str:
        """The list or list item that an `<li>` or `</li>` here would speak of."""
        for name in reversed(self._blocks):
            if name == "li" or name in _LISTS:
                return name
            if name not in _WITHOUT_BLOCKS:
                break
        return ""

    def _open_block(self, name: str, tag: str) -> None:
        self._suspend(0)
        self._edge()
        while self._block() in _WITHOUT_BLOCKS or (name == "li" and self._block() == "li"):
            self._end_block(typed=False)
        self._out.append(tag)
        self.seen.append("\n")
        if name != "hr":
            self._blocks.append(name)

    def _close_block(self, name: str) -> bool:
        if name not in self._blocks or (name == "li" and self._list_or_item() != "li"):
            return name in _END_TAG_OPTIONAL
        self._suspend(0)
        self._edge()
        while self._block() != name:
            self._end_block(typed=False)
        self._end_block(typed=True)
        return True

    def _end_block(self, typed: bool) -> None:
        name = self._blocks.pop()
        self._out.append(f"</{name}>")
        self.seen.append("\n")
        self._fresh = True
        if not typed and name not in _END_TAG_OPTIONAL:
            self._repair(name, "closed")
