"""How a page for signed-in people is declared: who may see it, and where it stands in the
navigation. The declaration brings the session, the check against forged forms, the security headers
and errors as pages.

    figures = page_blueprint("figures")

    @page(figures, "GET /review/figures", role="moderate", nav="Figures")
    def show_figures(session: Session) -> str:
        return render_template("figures.html", …)

The template extends "page.html" and fills its blocks `title` and `main`. A form that posts holds
`{{ csrf }}`. Scripts and styles come from moderation/static/; nothing inline runs or shows, `style`
attributes included, so a plot made elsewhere is an <img>.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from moderation import problems
from moderation.endpoint import service
from moderation.errors import ModerationError
from moderation.problems import KeyTooWeak, RequestError
from moderation.store.keys import Role
from moderation.store.sessions import LIFETIME, Session

Answer = str | BaseResponse | tuple[str, int]
View = TypeVar("View", bound=Callable[..., Answer])

COOKIE = "moderation"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would take the origin from our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ForgedForm(RequestError):
    """A form that did not come from a page of this session."""

    status = 403
    title = "Form out of date"


def page_blueprint(name: str) -> Blueprint:
    """A blueprint whose pages have security headers, and whose errors are pages."""
    blueprint = Blueprint(name, __name__)
    blueprint.after_request(_secure)
    blueprint.register_error_handler(Exception, _error_page)
    blueprint.context_processor(_context)
    return blueprint


def page(
    blueprint: Blueprint, rule: str, *, role: Role | None, nav: str = ""
) -> Callable[[View], View]:
    """Register a view under `METHOD /path`. It gets `session` and the parts of the path; whoever is
    not signed in is asked to, and must have the role on one site at least. With `nav` it stands in
    the navigation, in the order in which the app registers its blueprints. `role=None` is for
    everybody, and has no session."""
    method, path = rule.split(" ")

    def register(view: View) -> View:
        def call(**parts: str) -> Answer:
            request.max_content_length = service().settings.max_body
            if method == "POST":
                _refuse_other_origins()
            if role is None:
                return view(**parts)
            session = current_session()
            if session is None:
                return _to_sign_in()
            if not session.sites(role):
                raise KeyTooWeak(f"This page needs a key of role {role}.")
            if method == "POST" and not hmac.compare_digest(
                request.form.get("csrf", "").encode(), session.csrf.encode()
            ):
                raise ForgedForm("This form is out of date. Go back, load the page again, and try.")
            return view(session=session, **parts)

        call.page = (role, nav)  # type: ignore[attr-defined]  # read by the navigation and a test
        blueprint.add_url_rule(path, view.__name__, call, methods=[method])
        return view

    return register


def current_session() -> Session | None:
    """The session of this request's cookie, once; None where nobody is signed in."""
    if "session" not in g:
        token = request.cookies.get(_cookie_name(), "")
        found = service().store.sessions.find(token) if token else None
        if found and not found.keys and not service().gatekeeper.is_open():
            found = None  # the link's session ends with the open service
        g.session = found
    session: Session | None = g.session
    return session


def signed_in(token: str, to: str) -> BaseResponse:
    """Go there with a new session."""
    response = redirect(to, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        _cookie_name(),
        token,
        max_age=LIFETIME,
        secure=_is_https(),
        httponly=True,
        samesite="Lax",  # Strict would ask people who follow a link from a mail to sign in again
    )
    return response


def chosen_sites(session: Session, site: str | None, role: Role = "moderate") -> tuple[str, ...]:
    """The site that is asked for; without one, all where they have this role."""
    allowed = session.sites(role)
    if not site:
        return allowed
    if site not in allowed:
        raise KeyTooWeak(f"For the site {site!r} sign in with a key of it, of the role {role}.")
    return (site,)


def sign_out() -> None:
    """End this request's session, if any."""
    if session := current_session():
        service().store.sessions.end(session.token)


def within(target: str) -> str:
    """The target if it is one of our pages, else the queue: nobody is sent elsewhere."""
    try:
        parts = urlsplit(target)
    except ValueError:  # "//["
        return "/review"
    ours = not parts.scheme and not parts.netloc and "\\" not in target
    return target if ours and f"{parts.path}/".startswith("/review/") else "/review"


def _to_sign_in() -> BaseResponse:
    if token := request.args.get("token"):
        return redirect(url_for("sign_in.form", token=token), HTTPStatus.SEE_OTHER)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/review"
    return redirect(url_for("sign_in.form", next=wanted), HTTPStatus.SEE_OTHER)


def _refuse_other_origins() -> None:
    """Browsers say where a form comes from. The token in it is for those that do not."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site:
        ours = site in ("same-origin", "none")
    else:  # plain http from another machine
        ours = not origin or origin.partition("://")[2] == request.host
    if not ours:
        raise ForgedForm("This form came from another site, so nothing was done.")


def _is_https() -> bool:
    # Whoever lies about it loses a cookie of their own, nothing else.
    return request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def _cookie_name() -> str:
    # With this prefix no neighbour under the same domain can set it.
    return f"__Host-{COOKIE}" if _is_https() else COOKIE


def _context() -> dict[str, Any]:
    session = current_session()
    token = session.csrf if session else ""
    field = Markup('<input type="hidden" name="csrf" value="{}">').format(token)
    return {"session": session, "csrf": field, "navigation": _navigation(session)}


def _navigation(session: Session | None) -> list[tuple[str, str, str]]:
    """Title, endpoint and address of what this person may see; of one site, where one was asked
    for."""
    site = request.args.get("site", "")
    declared = (
        (endpoint, *view.page)
        for endpoint, view in current_app.view_functions.items()
        if hasattr(view, "page")
    )
    return [
        (title, endpoint, url_for(endpoint, site=site if site in session.sites(role) else None))
        for endpoint, role, title in declared
        if title and session and session.sites(role)
    ]


def _secure(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response


def _error_page(error: Exception) -> BaseResponse:
    headers: dict[str, str] = {}
    if isinstance(error, RequestError | ModerationError):
        status, title, detail = error.status, error.title, str(error)
    elif isinstance(error, HTTPException):
        status, title = error.code or 500, error.name
        detail = str(error.description or "")
        headers = {k: v for k, v in error.get_headers() if k.lower() != "content-type"}
    else:
        problems.report(error)
        status, title = 500, "Something went wrong"
        detail = "The service made a mistake and logged it. Nothing was changed."
    g.setdefault("session", None)  # what failed may be the database that knows who is signed in
    response = Response(render_template("error.html", title=title, detail=detail), status)
    response.headers.update(headers)
    return response
