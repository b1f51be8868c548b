"""The page that a site's HTML rules make of a comment.

Text survives: whatever isn't a complete, allowed tag is shown as it was typed. nh3 is the only
security boundary and has the last word on everything that holds `<` or `&`; what stands before it
(page.py) keeps the meaning, and may be wrong without being unsafe.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import nh3

from moderation.html_policy import markup
from moderation.html_policy.page import Rendering, distinct
from moderation.html_policy.rules import HtmlRules
from moderation.html_policy.writer import MAX_BLANK_LINES, MarkupWriter
from moderation.verdict import Change, Page

__all__ = ["HtmlPolicy", "HtmlRules"]

_log = logging.getLogger(__name__)

# One more pass has always been enough; what still changes then is not to be trusted.
_MAX_PASSES = 4
_MANY_BLANK_LINES = re.compile(rf"\n{{{MAX_BLANK_LINES + 2},}}")


class HtmlPolicy:
    """Renders comments under one site's rules. Immutable, and safe to share between threads."""

    def __init__(self, rules: HtmlRules) -> None:
        self.rules = rules
        self._tags = rules.tags
        self.sentence = rules.sentence
        """What to print under the comment form."""
        written = {"none": set(), "br": {"br"}, "p": {"br", "p"}}[rules.line_breaks]
        self._cleaner = nh3.Cleaner(
            tags={*rules.tags, *written, *({"a"} if rules.autolink else ())},
            # Without '*', nh3 lets `title` and `lang` through on every tag.
            attributes={"*": set(), "a": {"href"}}
            | {name: set(allowed) for name, allowed in rules.tags.items()},
            attribute_filter=self._attribute,
            clean_content_tags={"script", "style"},
            link_rel=rules.rel,
            set_tag_attribute_values={"a": {"target": "_blank"}} if rules.target_blank else None,
            url_schemes=set(rules.allowed_schemes),
            url_relative="deny",
        )

    def describe(self) -> dict[str, Any]:
        """The rules as JSON, for the form and for whoever asks what is enforced."""
        rules = self.rules
        return {
            "sentence": self.sentence,
            "preset": rules.preset,
            "tags": {name: list(allowed) for name, allowed in rules.tags.items()},
            "schemes": list(rules.allowed_schemes),
            "rel": rules.rel,
            "target": "_blank" if rules.target_blank else None,
            "on_disallowed": rules.on_disallowed,
            "unbalanced": rules.unbalanced,
            "masked_links": rules.masked_links,
            "autolink": rules.autolink,
            "line_breaks": rules.line_breaks,
            "max_depth": rules.max_depth,
        }

    def render(self, content: str) -> Page:
        """The comment as this site shows it."""
        # Bulk scoring comes through here for each comment: plain text needs no cleaner.
        if "<" not in content and not markup.holds_entity(content):
            plain = not (self.rules.autolink and markup.mentions_url(content))
            if plain and content.replace("\n", "").isprintable():
                return self._plain(content)
        return self._marked_up(content, frozenset())

    def _plain(self, content: str, changes: tuple[Change, ...] = ()) -> Page:
        if self.rules.line_breaks == "p" or any(map(str.isspace, content.split("\n"))):
            writer = MarkupWriter(self.rules.line_breaks)
            writer.text(content)
            page = writer.finish()
        else:
            page = markup.escape(content.strip("\n"))
            if "\n" in page:
                page = _MANY_BLANK_LINES.sub("\n" * (MAX_BLANK_LINES + 1), page)
                page = page if self.rules.line_breaks == "none" else page.replace("\n", "<br>")
        if not markup.mentions_url(content):
            return Page(page, (), changes)
        return Page(page, distinct(url for _, url in markup.urls_in(content)), changes)

    def _marked_up(self, content: str, refused: frozenset[str]) -> Page:
        rendering = Rendering(self.rules, self._tags, refused)
        written = rendering.write(content)
        cleaned = self._fixed_point(written)
        if cleaned != written and not refused:
            # The usual cause: a URL that only the cleaner finds malformed (a port above 65535).
            refused = frozenset(url for url in rendering.kept if not self._keeps(url))
            if refused:
                return self._marked_up(content, refused)
        if cleaned is None:
            text, _ = markup.visible_characters(content)
            return self._plain(text, (Change("text", "markup", "escaped"),))
        return rendering.page(cleaned)

    def _fixed_point(self, written: str) -> str | None:
        """What the cleaner leaves alone when it sees it again; None where there's no such thing."""
        try:
            for _ in range(_MAX_PASSES):
                cleaned = self._cleaner.clean(written)
                if cleaned == written:
                    return cleaned
                written = cleaned
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic in Rust is no Exception
            _log.error("HTML cleaner failed, comment shown as text: %s", type(error).__name__)
        return None

    def _keeps(self, url: str) -> bool:
        link = f'<a href="{markup.escape(url)}">x</a>'
        return " href=" in (self._fixed_point(link) or "")

    def _attribute(self, tag: str, attribute: str, value: str) -> str | None:
        """The cleaner's guard: it would keep `https:/path`, which stays on the page's own site."""
        return value if attribute != "href" or markup.leads_somewhere(value) else None
