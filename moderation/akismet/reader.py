"""How Akismet's clients write a request: the key in four places, the fields in three forms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import g, request
from werkzeug.exceptions import RequestEntityTooLarge

from moderation.auth import Caller
from moderation.endpoint import service
from moderation.faces import largest_form
from moderation.problems import KeyNeeded, KeyTooWeak
from moderation.store.keys import KEY_LENGTH
from moderation.store.tables import storable
from moderation.verdict import Article, Author, Comment, Form

Fields = Mapping[str, str]

# Fields in which a report may name the check that it is about.
_GUIDS = ("guid", "akismet_guid", "comment_check_response")
_BAD_KEY = "This key is unknown or revoked; `moderation keys create` makes one."
_NO_KEY = "No key was sent, or the body cannot be read; send it as the field `api_key`."

_MOST_FIELDS = 10_000
_TRUE = ("1", "true", "yes", "on")
_LONGEST = 1_000
_LONGEST_URL = 8_192
# No codec but a text's: Python has others, and some of them take their time.
_CHARSET = re.compile(
    r"(iso-?8859-\d+|latin-?1|windows-?125\d|cp125\d|koi8-[ru]|gbk?(2312|18030)?|big5|euc-(jp|kr)"
    r"|shift[_-]jis)",
    re.IGNORECASE,
)


class Invalid(Exception):
    """A request that is answered with `invalid`; the message is for the blog's administrator."""


def read_fields() -> Fields:
    """The fields of this request, of its query and its body. What cannot be read is left out, and
    bytes that are no text become U+FFFD: no client expects to be refused for either."""
    request.max_content_length = request.max_form_memory_size = largest_form()
    if request.mimetype == "multipart/form-data":
        body = request.form.to_dict()
    elif request.is_json:
        body = _from_json(request.get_data())
    else:
        body = _from_form(_whole_body())
    fields: Fields = storable({**request.args.to_dict(), **body})
    return fields


def admit(fields: Fields) -> Caller:
    """Whose key it is; Invalid where it is no good one."""
    caller = _caller(_key(fields, "api_key", "key"))
    g.site = caller.site
    return caller


def verified(fields: Fields) -> Caller:
    """The same for a key that is to be judged: WordPress sends its stored key as `api_key` beside
    the new one, NodeBB sends no other."""
    return _caller(_key(fields, "key", "api_key"))


def is_test(fields: Fields) -> bool:
    """Whether nothing of this may be kept."""
    return fields.get("is_test", "").strip().lower() in _TRUE


def comment_of(fields: Fields) -> Comment:
    """The comment that is asked about. The many other fields that WordPress sends, the visitor's
    request among them, are not kept."""

    def field(name: str, longest: int = _LONGEST) -> str:
        return fields.get(name, "").strip()[:longest]

    trap = fields.get("honeypot_field_name", "")
    return Comment(
        content=fields.get("comment_content", ""),
        author=Author(
            name=field("comment_author"),
            email=field("comment_author_email"),
            url=field("comment_author_url", _LONGEST_URL),
            ip=field("user_ip").removeprefix("::ffff:"),
            user_agent=field("user_agent"),
        ),
        article=Article(url=field("permalink", _LONGEST_URL)),
        form=Form(honeypot=fields.get(trap, "") if trap else ""),
    )


def recorded_id(fields: Fields) -> str:
    """The id of the comment that a report is about, where it repeats our X-akismet-guid."""
    guid = next((fields[name] for name in _GUIDS if "-" in fields.get(name, "")), "")
    return guid.partition("-")[0]


def _key(fields: Fields, *names: str) -> str:
    """The key that a request carries: in one of these fields, else as the user of Basic
    authentication (`KEY.x`), else as the first label of the host (`KEY.rest.akismet.com:80`)."""
    for name in names:
        if name in fields:
            return fields[name].strip()
    user = request.authorization.username if request.authorization else ""
    # Hosts have no case: some clients send KEY as it is, others in lower case.
    host: str = request.environ.get("HTTP_HOST", "").lower()
    labels = [name.partition(":")[0].partition(".")[0] for name in (user or "", host)]
    return next((label for label in labels if len(label) == KEY_LENGTH), "")


def _caller(key: str) -> Caller:
    if not key:
        raise Invalid(_NO_KEY)
    # The length matters where the service runs open: any key would do.
    try:
        if len(key) == KEY_LENGTH:
            # A blog has one key for all calls: whoever may ask may also report.
            return service().gatekeeper.admit(key, "submit")
    except (KeyNeeded, KeyTooWeak) as error:
        raise Invalid(_BAD_KEY) from error
    raise Invalid(_BAD_KEY)


def _whole_body() -> bytes:
    raw = request.get_data()
    if request.content_length is None and len(raw) >= largest_form():
        raise RequestEntityTooLarge  # werkzeug cuts a chunked body off there, and says nothing
    return raw


def _from_form(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            raw.decode("latin-1"),
            keep_blank_values=True,
            encoding="latin-1",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        return {}
    written = {name: value.encode("latin-1") for name, value in pairs}
    charset = written.get("blog_charset", b"").decode("latin-1")
    return {name: _decoded(value, charset) for name, value in written.items()}


def _from_json(raw: bytes) -> dict[str, str]:
    try:
        data = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return {name: _text(value) for name, value in data.items()} if isinstance(data, dict) else {}


def _decoded(value: bytes, charset: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode(charset if _CHARSET.fullmatch(charset) else "utf-8", "replace")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
