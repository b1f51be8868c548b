"""/docs: the guide, the API and the model's card, as pages that need nothing from outside.

The API comes from the OpenAPI document, the guide from the Markdown files in guide/, the card from
the active model's folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup

from moderation.api.openapi import document
from moderation.endpoint import route, service
from moderation.errors import ModerationError, UnknownModel
from moderation.problems import RequestError, problem_type
from moderation.shelf import ModelShelf

docs = Blueprint("docs", __name__)

GUIDE = Path(__file__).parent / "guide"
_CONTENT_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'"
_TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
_REFERENCE = "#/components/schemas/"
CARD = "model-card"


@dataclass(frozen=True, slots=True)
class GuidePage:
    """One Markdown file of the guide."""

    name: str
    title: str
    markdown: str


@docs.get("/", strict_slashes=False)
def front() -> Response:
    """Who opens the bare address in a browser is led here."""
    return Response(status=302, headers={"Location": url_for("docs.api_page")})


@route(docs, "GET /docs", role=None, answer="text/html")
def api_page() -> Response:
    """The API, to read."""
    spec = document(current_app)
    calls = [
        {"method": method, "path": path, **call}
        for path, methods in spec["paths"].items()
        for method, call in methods.items()
    ]
    return _page(
        "docs_api.html",
        title="API",
        about=spec["info"]["description"],
        calls=calls,
        schemas=spec["components"]["schemas"],
        problems=problems(),
    )


@route(docs, "GET /docs/<page>", role=None, answer="text/html", errors=(404,))
def guide_page(page: str) -> Response:
    """A page of the guide."""
    for found, following in zip_longest(pages := guide(), pages[1:]):
        if found.name == page:
            return _page("docs_guide.html", title=found.title, page=found, following=following)
    abort(404)


@route(docs, f"GET /docs/{CARD}", role=None, answer="text/html", errors=(404,))
def card_page() -> Response:
    """The card of the active model: what it was trained on, and how good it is."""
    card = (_model() / "CARD.md").read_text(encoding="utf-8")
    page = GuidePage(CARD, "Model card", card)
    return _page("docs_guide.html", title=page.title, page=page, images=f"/docs/{CARD}/")


@route(docs, "GET /docs/<folder>/<file>", role=None, answer="text/plain", errors=(404,))
def guide_file(folder: str, file: str) -> Response:
    """A file that a page of the guide or the model's card shows."""
    if folder == CARD:
        plots = {path.name: path for path in _model().glob("*.png")}
        found, media = plots.get(file), "image/png"
    else:
        files = {(path.parent.name, path.name): path for path in GUIDE.glob("*/*")}
        found, media = files.get((folder, file)), "text/plain"
    if found is None:
        abort(404)
    return Response(found.read_bytes(), mimetype=media)


def guide(folder: Path = GUIDE) -> list[GuidePage]:
    """The pages in the order of their file names; `01-start.md` is the page `start`."""
    return [
        GuidePage(
            re.sub(r"^\d+-", "", path.stem),
            title.group(1) if (title := _TITLE.search(text)) else path.stem,
            text,
        )
        for path in sorted(folder.glob("*.md"))
        for text in [path.read_text(encoding="utf-8")]
    ]


def problems() -> list[dict[str, Any]]:
    """Every kind of problem that the API can answer."""
    kinds = [*_kinds(RequestError), *_kinds(ModerationError)]
    return sorted(
        (
            {
                "id": problem_type(kind.title).partition("#")[2],
                "title": kind.title,
                "status": kind.status,
                "meaning": kind.__doc__ or "",
            }
            for kind in kinds
            if kind.status != HTTPStatus.INTERNAL_SERVER_ERROR  # of commands only
        ),
        key=lambda problem: (problem["status"], problem["title"]),
    )


def markdown(text: str, images: str = "") -> Markup:
    """Markdown as HTML: tables, anchors at headings, links to `page.md` that lead to pages, and
    pictures, which are in the folder `images`. HTML in the text is shown as text."""
    parser = _markdown_parser()
    tokens = parser.parse(text)
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            before.attrSet("id", anchor(token.content))
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", _to_page(str(child.attrGet("href"))))
            elif child.type == "image":
                child.attrSet("src", images + str(child.attrGet("src")))
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def anchor(heading: str) -> str:
    """The id of a heading, as GitHub would make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """A value that the schema describes."""
    if "example" in schema:
        return schema["example"]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].removeprefix(_REFERENCE)], schemas)
    for choices in ("allOf", "oneOf", "anyOf", "enum"):
        if choices in schema:
            first = schema[choices][0]
            return first if choices == "enum" else example(first, schemas)
    if "properties" in schema:
        return {name: example(part, schemas) for name, part in schema["properties"].items()}
    kind = _type_of(schema)
    if kind == "array":
        return [example(schema.get("items", {}), schemas)]
    return {"integer": 0, "number": 0.5, "boolean": False, "object": {}}.get(kind, "")


def _page(template: str, **values: Any) -> Response:
    written = render_template(
        template,
        guide=guide(),
        markdown=markdown,
        type_of=_type_of,
        reference=_reference,
        example=lambda schema, schemas: json.dumps(
            example(schema, schemas), ensure_ascii=False, indent=2
        ),
        **values,
    )
    response = Response(written, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _CONTENT_POLICY
    return response


def _model() -> Path:
    """The folder of the active model."""
    try:
        version = service().shelf.active().version
        return ModelShelf(service().settings.models).place(version)
    except UnknownModel:
        abort(404)


@cache
def _markdown_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # wide ones scroll by themselves, so that the page does not
    parser.add_render_rule("table_open", lambda *_: '<div class="wide"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _kinds(base: type[Any]) -> Sequence[type[Any]]:
    return [kind for sub in base.__subclasses__() for kind in (sub, *_kinds(sub))]


def _to_page(href: str) -> str:
    file, hash_, rest = href.partition("#")
    if "/" in file or not file.endswith(".md"):
        return href
    return "/docs/" + re.sub(r"^\d+-", "", file.removesuffix(".md")) + hash_ + rest


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = next(name for name in kind if name != "null")
    return str(kind)


def _reference(schema: Mapping[str, Any]) -> str:
    """The name of the schema that this one refers to, if any."""
    parts = [
        schema,
        schema.get("items", {}),
        *schema.get("allOf", ()),
        *schema.get("anyOf", ()),
    ]
    found = (part["$ref"] for part in parts if "$ref" in part)
    return str(next(found, "")).removeprefix(_REFERENCE)
