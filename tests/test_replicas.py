"""Two replicas of the service behind nginx, with one PostgreSQL: what is promised of one holds for
both together."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from moderation.store import Store
from tests import postgres
from tests.serving import Answer, Served, free_port, request, wait_for, write_model

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
CONFIGURATION = """
daemon off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream moderation {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://moderation; }}
  }}
}}
"""
SITES = "[sites.limited]\nkey_rate = 7\n"
FLOOD_LIMIT = 5


class Both(NamedTuple):
    """The proxy's port, the replicas behind it, and a key of each site."""

    port: int
    replicas: list[Served]
    keys: dict[str, str]

    def call(self, method: str, path: str, data: Any = None, site: str = "blog") -> Answer:
        headers = {"Authorization": f"Bearer {self.keys[site]}"}
        return request(self.port, method, path, data, headers)

    def submit(self, **comment: Any) -> Answer:
        return self.call("POST", "/v1/comments", comment)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    binaries = postgres.programs()
    if NGINX is None:
        pytest.skip("nginx is not installed (Debian package nginx)")
    folder = tmp_path_factory.mktemp("replicas")
    models, file = folder / "models", folder / "moderation.toml"
    write_model(models, "small-2")
    write_model(models, "small-1")
    file.write_text(SITES, encoding="utf-8")
    with ExitStack() as stack:
        url = stack.enter_context(postgres.server(binaries))
        store = Store.open(url)
        keys = {site: store.keys.create(site, "admin") for site in ("blog", "limited", "again")}
        store.close()
        given = {"database": url, "models": models, "config": file, "flood_limit": FLOOD_LIMIT}
        replicas = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            replicas.append(stack.enter_context(Served(folder / name, **given)))
        port = free_port()
        servers = " ".join(f"server 127.0.0.1:{replica.port};" for replica in replicas)
        written = CONFIGURATION.format(folder=folder, servers=servers, port=port)
        (folder / "nginx.conf").write_text(written, encoding="utf-8")
        proxy = subprocess.Popen(
            [NGINX, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL, cwd=folder
        )
        stack.callback(proxy.wait)
        stack.callback(proxy.terminate)
        wait_for(port)
        yield Both(port, replicas, keys)


def at_once(both: Both, comments: list[dict[str, Any]]) -> list[Any]:
    """The verdicts on comments that come at the same time."""
    with ThreadPoolExecutor(16) as pool:
        return [answer.json for answer in pool.map(lambda one: both.submit(**one), comments)]


def codes(verdict: Any) -> set[str]:
    return {reason["code"] for reason in verdict["reasons"]}


def test_both_replicas_are_asked(both: Both) -> None:
    for number in range(4):
        assert both.submit(content=f"A fine day {number}").status == 200
    key = {"Authorization": f"Bearer {both.keys['blog']}"}
    for replica in both.replicas:
        assert b"moderation_verdicts_total{" in replica.call("GET", "/metrics", None, key).body


def test_of_equal_texts_one_is_the_first(both: Both) -> None:
    text = "A long and thoughtful comment on the article that was posted here today"
    verdicts = at_once(both, [{"content": text, "external_id": str(n)} for n in range(30)])
    found = Counter("duplicate" in codes(verdict) for verdict in verdicts)
    assert found == {True: 29, False: 1}


def test_a_flood_is_counted_over_both(both: Both) -> None:
    author = {"id": "7"}
    comments = [{"content": f"Number {n} of my thoughts", "author": author} for n in range(20)]
    found = Counter("flood" in codes(verdict) for verdict in at_once(both, comments))
    assert found == {True: 20 - FLOOD_LIMIT, False: FLOOD_LIMIT}


def test_a_comment_that_is_sent_again_gets_its_first_verdict_from_either(both: Both) -> None:
    comment = {"content": "Once and no more", "external_id": "the same"}
    verdicts = at_once(both, [comment] * 30)
    assert all(verdict == verdicts[0] for verdict in verdicts)
    listed = both.call("GET", "/v1/comments?q=Once+and+no+more").json["comments"]
    assert [one["id"] for one in listed] == [verdicts[0]["id"]]


def test_a_limit_of_calls_is_of_both_together(both: Both) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(
            pool.map(lambda _: both.call("GET", "/v1/policy", site="limited").status, range(40))
        )
    # where a minute ended in between, two minutes' calls
    assert statuses[200] in (7, 14)
    assert statuses[429] == 40 - statuses[200]


def test_a_model_that_is_activated_on_one_judges_on_both(both: Both) -> None:
    for version in ("small-2", "small-1"):
        activated = both.call("POST", f"/v1/models/{version}/activate")
        assert activated.json["active"] == version
        judged = {both.submit(content=f"Another {n} {version}").json["model"] for n in range(6)}
        assert judged == {version}


def test_a_key_that_is_revoked_opens_neither(both: Both) -> None:
    for _ in range(4):
        assert both.call("GET", "/v1/policy", site="again").status == 200
    store = Store.open(both.replicas[0].database)
    store.keys.revoke(both.keys["again"])
    store.close()
    for _ in range(4):
        assert both.call("GET", "/v1/policy", site="again").status == 401


def test_when_one_ends_the_other_serves(both: Both) -> None:
    """The last test here: it leaves one replica."""
    both.replicas[1].stop()
    for number in range(10):
        assert both.submit(content=f"One is left {number}").status == 200
