"""The one table of settings. The README's is made from it, and so is the reading of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from moderation.second_opinion import ALWAYS, NEVER, UNCERTAIN
from moderation.settings.types import (
    Parser,
    choice,
    folder,
    fraction,
    integer,
    line,
    networks,
    number,
    share_or_off,
    signing_secrets,
    text,
    texts,
    url,
    web_address,
    yes_or_no,
)

PREFIX = "MODERATION_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. In a default, {data} is the user's data folder."""

    name: str
    parse: Parser
    default: object
    scope: Literal["service", "site"]
    help: str
    secret: bool = False
    """Never repeat the value in a message."""

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()


SETTINGS: tuple[Setting, ...] = (
    # Where the service listens and keeps its things.
    Setting("host", text, "127.0.0.1", "service", "Address to listen on."),
    Setting("port", integer(1, 65535), 8000, "service", "Port to listen on."),
    Setting("workers", integer(1, 256), 1, "service", "Processes that answer requests."),
    Setting(
        "database",
        url,
        "sqlite:///{data}/moderation.db",
        "service",
        "SQLAlchemy URL. PostgreSQL (`postgresql://…`) for more than one machine.",
        secret=True,
    ),
    Setting(
        "models",
        folder,
        "{data}/models",
        "service",
        "Folder that training writes models to and the service reads them from.",
    ),
    Setting(
        "second_opinion",
        choice(UNCERTAIN, ALWAYS, NEVER),
        UNCERTAIN,
        "service",
        "When to ask the sentence encoder, if the extra `second-opinion` is installed: where the "
        "model is uncertain, of every comment (`always`), or `no`.",
    ),
    Setting("max_body", integer(1024), 1 << 20, "service", "Bytes of one request; more is 413."),
    Setting("max_batch_body", integer(1024), 1 << 24, "service", "The same, for a batch."),
    Setting(
        "trusted_proxies",
        networks,
        (),
        "service",
        "Addresses or networks of reverse proxies on other machines, whose `X-Forwarded-For` says "
        "who tries to sign in. One on this machine is always trusted.",
    ),
    # When the model holds a comment.
    Setting(
        "promise",
        fraction,
        0.01,
        "site",
        "Share of honest comments that may be held by mistake, for spam and abuse together: "
        "0.01 is 1 in 100.",
    ),
    Setting(
        "on_unevaluated",
        choice("hold", "publish"),
        "hold",
        "site",
        "A text in a language that the model was not trained on: `hold` or `publish`.",
    ),
    Setting(
        "on_error",
        choice("hold", "publish"),
        "hold",
        "site",
        "A comment that a check fails on: `hold` or `publish`.",
    ),
    # What a comment may hold.
    Setting("max_length", integer(1, 65536), 65536, "site", "Characters of content; more is 422."),
    Setting("max_links", integer(0), 2, "site", "Distinct links; more are held."),
    Setting(
        "hold_off_topic",
        yes_or_no,
        False,
        "site",
        "Hold a comment with a link that has no word in common with the article, where the blog "
        "sends the article's text.",
    ),
    # HTML in a comment: HtmlRules says which values make sense.
    Setting("html_preset", text, "blogger", "site", "Tags: `text` (none), `blogger` or `basic`."),
    Setting("html_extra_tags", texts, (), "site", "Tags beyond the preset."),
    Setting(
        "html_schemes",
        texts,
        (),
        "site",
        "What links may start with; empty is http and https, and mailto in `basic`.",
    ),
    Setting(
        "html_on_disallowed",
        text,
        "escape",
        "site",
        "A tag that is not allowed: `escape` shows it as typed, `strip` drops it, `hold` shows it "
        "and holds.",
    ),
    Setting(
        "html_unbalanced", text, "fix", "site", "Tags left open: `fix` closes, `hold` also holds."
    ),
    Setting(
        "html_masked_links",
        text,
        "flag",
        "site",
        "Links whose text names another place: `allow`, `flag` holds, `text-must-match` unlinks.",
    ),
    Setting("html_autolink", yes_or_no, False, "site", "Make bare http(s) URLs links."),
    Setting(
        "html_line_breaks", text, "br", "site", "What a line break becomes: `none`, `br`, `p`."
    ),
    Setting("html_max_depth", integer(1, 100), 20, "site", "Tags inside tags; deeper is held."),
    Setting("html_target_blank", yes_or_no, False, "site", "Links open in a new tab."),
    Setting("html_nofollow", yes_or_no, True, "site", "Links get rel=nofollow."),
    # What a site never wants to see unseen.
    Setting("block_words", texts, (), "site", "Whole words or phrases in the text."),
    Setting("block_names", texts, (), "site", "Whole words in the author's name."),
    Setting("block_emails", texts, (), "site", "Addresses, or `@domain`."),
    Setting(
        "block_urls",
        texts,
        (),
        "site",
        "Hosts or URLs, with all below them; scheme, `www.` and a last slash do not matter.",
    ),
    # Whom and what a site trusts; the block lists above win.
    Setting(
        "trust_words",
        texts,
        (),
        "site",
        "Whole words or phrases; a text that holds one is not held as spam.",
    ),
    Setting(
        "trust_names",
        texts,
        (),
        "site",
        "Whole names of authors to whom rate and link rules do not apply; anybody can type a name.",
    ),
    Setting("trust_emails", texts, (), "site", "The same for addresses, or `@domain`."),
    Setting(
        "trust_urls",
        texts,
        (),
        "site",
        "The same for authors' sites, hosts or URLs; links to them are not counted.",
    ),
    # How comments come in.
    Setting(
        "min_seconds",
        number(0),
        2.0,
        "site",
        "Seconds from showing the form to sending it, where the blog tells them; less is held.",
    ),
    Setting("flood_limit", integer(1), 5, "site", "Comments of one author in `flood_window`."),
    Setting("flood_window", number(0), 60.0, "site", "Seconds; 0 turns the flood check off."),
    Setting(
        "duplicate_window",
        number(0),
        604800.0,
        "site",
        "Seconds in which the same text is held; 0 turns the check off.",
    ),
    # What authors are told.
    Setting(
        "objections_to",
        line,
        "",
        "site",
        "Where authors object to a hold or a rejection: an address or a URL, named in statements.",
    ),
    # How much may come in. What is more is answered 429, with the time to come again.
    Setting(
        "key_rate",
        integer(0),
        0,
        "site",
        "Calls a minute of one key, on all machines together; 0 is no limit.",
    ),
    Setting(
        "address_rate",
        integer(0),
        0,
        "site",
        "Comments a minute from one author's address, kept as a keyed hash for two minutes; 0 is "
        "no limit, and nothing kept.",
    ),
    # What other systems' protocols need.
    Setting(
        "akismet_discard",
        share_or_off,
        "off",
        "site",
        "Spam score from which Akismet's clients are told that they may drop a comment unseen, "
        "as 0.999; `off` never tells them.",
    ),
    Setting(
        "coral_secrets",
        texts,
        (),
        "site",
        "Signing secrets of Coral's external moderation phase; two while one is replaced.",
        secret=True,
    ),
    # Who is told what became of a comment.
    Setting(
        "webhook_url",
        web_address,
        "",
        "site",
        "Where a webhook goes when a review or an erasure changes a comment's fate; empty sends "
        "none.",
    ),
    Setting(
        "webhook_secret",
        signing_secrets,
        (),
        "site",
        "What webhooks are signed with, as `echo whsec_$(openssl rand -base64 32)` makes it; two "
        "while one is replaced.",
        secret=True,
    ),
    Setting(
        "webhook_private",
        yes_or_no,
        False,
        "site",
        "Webhooks may go to private addresses and this machine's own.",
    ),
    # What is kept.
    Setting(
        "retention_days",
        integer(0),
        0,
        "site",
        "Days after which comments are erased; 0 keeps them until they are erased by hand.",
    ),
)


def as_markdown() -> str:
    """The table, for the README."""
    rows = [f"| `{s.name}` | {_shown(s.default)} | {s.scope} | {s.help} |" for s in SETTINGS]
    return "\n".join(["| setting | default | of | meaning |", "| --- | --- | --- | --- |", *rows])


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{default}`".lower()
    return (
        f"`{default:g}`"
        if isinstance(default, float)
        else f"`{default}`"
        if default not in ((), "")
        else ""
    )
