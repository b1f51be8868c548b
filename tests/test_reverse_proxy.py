"""The nginx and certificate of the guide, in a network where Akismet's names lead to them: clients
that know only https://rest.akismet.com are served unchanged, and held while the service is away."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from moderation.shelf import shipped
from tests import private_net
from tests.private_net import PrivateNet, await_file
from tests.serving import COMMAND, ROOT, clean_environment, environment, write_model
from tests.test_real_clients import CLIENTS, NODE_MODULES, PYTHON, TEXTS

GUIDE = ROOT / "moderation" / "guide" / "https"
_NGINX = """daemon off; pid {folder}/nginx.pid; error_log stderr; user root;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fast; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  include {folder}/site.conf;
}}
"""
_API = (
    "akismet-api",
    """
const { AkismetClient } = require('akismet-api');
const client = new AkismetClient({ key: process.env.KEY, blog: 'http://blog.example/' });
const ask = async () => ({ valid: await client.verifyKey(),
  held: await client.checkSpam({ user_ip: '192.0.2.1', content: process.env.TEXT }) });
""",
)
# NodeBB itself is not on npm; its plugin looks for its version in its main program's folder.
_NODEBB = (
    "nodebb-plugin-spam-be-gone",
    """
const akismet = require('nodebb-plugin-spam-be-gone/lib/akismet');
const ask = async () => ({ valid: await akismet.verifyKey(process.env.KEY, 'http://forum.example/'),
  held: await akismet.checkSpam({ user_ip: '192.0.2.1', comment_content: process.env.TEXT }) });
""",
)
# As Waline and Staticman use it, which send everything through HTTP_PROXY.
_OLD = (
    "akismet",
    """
const { promisify } = require('util');
const client = require('akismet').client({ apiKey: process.env.KEY, blog: 'http://blog.example/' });
const call = (name, ...given) => promisify(client[name].bind(client))(...given);
const ask = async () => ({ valid: await call('verifyKey'),
  held: await call('checkSpam', { user_ip: '192.0.2.1', comment_content: process.env.TEXT }) });
""",
)
_PYTHON = """
import akismet, httpx, json, os
config = akismet.Config(key=os.environ["KEY"], url="http://blog.example/")
client = akismet.SyncClient(config=config)
held = client.comment_check("192.0.2.1", comment_content=os.environ["TEXT"])
print(json.dumps({"valid": client.verify_key(), "held": held != akismet.CheckResponse.HAM}))
"""

_missing = private_net.missing() or next(
    (f"{name} is not installed" for name in ("nginx", "openssl", "node") if not shutil.which(name)),
    "",
)
pytestmark = pytest.mark.skipif(bool(_missing), reason=_missing)


class Site:
    """The service behind nginx, and the clients of a blog beside it."""

    def __init__(self, folder: Path, net: PrivateNet, key: str) -> None:
        self.folder, self.net, self.key = folder, net, key
        self._service: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self.folder / "serve.log"
        with log.open("wb") as errors:
            settings = {**clean_environment(), **environment(self.folder)}
            command = [*COMMAND, "serve", "--port", "8000"]
            self._service = self.net.start(*command, cwd=ROOT, env=settings, stderr=errors)
        await_file(log, "listening")

    def stop(self) -> None:
        if self._service is not None:
            self._service.terminate()
            self._service.wait(20)
            self._service = None

    def node(self, client: tuple[str, str], text: str, **more: str) -> dict[str, bool]:
        package, script = client
        if not (NODE_MODULES / package).is_dir():
            pytest.skip(f"the npm package {package} is not installed (tests/clients)")
        main = self.folder / f"{package}.js"
        finish = "ask().then(answer => console.log('\\n' + JSON.stringify(answer)));"
        main.write_text(script + finish, encoding="utf-8")
        constants = self.folder / "src" / "constants.js"
        constants.parent.mkdir(exist_ok=True)
        package_json = json.dumps(str(CLIENTS / "package.json"))
        constants.write_text(f"exports.paths = {{ currentPackage: {package_json} }};")
        return self._answer("node", main, TEXT=text, NODE_PATH=str(NODE_MODULES), **more)

    def python(self, text: str) -> dict[str, bool]:
        if not PYTHON.exists():
            pytest.skip("the clients of tests/clients/requirements.txt are not installed")
        return self._answer(PYTHON, "-c", _PYTHON, TEXT=text)

    def http(self, method: str, url: str, data: str = "") -> tuple[int, str]:
        """What somebody without a proxy or a CA gets, by curl."""
        trust = ["--cacert", self.folder / "ca.pem"]
        request = ["-X", method, "-d", data, "-w", "\n%{http_code}", url]
        printed = self.net.run("curl", "-sS", *trust, *request, env=self._environment())
        body, _, status = printed.rpartition("\n")
        return int(status), body

    def _answer(self, *command: str | Path, **more: str) -> dict[str, bool]:
        printed = self.net.run(*command, env={**self._environment(), "KEY": self.key, **more})
        answer: dict[str, bool] = json.loads(printed.strip().splitlines()[-1])
        return answer

    def _environment(self) -> Mapping[str, str]:
        ca = str(self.folder / "ca.pem")
        kept = {k: v for k, v in clean_environment().items() if "proxy" not in k.lower()}
        return {**kept, "NODE_EXTRA_CA_CERTS": ca, "SSL_CERT_FILE": ca}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    if not any(shipped().glob("*/manifest.json")):
        write_model(folder / "models")
    made = subprocess.run(
        [*COMMAND, "keys", "create", "--site", "default", "--role", "submit"],
        cwd=ROOT,
        env={**clean_environment(), **environment(folder)},
        check=True,
        capture_output=True,
        text=True,
    )
    key = made.stdout.strip()
    subprocess.run(["sh", GUIDE / "certificate.sh"], cwd=folder, check=True, capture_output=True)
    site = (GUIDE / "nginx.conf").read_text().replace("/etc/nginx/moderation/", f"{folder}/")
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder))
    names = ("rest.akismet.com", f"{key}.rest.akismet.com")
    with private_net.private_net(folder, *names) as net:
        nginx = net.start("nginx", "-p", folder, "-c", folder / "nginx.conf")
        here = Site(folder, net, key)
        try:
            await_file(folder / "nginx.pid", "\n")
            here.start()
            yield here
        finally:
            here.stop()
            nginx.terminate()
            nginx.wait(20)


PROXY = {"HTTP_PROXY": "http://127.0.0.1:8080", "http_proxy": "http://127.0.0.1:8080"}


@pytest.mark.parametrize("client", [_API, _NODEBB], ids=lambda client: client[0])
def test_a_client_that_knows_only_akismets_https_address(
    site: Site, client: tuple[str, str]
) -> None:
    assert site.node(client, TEXTS["SPAM_TEXT"]) == {"valid": True, "held": True}
    assert site.node(client, TEXTS["HAM_TEXT"]) == {"valid": True, "held": False}


def test_pypi_akismet_without_a_word_about_us(site: Site) -> None:
    assert site.python(TEXTS["SPAM_TEXT"]) == {"valid": True, "held": True}
    assert site.python(TEXTS["HAM_TEXT"]) == {"valid": True, "held": False}


def test_a_client_that_sends_everything_through_the_proxy(site: Site) -> None:
    assert site.node(_OLD, TEXTS["SPAM_TEXT"], **PROXY) == {"valid": True, "held": True}
    assert site.node(_OLD, TEXTS["HAM_TEXT"], **PROXY) == {"valid": True, "held": False}


def test_the_proxy_leads_nowhere_else(site: Site) -> None:
    status, _ = site.http("GET", "http://127.0.0.1:8080/v1/models")
    assert status == 403


def test_while_the_service_is_away_every_client_holds(site: Site) -> None:
    site.stop()
    try:
        check = "https://rest.akismet.com/1.1/comment-check"
        fields = f"api_key={site.key}&blog=http://blog.example/&comment_content=Fine"
        assert site.http("POST", check, fields) == (200, "true")
        coral = site.http("POST", "http://127.0.0.1:8081/coral", "{}")
        assert coral == (200, '{"status": "SYSTEM_WITHHELD"}')
        report = "https://rest.akismet.com/1.1/submit-spam"
        assert site.http("POST", report, fields)[0] == 503
    finally:
        site.start()


def test_coral_may_come_through_the_proxy(site: Site) -> None:
    comment = {"comment": {"body": TEXTS["SPAM_TEXT"]}, "author": {}, "story": {}}
    status, body = site.http("POST", "http://127.0.0.1:8081/coral", json.dumps(comment))
    assert status == 401, "keys exist, and no secret of Coral's is set: " + body
