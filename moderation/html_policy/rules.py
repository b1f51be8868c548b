"""What HTML a site can allow in its comments: choices from fixed lists, checked when made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from moderation.html_policy.markup import URL_SCHEMES

_FORM = ("b", "strong", "i", "em", "a")
_ARTICLE = (
    "u",
    "s",
    "strike",
    "del",
    "ins",
    "code",
    "pre",
    "blockquote",
    "q",
    "cite",
    "sub",
    "sup",
)
_LIST = ("ul", "ol", "li")
_MORE = ("abbr", "dfn", "kbd", "mark", "samp", "small", "var", "br", "hr", "p")
_HEADINGS = ("h3", "h4", "h5", "h6")
PRESETS = {"text": (), "blogger": _FORM, "basic": _FORM + _ARTICLE + _LIST}
CATALOGUE = (*_FORM, *_ARTICLE, *_LIST, *_MORE, *_HEADINGS)
"""All tags that a site can allow: none of them loads, runs, styles or names anything."""

_CHOICES: dict[str, Sequence[object]] = {
    "preset": tuple(PRESETS),
    "on_disallowed": ("escape", "strip", "hold"),
    "unbalanced": ("fix", "hold"),
    "masked_links": ("allow", "flag", "text-must-match"),
    "line_breaks": ("none", "br", "p"),
}
_FLAGS = ("autolink", "target_blank", "nofollow")
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class HtmlRules:
    """What a site allows in its comments. Raises ValueError for a value that makes no sense."""

    preset: Literal["text", "blogger", "basic"] = "blogger"
    extra_tags: Sequence[str] = ()
    schemes: Sequence[str] | None = None
    """What a link may begin with; without any, what `allowed_schemes` says of the preset."""
    on_disallowed: Literal["escape", "strip", "hold"] = "escape"
    unbalanced: Literal["fix", "hold"] = "fix"
    masked_links: Literal["allow", "flag", "text-must-match"] = "flag"
    autolink: bool = False
    line_breaks: Literal["none", "br", "p"] = "br"
    max_depth: int = 20
    target_blank: bool = False
    nofollow: bool = True

    def __post_init__(self) -> None:
        for rule, allowed in _CHOICES.items():
            _one_of(rule, getattr(self, rule), allowed)
        for rule in _FLAGS:
            if not isinstance(getattr(self, rule), bool):
                raise _refusal(rule, getattr(self, rule), "true or false")
        if type(self.max_depth) is not int or not 1 <= self.max_depth <= _DEEPEST:
            raise _refusal("max_depth", self.max_depth, f"a whole number from 1 to {_DEEPEST}")
        self._settle("extra_tags", self.extra_tags, CATALOGUE)
        self._settle("schemes", () if self.schemes is None else self.schemes, tuple(URL_SCHEMES))
        if ("li" in self.tags) != bool({"ul", "ol"} & self.tags.keys()):
            raise _refusal("extra_tags", self.extra_tags, "li together with ul or ol")

    def _settle(self, rule: str, values: object, allowed: Sequence[str]) -> None:
        """Keep the values as a tuple without repetitions, in the order of the catalogue."""
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise _refusal(rule, values, "a list of: " + ", ".join(allowed))
        values = list(values)
        for value in values:
            _one_of(rule, value, allowed)
        object.__setattr__(self, rule, tuple(each for each in allowed if each in values))

    @property
    def tags(self) -> dict[str, tuple[str, ...]]:
        """The allowed tags, each with its allowed attributes."""
        chosen = {*PRESETS[self.preset], *self.extra_tags}
        attributes = {
            "a": ("href", "title") if self.preset == "basic" else ("href",),
            "abbr": ("title",),
        }
        return {name: attributes.get(name, ()) for name in CATALOGUE if name in chosen}

    @property
    def allowed_schemes(self) -> tuple[str, ...]:
        """What a link may begin with: http and https, and mailto in `basic`, if nothing is set."""
        mail = ("mailto",) if self.preset == "basic" else ()
        return tuple(self.schemes or ("http", "https", *mail))

    @property
    def sentence(self) -> str:
        """What to print under the comment form."""
        if self.tags:
            tags = (" ".join([name, *allowed]) for name, allowed in self.tags.items())
            return "You can use some HTML tags: " + ", ".join(f"<{tag}>" for tag in tags) + "."
        if self.on_disallowed == "strip":
            return "HTML tags are removed."
        return "HTML tags are shown as text."

    @property
    def rel(self) -> str:
        """The `rel` of every link, whatever the commenter wrote."""
        return "nofollow ugc noopener" if self.nofollow else "ugc noopener"


def _refusal(rule: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{rule}: {value!r} is not allowed; it can be {allowed}")


def _one_of(rule: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        raise _refusal(rule, value, ", ".join(map(str, allowed)))
