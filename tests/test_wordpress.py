"""WordPress and its Akismet plugin, set up as the guide says, against `moderation serve`.

With the installed Debian package. For a newer WordPress, unpack it (Debian's: `apt-get download
wordpress libphp-phpmailer`, then `dpkg-deb -x` of both into one folder) and name its folder:

    MODERATION_TEST_WORDPRESS=/tmp/new/usr/share/wordpress pytest tests/test_wordpress.py
"""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moderation.shelf import shipped
from tests import wordpress
from tests.serving import (
    COMMAND,
    ROOT,
    Served,
    clean_environment,
    environment,
    free_port,
    write_model,
)
from tests.wordpress import WordPress

PLUGIN = ROOT / "moderation" / "guide" / "wordpress" / "moderation.php"
SPAM = (
    "I lost my savings to a fake broker, then a recovery expert on telegram got all my bitcoin "
    "back within two days. Contact him now on whatsapp, cheap pills too!"
)
ABUSE = "You are a stupid idiot and a moron, shut up and die."
HAM = "Thanks for the write-up, the part about index locks saved my afternoon."

pytestmark = pytest.mark.skipif(bool(wordpress.missing()), reason=wordpress.missing())


class Moderation:
    """The service on one port, a key for the blog, and what its moderators taught it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        if not any(shipped().glob("*/manifest.json")):
            write_model(folder / "models")
        self.key = self._run("keys", "create", "--site", "default", "--role", "submit").strip()
        self.served = self.start()

    def start(self) -> Served:
        self.served = Served(self.folder, "--port", str(self.port))
        return self.served.__enter__()

    def labels(self) -> dict[str, str]:
        rows = csv.DictReader(io.StringIO(self._run("labels")))
        return {row["text"]: row["label"] for row in rows}

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            [*COMMAND, *command],
            cwd=ROOT,
            env={**clean_environment(), **environment(self.folder)},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@pytest.fixture(scope="module")
def moderation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moderation]:
    here = Moderation(tmp_path_factory.mktemp("moderation"))
    yield here
    here.served.stop()


@pytest.fixture(scope="module")
def blog(moderation: Moderation) -> Iterator[WordPress]:
    """Set up with the plugin of the guide."""
    address = f"'MODERATION_URL', 'http://127.0.0.1:{moderation.port}'"
    key = f"'WPCOM_API_KEY', '{moderation.key}'"
    with wordpress.blog(address, key, plugin=PLUGIN) as here:
        yield here


@pytest.fixture(scope="module")
def proxied(moderation: Moderation) -> Iterator[WordPress]:
    """Set up with two lines in wp-config.php, and no plugin of ours."""
    host = "'WP_PROXY_HOST', '127.0.0.1'"
    port = f"'WP_PROXY_PORT', '{moderation.port}'"
    with wordpress.blog(host, port) as here:
        yield here


def test_spam_is_spam_abuse_waits_and_the_rest_is_published(blog: WordPress) -> None:
    for text in (SPAM, ABUSE, HAM):
        blog.comment(text)
    assert HAM in blog.published()
    assert list(blog.queue("moderated")) == [ABUSE]
    assert list(blog.queue("spam")) == [SPAM]


def test_what_moderators_decide_becomes_a_label(blog: WordPress, moderation: Moderation) -> None:
    odd = "Contact a recovery expert on telegram, bitcoin back: that is how this scam works, beware"
    for text in (SPAM + " Now!", odd, ABUSE + " Or so he said.", HAM + " Really."):
        blog.comment(text)
    spam, held = blog.queue("spam"), blog.queue("moderated")
    blog.decide(spam[odd], "unspamcomment")
    blog.decide(held[ABUSE + " Or so he said."], "approvecomment")
    blog.decide(blog.queue("approved")[HAM + " Really."], "spamcomment")
    assert moderation.labels() == {
        odd: "ok",
        ABUSE + " Or so he said.": "ok",
        HAM + " Really.": "spam",
    }


def test_akismets_page_knows_the_key_and_the_figures(blog: WordPress) -> None:
    page = blog.admin("/wp-admin/options-general.php?page=akismet-key-config")
    assert "Spam blocked" in page
    assert "connect to the Akismet servers" not in page, "Akismet thinks that nobody answers"


def test_while_the_service_is_away_comments_wait_and_nothing_is_lost(
    blog: WordPress, moderation: Moderation
) -> None:
    blog.comment("To be reported as spam later on, after a while.")
    reported = blog.queue("approved")["To be reported as spam later on, after a while."]
    moderation.served.stop()
    text = "I tried the second way with a larger table, and it holds up well."
    blog.comment(text)
    assert text not in blog.published()
    assert text in blog.queue("moderated")
    blog.decide(reported, "spamcomment")

    moderation.start()
    blog.cron("akismet_schedule_cron_recheck")
    assert text in blog.published()
    blog.cron("moderation_report")
    assert moderation.labels()["To be reported as spam later on, after a while."] == "spam"


def test_akismets_page_takes_a_key_of_ours_and_refuses_others(
    proxied: WordPress, moderation: Moderation
) -> None:
    assert 'value="0123456789ab"' not in proxied.enter_key("0123456789ab")
    assert f'value="{moderation.key}"' in proxied.enter_key(moderation.key)


def test_the_service_as_wordpress_proxy(proxied: WordPress, moderation: Moderation) -> None:
    proxied.enter_key(moderation.key)
    for text in (SPAM, ABUSE, HAM):
        proxied.comment(text)
    assert HAM in proxied.published()
    assert list(proxied.queue("moderated")) == [ABUSE]
    assert list(proxied.queue("spam")) == [SPAM]
