"""The one reader of the environment: the service's settings, and each site's policy.

A setting stands as MODERATION_NAME in the environment or as `name` at the top level of the TOML
file named by MODERATION_CONFIG. Those of a site may stand in [sites.NAME] too. The most particular
place wins: [sites.NAME], then the environment, then the top level, then the default.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal, NoReturn

from platformdirs import user_data_path

from moderation.errors import BadSetting, nearest
from moderation.html_policy.rules import HtmlRules
from moderation.settings.table import PREFIX, SETTINGS, Setting, as_markdown

__all__ = ["SETTINGS", "Policy", "Setting", "Settings", "as_markdown", "load", "valid_site"]

CONFIG = PREFIX + "CONFIG"
HTML = "html_"  # settings that begin so are the fields of HtmlRules
GENERAL = "default"
_SITE_NAME = re.compile(r"[a-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Policy:
    """One site's rules; the table above says what each means."""

    site: str
    promise: float
    on_unevaluated: Literal["hold", "publish"]
    on_error: Literal["hold", "publish"]
    max_length: int
    max_links: int
    hold_off_topic: bool
    html: HtmlRules
    block_words: tuple[str, ...]
    block_names: tuple[str, ...]
    block_emails: tuple[str, ...]
    block_urls: tuple[str, ...]
    trust_words: tuple[str, ...]
    trust_names: tuple[str, ...]
    trust_emails: tuple[str, ...]
    trust_urls: tuple[str, ...]
    min_seconds: float
    flood_limit: int
    flood_window: float
    duplicate_window: float
    key_rate: int
    address_rate: int
    retention_days: int
    objections_to: str
    akismet_discard: float | None
    coral_secrets: tuple[str, ...] = field(repr=False)
    webhook_url: str
    webhook_secret: tuple[str, ...] = field(repr=False)
    webhook_private: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """The service's settings, and the policy of each of its sites."""

    host: str
    port: int
    workers: int
    database: str = field(repr=False)  # it may hold a password
    models: Path
    second_opinion: str
    max_body: int
    max_batch_body: int
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    policies: Mapping[str, Policy]

    @property
    def sites(self) -> tuple[str, ...]:
        """The configured sites; "default" is always among them."""
        return tuple(self.policies)

    def announces(self, site: str) -> bool:
        """Whether the site wants webhooks."""
        return bool(self.policy(site).webhook_url)

    def policy(self, site: str) -> Policy:
        """The site's rules; the general ones where it has none of its own."""
        return self.policies.get(site) or replace(self.policies[GENERAL], site=site)


def valid_site(name: str) -> bool:
    """Whether a site may have this name."""
    return bool(_SITE_NAME.fullmatch(name))


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it, and where: a message must name what they can find."""

    raw: object
    where: str


def load(environ: Mapping[str, str]) -> Settings:
    """Read all settings; BadSetting names one that is unknown or cannot be read."""
    top = _read_file(environ)
    sites = top.pop("sites", {})
    if not isinstance(sites, dict):
        raise BadSetting("sites", "must be tables, as in [sites.blog].")
    general = _from_file(top, "") | _from_environment(environ)
    service = {s.name: _value(s, general) for s in SETTINGS if s.scope == "service"}
    policies = {GENERAL: _policy(GENERAL, general)}
    for site, table in sites.items():
        policies[site] = _policy(site, general | _from_site(site, table))
    return Settings(**service, policies=policies)


def _read_file(environ: Mapping[str, str]) -> dict[str, Any]:
    path = environ.get(CONFIG)
    if path is None:
        return {}
    try:
        return tomllib.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(CONFIG, f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise BadSetting(CONFIG, f"{path} is not a TOML file: {error}.") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    variables = {setting.variable: setting.name for setting in SETTINGS}
    given = {}
    for variable, raw in environ.items():
        if variable.startswith(PREFIX) and variable != CONFIG:
            if variable not in variables:
                _refuse_unknown(variable, variable, [*variables, CONFIG])
            given[variables[variable]] = _Given(raw, variable)
    return given


def _from_file(table: Mapping[str, object], place: str) -> dict[str, _Given]:
    names = [setting.name for setting in SETTINGS]
    for name in table:
        if name not in names:
            _refuse_unknown(f"{name}{place}", name, [*names, "sites"])
    return {name: _Given(raw, f"{name}{place}") for name, raw in table.items()}


def _from_site(site: str, table: object) -> dict[str, _Given]:
    if not valid_site(site):
        raise BadSetting(f"[sites.{site}]", "a site's name is 1 to 64 of a-z, 0-9, - and _.")
    if not isinstance(table, dict):
        raise BadSetting(f"sites.{site}", f"must be a table: [sites.{site}].")
    given = _from_file(table, f" in [sites.{site}]")
    for setting in SETTINGS:
        if setting.scope == "service" and setting.name in given:
            where = given[setting.name].where
            raise BadSetting(where, "is of the whole service; move it above the first [table].")
    return given


def _refuse_unknown(where: str, name: str, known: Sequence[str]) -> NoReturn:
    raise BadSetting(where, f"there is no such setting{nearest(name, known)}")


def _policy(site: str, given: Mapping[str, _Given]) -> Policy:
    values = {s.name: _value(s, given) for s in SETTINGS if s.scope == "site"}
    html = HtmlRules()
    for name in [name for name in values if name.startswith(HTML)]:
        rule = name.removeprefix(HTML)
        try:
            html = replace(html, **{rule: values.pop(name)})
        except ValueError as error:
            where = given[name].where if name in given else name
            raise BadSetting(where, f"{error}.".removeprefix(f"{rule}: ")) from error
    if values["webhook_url"] and not values["webhook_secret"]:
        raise BadSetting(given["webhook_url"].where, "needs a webhook_secret beside it.")
    return Policy(site=site, html=html, **values)


def _value(setting: Setting, given: Mapping[str, _Given]) -> Any:
    if setting.name not in given:
        return setting.parse(_in_data_folder(setting.default))
    written = given[setting.name]
    try:
        return setting.parse(written.raw)
    except ValueError as error:
        value = "the value" if setting.secret else repr(written.raw)
        raise BadSetting(written.where, f"{value} will not do; it {error}.") from error


def _in_data_folder(default: object) -> object:
    if isinstance(default, str) and "{data}" in default:
        return default.replace("{data}", user_data_path("moderation").as_posix())
    return default
