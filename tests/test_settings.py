"""Settings: one table, three places to set them, and no misspelling that goes unnoticed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from moderation import settings
from moderation.errors import BadSetting
from moderation.html_policy.rules import HtmlRules
from moderation.settings import SETTINGS, Policy, Settings


def load_toml(tmp_path: Path, toml: str, **environ: str) -> Settings:
    file = tmp_path / "moderation.toml"
    file.write_text(toml, encoding="utf-8")
    return settings.load({"MODERATION_CONFIG": str(file), **environ})


def test_nothing_needs_to_be_set() -> None:
    read = settings.load({"PATH": "/bin", "HOME": "/home/x"})
    assert (read.host, read.port, read.sites) == ("127.0.0.1", 8000, ("default",))
    assert read.database.startswith("sqlite:///")
    assert read.policy("default").html == HtmlRules()
    assert read.policy("default").promise == 0.01


def test_every_row_of_the_table_is_a_field_and_every_field_a_row() -> None:
    site = {row.name for row in SETTINGS if row.scope == "site"}
    rules = {f"html_{field.name}" for field in fields(HtmlRules)}
    assert site == {field.name for field in fields(Policy)} - {"site", "html"} | rules
    service = {row.name for row in SETTINGS if row.scope == "service"}
    assert service == {field.name for field in fields(Settings)} - {"policies"}


def test_the_markdown_table_holds_every_setting() -> None:
    table = settings.as_markdown()
    for row in SETTINGS:
        assert f"| `{row.name}` |" in table
        assert row.help in table


def test_a_site_table_wins_over_the_environment_and_that_over_the_top_level(
    tmp_path: Path,
) -> None:
    toml = "max_links = 7\npromise = 0.01\nmin_seconds = 9\n[sites.blog]\nmax_links = 0\n"
    read = load_toml(tmp_path, toml, MODERATION_MAX_LINKS="5", MODERATION_PROMISE="1/100")
    assert (read.policy("blog").max_links, read.policy("blog").promise) == (0, 0.01)
    assert (read.policy("default").max_links, read.policy("default").min_seconds) == (5, 9.0)
    assert read.sites == ("default", "blog")


def test_a_site_without_a_table_has_the_general_rules_under_its_own_name() -> None:
    read = settings.load({"MODERATION_MAX_LINKS": "1"})
    assert (read.policy("news").site, read.policy("news").max_links) == ("news", 1)


def test_lists_are_read_from_both_places(tmp_path: Path) -> None:
    toml = 'block_names = ["free, now", "casino"]\n'
    read = load_toml(tmp_path, toml, MODERATION_BLOCK_WORDS="cialis, buy now\nviagra,")
    assert read.policy("default").block_words == ("cialis", "buy now", "viagra")
    assert read.policy("default").block_names == ("free, now", "casino")


def test_html_settings_become_the_site_rules(tmp_path: Path) -> None:
    toml = '[sites.blog]\nhtml_preset = "basic"\nhtml_autolink = true\nhtml_extra_tags = ["kbd"]\n'
    html = load_toml(tmp_path, toml).policy("blog").html
    assert html == HtmlRules(preset="basic", autolink=True, extra_tags=("kbd",))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MODERATION_PROT", "1", ["MODERATION_PROT", "did you mean MODERATION_PORT?"]),
        ("MODERATION_PORT", "abc", ["MODERATION_PORT", "'abc'", "from 1 to 65535"]),
        ("MODERATION_PORT", "70000", ["70000", "from 1 to 65535"]),
        ("MODERATION_PORT", "", ["MODERATION_PORT", "whole number"]),
        ("MODERATION_HOST", " ", ["MODERATION_HOST", "not empty"]),
        ("MODERATION_WORKERS", "1.5", ["'1.5'", "whole number"]),
        ("MODERATION_TRUSTED_PROXIES", "10.0.0.1/8", ["addresses or networks", "host bits"]),
        ("MODERATION_PROMISE", "1", ["between 0 and 1", "1/200"]),
        ("MODERATION_PROMISE", "1/0", ["between 0 and 1"]),
        ("MODERATION_MIN_SECONDS", "nan", ["'nan'", "number from 0 up"]),
        ("MODERATION_MIN_SECONDS", "-1", ["number from 0 up"]),
        ("MODERATION_ON_ERROR", "ignore", ["'ignore'", "hold or publish"]),
        ("MODERATION_HTML_AUTOLINK", "maybe", ["'maybe'", "true or false"]),
        ("MODERATION_HTML_PRESET", "wide", ["MODERATION_HTML_PRESET", "'wide'", "blogger"]),
        ("MODERATION_HTML_EXTRA_TAGS", "script", ["MODERATION_HTML_EXTRA_TAGS", "'script'"]),
        ("MODERATION_CONFIG", "/nowhere/x.toml", ["MODERATION_CONFIG", "/nowhere/x.toml"]),
    ],
)
def test_a_bad_variable_is_named_with_its_value_and_the_way_out(
    name: str, value: str, words: list[str]
) -> None:
    with pytest.raises(BadSetting) as refused:
        settings.load({name: value})
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("max_link = 3", ["max_link:", "did you mean max_links?"]),
        ("port = true", ["port", "True", "whole number"]),
        ("block_words = [1]", ["block_words", "list of texts"]),
        ("[sites.blog]\nmax_links = '3x'", ["max_links in [sites.blog]", "'3x'"]),
        ("[sites.blog]\nmax_lenght = 3", ["[sites.blog]", "did you mean max_length?"]),
        ("[sites.blog]\nport = 3", ["port in [sites.blog]", "whole service"]),
        ("[sites.blog]\nhtml_preset = 'x'", ["html_preset in [sites.blog]", "'x'"]),
        ("[sites.'My Blog']\nmax_links = 3", ["My Blog", "a-z"]),
        ("[site.blog]\nmax_links = 3", ["site:", "did you mean sites?"]),
        ("sites = 3", ["sites", "[sites.blog]"]),
        ("sites = { blog = 3 }", ["sites.blog", "table"]),
        ("max_links = ", ["not a TOML file", "Invalid value"]),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path: Path, toml: str, words: list[str]) -> None:
    with pytest.raises(BadSetting) as refused:
        load_toml(tmp_path, toml)
    for word in words:
        assert word in str(refused.value)


def test_a_database_password_is_in_no_message_and_in_no_repr() -> None:
    with pytest.raises(BadSetting) as refused:
        settings.load({"MODERATION_DATABASE": "postgresql:/me:s3cret@db/x"})
    assert "s3cret" not in str(refused.value)
    read = settings.load({"MODERATION_DATABASE": "postgresql://me:s3cret@db/x"})
    assert "s3cret" not in repr(read)


def test_errors_of_settings_end_a_command_with_2() -> None:
    assert BadSetting("x", "y").exit_code == 2
