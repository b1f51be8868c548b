"""Signing in at the page: only with a key that may, and nobody rides on another's session."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation import auth
from moderation.review.pages import page, page_blueprint
from moderation.store import Store, sessions
from moderation.store.sessions import Session
from tests.protocols import store_of
from tests.serving import Served, app_in, client_of, write_model

PUBLIC = {"sign_in.form", "sign_in.enter"}
FORGED = "0" * 64


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return app_in(tmp_path)


@pytest.fixture
def client(app: Flask) -> Any:
    return client_of(app)


def enter(client: Any, key: str, **given: Any) -> Any:
    form = {"key": key, "next": given.pop("next", "")}
    return client.post("/review/sign-in", data=form, **given)


def signed_in(app: Flask, role: str = "moderate", site: str = "default", name: str = "") -> Any:
    client = client_of(app)
    assert enter(client, store_of(app).keys.create(site, role, name)).status_code == 303
    return client


def csrf_of(client: Any) -> str:
    found = re.search(r'name="csrf" value="(\w{64})"', client.get("/review").text)
    assert found
    return found[1]


def cookie_of(answer: Any) -> str:
    return str(answer.headers["Set-Cookie"])


def pages(app: Flask) -> Iterator[tuple[str, str, str, str | None]]:
    """Endpoint, method, path and role of every page."""
    for rule in app.url_map.iter_rules():
        if declared := getattr(app.view_functions[rule.endpoint], "page", None):
            (method,) = (rule.methods or set()) - {"HEAD"}
            yield rule.endpoint, method, re.sub(r"<[^>]+>", "x", rule.rule), declared[0]


def test_a_moderator_signs_in_once(app: Flask, client: Any) -> None:
    key = store_of(app).keys.create("blog", "moderate", "Ann")
    away = client.get("/review?status=held")
    assert (away.status_code, away.location) == (
        303,
        "/review/sign-in?next=/review?status%3Dheld",
    )
    entered = enter(client, f" {key} ", next="/review?status=held")
    assert (entered.status_code, entered.location) == (303, "/review?status=held")
    shown = client.get("/review")
    assert shown.status_code == 200
    assert "blog" in shown.text
    assert "Ann" in shown.text
    assert key not in shown.text


@pytest.mark.parametrize("role", ["moderate", "admin"])
def test_moderators_and_admins_may_enter(app: Flask, role: str) -> None:
    assert signed_in(app, role).get("/review").status_code == 200


def test_a_key_that_may_only_submit_does_not_open_the_page(app: Flask, client: Any) -> None:
    refused = enter(client, store_of(app).keys.create("default", "submit"))
    assert refused.status_code == 403
    assert "may only submit" in refused.text
    assert "Set-Cookie" not in refused.headers


@pytest.mark.parametrize("key", ["", "wrong", "x" * 12, "ключ", "\0"])
def test_a_wrong_key_is_told_and_not_repeated(app: Flask, client: Any, key: str) -> None:
    refused = enter(client, key)
    assert refused.status_code == 401
    assert "unknown or revoked" in refused.text
    assert not key or key not in refused.text


def test_every_page_asks_who_comes(app: Flask, client: Any) -> None:
    moderator, admin = signed_in(app, "moderate"), signed_in(app, "admin")
    seen = set()
    for endpoint, method, path, role in pages(app):
        seen.add(endpoint)
        if role is None:
            assert endpoint in PUBLIC
            continue
        assert role in ("moderate", "admin"), endpoint
        away = client.open(path, method=method)
        assert (away.status_code, away.location.partition("?")[0]) == (303, "/review/sign-in")
        if role == "admin":
            assert moderator.open(path, method=method).status_code == 403, endpoint
        if method == "POST":
            for form in ({}, {"csrf": FORGED}, {"csrf": csrf_of(moderator)}):
                assert admin.post(path, data=form).status_code == 403, endpoint
    assert seen > PUBLIC
    assert {"review.queue", "sign_in.leave"} < seen


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app: Flask, client: Any) -> None:
    key = store_of(app).keys.create("default", "moderate")
    plain = cookie_of(enter(client, key))
    assert plain.startswith("moderation=")
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    behind_tls = cookie_of(enter(client, key, headers={"X-Forwarded-Proto": "https"}))
    assert behind_tls.startswith("__Host-moderation=")
    assert "Secure" in behind_tls
    assert "Domain" not in behind_tls


def test_a_session_is_never_one_that_was_there_before(app: Flask, client: Any) -> None:
    key = store_of(app).keys.create("default", "moderate")
    client.set_cookie("moderation", "planted-by-somebody")
    first = cookie_of(enter(client, key)).partition(";")[0]
    assert "planted" not in first
    second = cookie_of(enter(client, key)).partition(";")[0]
    assert first != second
    client.set_cookie("moderation", first.partition("=")[2])
    assert client.get("/review").status_code == 303


def test_revoking_a_key_ends_its_sessions(app: Flask, client: Any) -> None:
    key = store_of(app).keys.create("default", "moderate")
    enter(client, key)
    other = signed_in(app)
    store_of(app).keys.revoke(key)
    assert client.get("/review").status_code == 303
    assert other.get("/review").status_code == 200


def test_who_signs_in_to_several_sites_sees_them_all_while_the_keys_last(app: Flask) -> None:
    client = signed_in(app, site="one")
    first = client.get_cookie("moderation").value
    second_key = store_of(app).keys.create("two", "moderate")
    added = client.post("/review/sign-in", data={"key": second_key, "add": "1"})
    assert added.status_code == 303
    assert client.get_cookie("moderation").value != first
    assert sites(client) == ["one", "two"]
    store_of(app).keys.revoke(second_key)
    assert sites(client) == []
    assert "<span>one</span>" in client.get("/review").text
    client.set_cookie("moderation", first)
    assert client.get("/review").status_code == 303


def test_who_signs_in_anew_has_not_the_sites_of_who_was_there_before(app: Flask) -> None:
    client = signed_in(app, site="one")
    enter(client, store_of(app).keys.create("two", "moderate"))
    assert sites(client) == []
    assert "<span>two</span>" in client.get("/review").text


def test_of_two_keys_of_a_site_the_last_counts(app: Flask) -> None:
    client = signed_in(app, "admin", "one", "Ann")
    for role, status in (("moderate", 403), ("admin", 200)):
        key = store_of(app).keys.create("one", role, role.title())
        client.post("/review/sign-in", data={"key": key, "add": "1"})
        assert f"<span>{role.title()}</span>" in client.get("/review").text
        assert client.get("/review/webhooks").status_code == status


def test_a_role_counts_on_its_own_site_only(app: Flask) -> None:
    client = signed_in(app, "admin", site="one")
    key = store_of(app).keys.create("two", "moderate")
    client.post("/review/sign-in", data={"key": key, "add": "1"})
    assert client.get("/review/webhooks").text.count("Given up") == 1
    assert client.get("/review/webhooks?site=one").status_code == 200
    assert client.get("/review/webhooks?site=two").status_code == 403
    retried = client.post("/review/webhooks/retry", data={"csrf": csrf_of(client), "site": "two"})
    assert retried.status_code == 403
    shown = client.get("/review?site=two").text
    assert 'href="/review/figures?site=two"' in shown
    assert 'href="/review/webhooks"' in shown


@pytest.mark.parametrize("path", ["/review", "/review/figures", "/review/models/words-2"])
def test_a_site_that_one_is_not_signed_in_to_is_refused(app: Flask, path: str) -> None:
    client = signed_in(app, site="one")
    assert client.get(f"{path}?site=one").status_code == 200
    for other in ("two", "<script>", "one,two"):
        refused = client.get(path, query_string={"site": other})
        assert refused.status_code == 403
        assert "<script>" not in refused.text


def sites(client: Any) -> list[str]:
    """What the filter offers beside all of them."""
    chosen = client.get("/review").text.partition('<select id="site"')[2].partition("</select>")[0]
    return re.findall(r'<option value="(\w+)"', chosen)


def test_signing_out_ends_the_session_for_good(app: Flask) -> None:
    client = signed_in(app)
    token = client.get_cookie("moderation").value
    assert client.post("/review/sign-out", data={"csrf": csrf_of(client)}).status_code == 303
    client.set_cookie("moderation", token)
    assert client.get("/review").status_code == 303


def test_a_session_ends_after_its_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(app)
    later = time.time() + sessions.LIFETIME + 1
    monkeypatch.setattr(sessions.time, "time", lambda: later)
    assert client.get("/review").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_does_nothing(
    app: Flask, client: Any, headers: dict[str, str]
) -> None:
    key = store_of(app).keys.create("default", "moderate")
    refused = enter(client, key, headers=headers)
    assert refused.status_code == 403
    assert "Set-Cookie" not in refused.headers
    assert enter(client, key, headers={"Origin": "http://localhost"}).status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/review",
        "//evil.example/review",
        "/\\evil.example",
        "/review\\..\\x",
        "/reviewer",
        "javascript:alert(1)",
        "/v1/comments",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(app: Flask, client: Any, target: str) -> None:
    key = store_of(app).keys.create("default", "moderate")
    assert enter(client, key, next=target).location == "/review"


def test_tries_are_limited_for_each_address(app: Flask, client: Any) -> None:
    key = store_of(app).keys.create("default", "moderate")
    for _ in range(sessions.TRIES):
        assert enter(client, "wrong").status_code == 401
    late = enter(client, key)
    assert late.status_code == 429
    assert 0 < int(late.headers["Retry-After"]) <= sessions.TRIES_WINDOW


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "172.18.0.5", "fd00::7"])
def test_of_a_trusted_proxy_the_last_address_that_it_names_is_the_one_that_tries(
    tmp_path: Path, proxy: str
) -> None:
    app = app_in(tmp_path, trusted_proxies="172.18.0.0/16, fd00::7")
    said = [_tries(app, proxy, f"203.0.113.1, 203.0.113.{n}") for n in range(sessions.TRIES + 1)]
    assert said == [401] * (sessions.TRIES + 1)
    assert [_tries(app, proxy, "203.0.113.0, 203.0.113.7") for _ in range(sessions.TRIES)][
        -1
    ] == 429


@pytest.mark.parametrize(
    "peer", ["10.1.2.3", "192.168.0.9", "172.19.0.5", "fd00::8", "8.8.8.8", ""]
)
def test_nobody_else_names_the_address_that_tries(tmp_path: Path, peer: str) -> None:
    app = app_in(tmp_path, trusted_proxies="172.18.0.0/16, fd00::7")
    said = [_tries(app, peer, f"203.0.113.{n}") for n in range(sessions.TRIES + 1)]
    assert said == [401] * sessions.TRIES + [429]


def _tries(app: Flask, peer: str, forwarded: str) -> int:
    """The status of a wrong key sent from there."""
    headers = {"X-Forwarded-For": forwarded}
    answer = enter(client_of(app), "wrong", headers=headers, environ_base={"REMOTE_ADDR": peer})
    return int(answer.status_code)


def test_the_limit_passes(app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    key = store_of(app).keys.create("default", "moderate")
    for _ in range(sessions.TRIES + 1):
        enter(client, "wrong")
    later = time.time() + sessions.TRIES_WINDOW + 1
    monkeypatch.setattr(sessions.time, "time", lambda: later)
    assert enter(client, key).status_code == 303


def test_every_page_has_its_security_headers(app: Flask, client: Any) -> None:
    for answer in (client.get("/review"), client.get("/review/sign-in"), enter(client, "wrong")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_page_is_declared_in_one_line(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    figures = page_blueprint("figures")

    @page(figures, "GET /review/declared", role="admin", nav="Declared")
    def show(session: Session) -> str:
        return f"of {session.sites('admin')}"

    app.register_blueprint(figures)
    assert signed_in(app, "admin", "blog").get("/review/declared").text == "of ('blog',)"
    assert 'href="/review/declared"' in signed_in(app, "admin").get("/review").text
    moderator = signed_in(app, "moderate")
    assert moderator.get("/review/declared").status_code == 403
    assert 'href="/review/declared"' not in moderator.get("/review").text


def test_errors_of_a_page_are_pages(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    broken = page_blueprint("broken")

    @page(broken, "GET /review/broken", role="moderate")
    def show(session: Session) -> str:
        raise ZeroDivisionError("with a reader's words in it")

    app.register_blueprint(broken)
    answer = signed_in(app).get("/review/broken")
    assert answer.status_code == 500
    assert answer.mimetype == "text/html"
    assert "words" not in answer.text
    assert "Content-Security-Policy" in answer.headers


# ------------------------------------------------------------------ open, for a first try


def test_while_open_the_link_signs_in_once(app: Flask, client: Any) -> None:
    assert client.get("/review").status_code == 303
    token = store_of(app).sessions.offer_link()
    entered = by_link(client, token)
    assert (entered.status_code, entered.location) == (303, "/review")
    assert client.get("/review").status_code == 200
    again = by_link(client_of(app), token)
    assert again.status_code == 401
    assert "used before" in again.text


def test_looking_at_the_link_does_not_use_it_up(app: Flask, client: Any) -> None:
    token = store_of(app).sessions.offer_link()
    for _ in range(3):  # a chat's preview, a mail filter
        shown = client_of(app).get(f"/review?token={token}", follow_redirects=True)
        assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
        assert "Set-Cookie" not in shown.headers
        assert shown.text.count("<button") == 1
    assert by_link(client, token).status_code == 303


def test_another_site_cannot_press_the_links_button(app: Flask, client: Any) -> None:
    token = store_of(app).sessions.offer_link()
    forged = {"Sec-Fetch-Site": "cross-site"}
    refused = client.post("/review/sign-in", data={"token": token}, headers=forged)
    assert refused.status_code == 403
    assert by_link(client, token).status_code == 303


def test_a_first_key_ends_the_link_and_who_came_by_it(app: Flask, client: Any) -> None:
    by_link(client, store_of(app).sessions.offer_link())
    assert client.get("/review").status_code == 200
    token = store_of(app).sessions.offer_link()
    store_of(app).keys.create("default", "admin")
    time.sleep(auth._RECHECK_SECONDS)
    assert client.get("/review").status_code == 303
    assert client.post("/review/sign-in", data={"token": token}).status_code == 401


def test_a_new_link_stops_the_one_before(app: Flask, client: Any) -> None:
    first, _ = store_of(app).sessions.offer_link(), store_of(app).sessions.offer_link()
    assert by_link(client, first).status_code == 401


def by_link(client: Any, token: str) -> Any:
    """Open the link and press the button."""
    shown = client.get(f"/review?token={token}", follow_redirects=True)
    held = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown.text))
    assert held == {"token": token}
    return client.post("/review/sign-in", data=held)


def test_serve_prints_the_link_and_any_worker_knows_the_session(tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    with Served(tmp_path, "--workers", "2") as served:
        (link,) = re.findall(r"http://127\.0\.0\.1:\d+(/review\?token=\S+)", served.log())
        token = link.partition("=")[2]
        assert served.call("GET", link).headers["location"] == f"/review/sign-in?token={token}"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        pressed = f"token={token}".encode()
        entered = served.call("POST", "/review/sign-in", pressed, form)
        assert entered.status == 303
        cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
        for _ in range(8):
            assert served.call("GET", "/review", headers=cookie).status == 200
        assert served.call("POST", "/review/sign-in", pressed, form).status == 401
        assert token not in served.log().replace(link, "")


def test_serve_prints_no_link_once_there_is_a_key(tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    Store.open(f"sqlite:///{tmp_path}/comments.db").keys.create("default", "admin")
    with Served(tmp_path) as served:
        assert "token=" not in served.log()


def test_sessions_and_tries_are_kept_as_hashes(store: Store) -> None:
    key = store.keys.find(store.keys.create("blog", "moderate", "Ann"))
    token = store.sessions.start(key)
    found = store.sessions.find(token)
    assert found
    assert (found.roles, found.name) == ({"blog": "moderate"}, "Ann")
    assert store.sessions.find(token + "x") is None
    assert [store.sessions.may_try("192.0.2.7") for _ in range(sessions.TRIES)] == [0] * 10
    assert store.sessions.may_try("192.0.2.7") > 0
    assert store.sessions.may_try("192.0.2.8") == 0
    link = store.sessions.offer_link()
    assert [store.sessions.take_link(link) for _ in range(2)] == [True, False]
    with store._database.reading() as connection:
        kept = repr(
            [
                connection.exec_driver_sql(f"select * from {table}").all()
                for table in ("sessions", "tries", "meta")
            ]
        )
    assert token not in kept
    assert "192.0.2.7" not in kept
