"""A WordPress of the tests' own: Debian's package with its Akismet plugin, a MariaDB, and PHP's
server, all made, started on 127.0.0.1 and ended by them. MODERATION_TEST_WORDPRESS names the folder
of another version."""

from __future__ import annotations

import http.cookiejar
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

from tests.serving import free_port

SOURCE = Path(os.environ.get("MODERATION_TEST_WORDPRESS", "/usr/share/wordpress"))
_AKISMET = SOURCE / "wp-content" / "plugins" / "akismet"
_WAIT = 60.0
_ADMIN = ("moderator", "an-unguessable-word-9")
_CONFIG = """<?php
define( 'DB_NAME', 'test' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:{socket}' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
define( 'WP_HOME', '{url}' );
define( 'WP_SITEURL', '{url}' );
define( 'DISABLE_WP_CRON', true );
define( 'WP_AUTO_UPDATE_CORE', false );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
{more}
$table_prefix = 'wp_';
defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );
require_once ABSPATH . 'wp-settings.php';
"""
# Mail and WordPress' own servers are none of the tests' affair; readers may write at once.
_ALONE = r"""<?php
add_filter( 'pre_wp_mail', '__return_true' );
add_filter( 'wp_is_comment_flood', '__return_false', 99 );
add_filter( 'pre_option_comment_previously_approved', '__return_zero' );
add_filter( 'pre_http_request', function ( $answer, $args, $url ) {
    return preg_match( '#^https?://(127\.0\.0\.1|[^/]*rest\.akismet\.com)[:/]#', $url )
        ? $answer : new WP_Error( 'offline', $url );
}, 99, 3 );
"""


def missing() -> str:
    """What is not installed; empty where everything is."""
    if not (_AKISMET / "akismet.php").exists():
        return f"WordPress with Akismet is not in {SOURCE} (Debian package wordpress)"
    for program, package in (("php", "php-cli php-mysql php-curl"), ("mariadbd", "mariadb-server")):
        if _program(program) is None:
            return f"{program} is not installed (Debian packages {package})"
    return ""


class WordPress:
    """A blog, and what people do with it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self._visitor = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._moderator = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def configure(self, socket: Path, *constants: str) -> None:
        """Write wp-config.php with these constants beside the usual ones."""
        more = "\n".join(f"define( {constant} );" for constant in constants)
        written = _CONFIG.format(socket=socket, url=self.url, more=more)
        (self.folder / "wp-config.php").write_text(written, encoding="utf-8")

    def install(self) -> None:
        """The five minutes of WordPress' set-up."""
        name, password = _ADMIN
        self._fetch(
            self._visitor,
            "/wp-admin/install.php?step=2",
            {
                "weblog_title": "A blog",
                "user_name": name,
                "admin_password": password,
                "admin_password2": password,
                "pw_weak": "on",
                "admin_email": "moderator@example.com",
            },
        )
        self.admin("/wp-login.php", {"log": name, "pwd": password, "testcookie": "1"})
        plugins = self.admin("/wp-admin/plugins.php")
        self.follow(plugins, r'href="([^"]*action=activate[^"]*akismet[^"]*)"')

    def admin(self, path: str, data: Mapping[str, str] | None = None) -> str:
        """A page as the moderator sees it."""
        return self._fetch(self._moderator, path, data)

    def follow(self, page: str, link: str) -> str:
        """What a link on a page of the moderator's leads to."""
        found = re.search(link, page)
        assert found, f"no link {link} in {page[:2000]}"
        return self.admin("/wp-admin/" + unescape(found[1]).rpartition("/")[2])

    def enter_key(self, key: str) -> str:
        """What Akismet's settings page says to a key."""
        page = "/wp-admin/options-general.php?page=akismet-key-config"
        nonce = re.search(r'name="_wpnonce" value="([^"]+)"', self.admin(page + "&view=enter"))
        assert nonce
        return self.admin(page, {"action": "enter-key", "key": key, "_wpnonce": nonce[1]})

    def comment(self, text: str, author: str = "Jane") -> None:
        """What a reader writes under the first post."""
        self._fetch(
            self._visitor,
            "/wp-comments-post.php",
            {
                "author": author,
                "email": f"{author.lower()}@example.com",
                "url": "",
                "comment": text,
                "comment_post_ID": "1",
                "comment_parent": "0",
            },
        )

    def published(self) -> list[str]:
        """The comments that everybody sees."""
        page = self._fetch(self._visitor, "/?rest_route=/wp/v2/comments&per_page=100")
        return [self._plain(comment["content"]["rendered"]) for comment in json.loads(page)]

    def queue(self, status: str) -> dict[str, str]:
        """The comments in a list of wp-admin (`moderated`, `spam`), with their ids."""
        page = self.admin(f"/wp-admin/edit-comments.php?comment_status={status}")
        rows = re.findall(
            r'<textarea class="comment"[^>]*>(.*?)</textarea>.*?'
            r'class="comment_status">',
            page,
            re.DOTALL,
        )
        ids = re.findall(r'<tr id=[\'"]comment-(\d+)[\'"]', page)
        return {unescape(text).strip(): one for text, one in zip(rows, ids, strict=True)}

    def decide(self, comment: str, action: str) -> None:
        """Follow the link `action` of a comment in wp-admin, as without JavaScript."""
        page = self.admin("/wp-admin/edit-comments.php?comment_status=all") + self.admin(
            "/wp-admin/edit-comments.php?comment_status=spam"
        )
        self.follow(
            page,
            rf'href=[\'"](comment\.php\?[^\'"]*c={comment}&[^\'"]*action={action}&[^\'"]*'
            rf'|comment\.php\?[^\'"]*action={action}&[^\'"]*c={comment}&[^\'"]*)[\'"]',
        )

    def cron(self, hook: str) -> None:
        """Run a scheduled job now."""
        code = (
            f"$_SERVER['HTTP_HOST'] = 'x'; require 'wp-load.php';"
            f"foreach ( _get_cron_array() as $time => $jobs ) {{"
            f" foreach ( $jobs['{hook}'] ?? array() as $job ) {{"
            f"  wp_unschedule_event( $time, '{hook}', $job['args'] );"
            f"  do_action_ref_array( '{hook}', $job['args'] ); }} }}"
        )
        subprocess.run(["php", "-r", code], cwd=self.folder, check=True, capture_output=True)

    def _fetch(self, opener: Any, path: str, data: Mapping[str, str] | None = None) -> str:
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        try:
            with opener.open(self.url + path, body, timeout=_WAIT) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()[:3000]}") from error

    @staticmethod
    def _plain(rendered: str) -> str:
        return unescape(re.sub(r"<[^>]+>", "", rendered)).strip()


@contextmanager
def blog(*constants: str, plugin: Path | None = None) -> Iterator[WordPress]:
    """An installed blog with Akismet active, and with this must-use plugin."""
    folder = Path(tempfile.mkdtemp(prefix="wp"))
    started: list[subprocess.Popen[bytes]] = []
    try:
        socket = _database(folder, started)
        root = folder / "www"
        without = shutil.ignore_patterns(".htaccess", "wp-config.php")
        shutil.copytree(SOURCE, root, ignore=without, ignore_dangling_symlinks=True)
        must_use = root / "wp-content" / "mu-plugins"
        must_use.mkdir()
        (must_use / "alone.php").write_text(_ALONE, encoding="utf-8")
        if plugin:
            shutil.copy(plugin, must_use)
        port = free_port()
        here = WordPress(root, f"http://127.0.0.1:{port}")
        here.configure(socket, *constants)
        command = ["php", "-d", "display_errors=0", "-S", f"127.0.0.1:{port}", "-t", str(root)]
        with (folder / "php.log").open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=_environment()))
        _await(lambda: _answers(here.url))
        here.install()
        yield here
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(_WAIT)
        shutil.rmtree(folder, ignore_errors=True)


def _database(folder: Path, started: list[subprocess.Popen[bytes]]) -> Path:
    data, socket, user = folder / "db", folder / "db.sock", pwd.getpwuid(os.getuid()).pw_name
    as_user = ["--no-defaults", f"--user={user}", f"--datadir={data}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    make = ["--auth-root-authentication-method=normal", "--skip-name-resolve"]
    subprocess.run(["mariadb-install-db", *as_user, *make], check=True, **quiet)
    serve = ["--skip-networking", f"--socket={socket}", "--innodb-flush-log-at-trx-commit=0"]
    program = _program("mariadbd")
    started.append(subprocess.Popen([str(program), *as_user, *serve], **quiet))
    _await(socket.exists)
    make_schema = ["mariadb", "--no-defaults", f"--socket={socket}", "-u", "root", "-e"]
    statement = "CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4"
    subprocess.run([*make_schema, statement], check=True, **quiet)
    return socket


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**kept, "PHP_CLI_SERVER_WORKERS": "4"}


def _answers(url: str) -> bool:
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url + "/readme.html")
    except OSError:
        return False
    return True


def _await(ready: Any) -> None:
    end = time.monotonic() + _WAIT
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError("WordPress' parts did not start")
        time.sleep(0.05)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
