"""One comment on its way through a site's HTML rules: what is kept, shown, dropped, reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Literal

from moderation.html_policy import markup
from moderation.html_policy.markup import Tag
from moderation.html_policy.rules import HtmlRules
from moderation.html_policy.writer import MarkupWriter
from moderation.verdict import Change, Page

# A hostile comment could name thousands of tags, each a page long, in the answer.
_MAX_KINDS = 50
_MAX_NAME = 40

Kind = tuple[
    Literal["tag", "attribute", "url", "text"],
    str,
    Literal["escaped", "removed", "closed", "added"],
]


def distinct(urls: Iterable[str]) -> tuple[str, ...]:
    """The URLs without those that lead to the same place as one before."""
    places: dict[str, str] = {}
    for url in urls:
        places.setdefault(markup.same_place(url), url)
    return tuple(places.values())


def _same_site(one: str, other: str) -> bool:
    """Whether one host is the other, or lies below it."""
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


class Rendering:
    """Writes one comment, once. `refused` are URLs that the cleaner would not keep."""

    def __init__(
        self, rules: HtmlRules, tags: Mapping[str, tuple[str, ...]], refused: frozenset[str]
    ) -> None:
        self.kept: dict[str, None] = {}
        """URLs of the links in the markup."""
        self._rules, self._refused = rules, refused
        self._tags = tags  # as the rules have them, which make them anew each time
        self._writer = MarkupWriter(
            rules.line_breaks, rules.max_depth, self._repaired, self._keep_link
        )
        self._kinds: Counter[Kind] = Counter()
        self._problems: dict[str, None] = {}
        self._links: list[tuple[int, str]] = []  # behind so many pieces of what the reader sees
        self._shown = 0  # so many `<` of the text ahead belong to tags that are reported as such
        self._unwritten: Counter[str] = Counter()  # start tags whose end tags are to be swallowed

    def page(self, html: str) -> Page:
        """The finished page, with this markup after cleaning."""
        seen = self._writer.seen
        places = list(accumulate(map(len, seen), initial=0))
        links = [(places[pieces], url) for pieces, url in self._links]
        links += markup.urls_in("".join(seen))
        links.sort(key=lambda link: link[0])
        return Page(html, distinct(url for _, url in links), self._changes(), tuple(self._problems))

    def write(self, content: str) -> str:
        """The comment as well-formed markup of allowed tags, all else escaped or dropped."""
        content, dropped = markup.visible_characters(content)
        if dropped:
            self._kinds["text", "invisible character", "removed"] += dropped
        done = 0
        for tag in markup.tags(content):
            allowed = tag.name in self._tags and self._writer.fits(tag.name)
            if allowed and self._is_prose(tag):
                continue
            if not allowed:
                self._report_disallowed(tag)
                if self._rules.on_disallowed != "strip":
                    self._shown += content.count("<", tag.start, tag.end)
                    continue
            self._text(content[done : tag.start])
            done = tag.end
            if not allowed:
                self._mention(content[tag.start : tag.end])
            elif tag.closing:
                self._close(tag.name)
            else:
                self._open(tag)
        self._text(content[done:])
        return self._writer.finish()

    # Text

    def _is_prose(self, tag: Tag) -> bool:
        """Whether a reader would not take it for a tag: `if a <b and c> d`."""
        return "=" not in tag.attributes and bool(tag.attributes.strip())

    def _text(self, source: str) -> None:
        if typed := source.count("<") - self._shown:
            self._kinds["text", "<", "escaped"] += typed
        self._shown = 0
        text = markup.decode(source)
        if self._rules.autolink and not self._writer.inside("a", "code", "pre"):
            self._writer.text(text, self._autolinked)
        elif text:
            self._writer.text(text)

    def _autolinked(self, text: str) -> str:
        written, done = [], 0
        for start, url in markup.urls_in(text):
            if self._accepts(url):
                self._kinds["tag", "a", "added"] += 1
                self.kept[url] = None
                tag = self._start_tag("a", {"href": url})
                written += [markup.escape(text[done:start]), tag, markup.escape(url), "</a>"]
                done = start + len(url)
        return "".join([*written, markup.escape(text[done:])])

    # Tags

    def _report_disallowed(self, tag: Tag) -> None:
        """Report an element once, not again for its end tag."""
        if tag.closing and self._unwritten["/" + tag.name]:
            self._unwritten["/" + tag.name] -= 1
            return
        if not tag.closing:
            self._unwritten["/" + tag.name] += 1
        stripped = self._rules.on_disallowed == "strip"
        kind: Kind = ("tag", tag.name, "removed" if stripped else "escaped")
        is_news = kind not in self._kinds and len(self._problems) < _MAX_KINDS
        if self._rules.on_disallowed == "hold" and is_news:
            name = tag.name[:_MAX_NAME]
            self._problem(f"<{name}> is not allowed here. {self._rules.sentence}")
        self._kinds[kind] += 1

    def _open(self, tag: Tag) -> None:
        if tag.name == "a":
            self._unwritten["a"] = 0  # links don't nest: an end tag belongs to the latest
        kept = self._attributes(tag)
        if tag.name == "a" and "href" not in kept:
            self._unwritten["a"] += 1
        elif tag.name not in ("br", "hr") and self._writer.too_deep(tag.name):
            self._unwritten[tag.name] += 1
            self._kinds["tag", tag.name, "removed"] += 1
            self._problem(f"Tags are nested more than {self._rules.max_depth} deep.")
        else:
            href = kept.get("href", "")
            if href:
                self.kept[href] = None
            self._writer.open(tag.name, self._start_tag(tag.name, kept), href)

    def _close(self, name: str) -> None:
        if self._unwritten[name]:
            self._unwritten[name] -= 1
        elif not self._writer.close(name):
            self._kinds["tag", name, "removed"] += 1
            if self._rules.unbalanced == "hold":
                self._problem(f"</{name}> ends nothing.")

    def _repaired(self, name: str, action: Literal["closed", "removed"]) -> None:
        self._kinds["tag", name, action] += 1
        if action == "closed" and self._rules.unbalanced == "hold":
            self._problem(f"<{name}> is not closed.")

    # Attributes and links

    def _attributes(self, tag: Tag) -> dict[str, str]:
        kept: dict[str, str] = {}
        for name, value in markup.attributes(tag.attributes) if tag.attributes else ():
            if value is not None and name in self._tags[tag.name] and name not in kept:
                kept[name] = value
            else:
                self._kinds["attribute", name, "removed"] += 1
                self._mention(value or "")
        if tag.name == "a":
            self._settle_href(kept)
        return kept

    def _settle_href(self, kept: dict[str, str]) -> None:
        url = markup.as_browsers_read(kept.pop("href", ""))
        if not url:
            self._kinds["tag", "a", "removed"] += 1
            return
        self._links.append((len(self._writer.seen), url))
        if self._accepts(url):
            kept |= {"href": url}
        else:
            name = markup.scheme(url) or "relative"
            if name in self._rules.allowed_schemes:
                name = "malformed"
            self._kinds["url", name, "removed"] += 1

    def _accepts(self, url: str) -> bool:
        known = markup.scheme(url) in self._rules.allowed_schemes
        return known and url not in self._refused and markup.leads_somewhere(url)

    def _start_tag(self, name: str, kept: dict[str, str]) -> str:
        if not kept and name != "a":
            return f"<{name}>"
        if name == "a":
            kept = {key: kept[key] for key in ("href", "title") if key in kept}
            kept |= {"target": "_blank"} if self._rules.target_blank else {}
            kept |= {"rel": self._rules.rel}
        written = (
            f' {key}="{markup.escape(value).replace(chr(34), "&quot;")}"'
            for key, value in kept.items()
        )
        return f"<{name}{''.join(written)}>"

    def _keep_link(self, href: str, text: str) -> bool:
        if self._rules.masked_links == "text-must-match":
            if markup.same_place(text.strip()) == markup.same_place(href):
                return True
            self._kinds["tag", "a", "removed"] += 1
            return False
        claimed, real = markup.claimed_host(text), markup.host(href)
        masked = claimed and "//" in href and not _same_site(claimed, real)
        if masked and self._rules.masked_links == "flag":
            names = f"{claimed[:_MAX_NAME]} but leads to {real[:_MAX_NAME]}"
            self._problem(f"A link reads {names}.")
        return True

    def _mention(self, source: str) -> None:
        """Count the URLs of what is dropped: a reader doesn't see them, but they were tried."""
        for _, url in markup.urls_in(markup.decode(source)):
            self._links.append((len(self._writer.seen), url))

    # The report

    def _problem(self, sentence: str) -> None:
        if len(self._problems) < _MAX_KINDS:
            self._problems[sentence] = None

    def _changes(self) -> tuple[Change, ...]:
        short: Counter[Kind] = Counter()
        for number, ((what, name, action), count) in enumerate(self._kinds.items()):
            short[what, name[:_MAX_NAME] if number < _MAX_KINDS else "other", action] += count
        return tuple(Change(*kind, count) for kind, count in short.items() if count)
