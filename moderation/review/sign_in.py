"""Signing in at the page with a moderator's or an admin's key, and out again."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from moderation.endpoint import service
from moderation.review.pages import (
    Answer,
    current_session,
    page,
    page_blueprint,
    sign_out,
    signed_in,
    within,
)
from moderation.store.sessions import Session

sign_in = page_blueprint("sign_in")


@page(sign_in, "GET /review/sign-in", role=None)
def form() -> Answer:
    """The form that asks for a key, or for a press on a button where a link led here: programs that
    look at links, as chats and mail filters do, press none."""
    return _form()


@page(sign_in, "POST /review/sign-in", role=None)
def enter() -> Answer:
    """A session for whoever knows a key that may moderate."""
    store = service().store
    if seconds := store.sessions.may_try(_client()):
        minutes = -(-seconds // 60)
        said = f"Too many tries. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        response = make_response(_form(said, HTTPStatus.TOO_MANY_REQUESTS))
        response.headers["Retry-After"] = str(seconds)
        return response
    if token := request.form.get("token"):
        return _enter_by_link(token)
    key = store.keys.find(request.form.get("key", "").strip())
    if key is None:
        return _form("This key is unknown or revoked.", HTTPStatus.UNAUTHORIZED)
    if not key.may("moderate"):
        said = f"This key may only {key.role}. Use one of the role moderate or admin."
        return _form(said, HTTPStatus.FORBIDDEN)
    before = current_session()
    beside = before.token if before and request.form.get("add") else ""
    if not beside:
        sign_out()  # else whoever shares this browser would have the other's sites too
    return signed_in(store.sessions.start(key, beside), within(request.form.get("next", "")))


@page(sign_in, "POST /review/sign-out", role="moderate")
def leave(session: Session) -> Response:
    """End the session."""
    sign_out()
    return redirect(url_for("sign_in.form"), HTTPStatus.SEE_OTHER)


def _enter_by_link(token: str) -> Answer:
    sessions = service().store.sessions
    if service().gatekeeper.is_open() and sessions.take_link(token):
        sign_out()
        return signed_in(sessions.start(None), "/review")
    said = "This link was used before, or is out of date. Use a key, or start again."
    return _form(said, HTTPStatus.UNAUTHORIZED)


def _form(problem: str = "", status: int = HTTPStatus.OK) -> Answer:
    wanted = request.values.get("next", "")
    is_open = service().gatekeeper.is_open()
    return render_template(
        "sign_in.html",
        problem=problem,
        next=within(wanted),
        is_open=is_open,
        token=request.args.get("token", "") if is_open else "",
        add=request.values.get("add", ""),
    ), status


def _client() -> str:
    """The address that tries. Behind a proxy that is trusted it is the one that the proxy saw: the
    last that it names. Anybody else would name whatever address has tries left."""
    peer = request.remote_addr or ""
    named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return named if named and _is_trusted(peer) else peer


def _is_trusted(peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    proxies = service().settings.trusted_proxies
    return address.is_loopback or any(address in network for network in proxies)
