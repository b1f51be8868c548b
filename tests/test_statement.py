"""What the author of a comment is told: by the native API, as JSON and as text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from moderation.api.statement import state
from moderation.api.statement_schemas import StatementSchema
from moderation.docs import example
from moderation.endpoint import service
from moderation.verdict import Language
from moderation.wordings import languages, wordings
from tests.serving import app_in, client_of

SPAM = "Cheap <b>pills</b> for you"
ABUSE = "You are an idiot & more"
ENGLISH = wordings("en").texts["reason"]


@pytest.fixture
def client(tmp_path: Path) -> Any:
    return client_of(app_in(tmp_path, objections_to="objections@blog.example", max_links=0))


def submitted(client: Any, content: str, **more: Any) -> str:
    article = {"title": "Our daily bread", "url": "https://blog.example/bread"}
    comment = {"content": content, "article": article, **more}
    return str(client.post("/v1/comments", json=comment).json["id"])


def reviewed(client: Any, comment_id: str, decision: str, label: str | None) -> None:
    said = {"decision": decision, "label": label, "note": "third time this week"}
    assert client.post(f"/v1/comments/{comment_id}/review", json=said).status_code == 200


def statement(client: Any, comment_id: str, accepted: str = "") -> Any:
    headers = {"Accept-Language": accepted} if accepted else {}
    response = client.get(f"/v1/comments/{comment_id}/statement", headers=headers)
    assert response.status_code == 200, response.text
    assert not StatementSchema().validate(response.json)
    assert response.headers["Content-Language"] == response.json["language"]
    assert response.headers["Vary"] == "Accept, Accept-Language"
    return response.json


def test_a_held_attack_gets_a_statement_of_reasons(client: Any) -> None:
    told = statement(client, held := submitted(client, ABUSE))
    assert told["status"] == "held"
    assert "A moderator will look at your comment" in told["message"]
    assert told["reasons"] == [{"code": "abuse", "message": ENGLISH["abuse"]}]
    legal = told["statement_of_reasons"]
    assert "not shown to readers, until a moderator has decided" in legal["restriction"]
    assert f'"{ABUSE}"' in legal["facts"]
    assert 'under "Our daily bread"' in legal["facts"]
    assert "An automatic check" in legal["facts"]
    assert 'What weighed most: "idiot".' in legal["facts"]
    assert "attacks on a person or a group are not published" in legal["ground"]
    assert (legal["automated"]["detection"], legal["automated"]["decision"]) == (True, True)
    assert "objections@blog.example" in legal["objection"]
    assert held in legal["objection"]
    assert "0.99" not in str(told)


def test_the_documented_example_is_what_is_said(client: Any) -> None:
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    documented = example({"$ref": "#/components/schemas/Statement"}, schemas)
    said = statement(client, submitted(client, "You are an idiot."))

    def timeless(told: Any) -> str:
        text = json.dumps(told, sort_keys=True).replace(said["id"], documented["id"])
        return re.sub(r"\d+ \w+ \d{4} at \d\d:\d\d", "then", text)

    assert timeless(said) == timeless(documented)


def test_spam_is_not_told_which_words_to_change(client: Any) -> None:
    told = statement(client, submitted(client, f"{'Long and friendly. ' * 6}{SPAM}"))
    assert told["reasons"][0]["code"] == "spam"
    assert "pills" not in str(told)


def test_a_rejection_is_a_persons_decision(client: Any) -> None:
    comment_id = submitted(client, ABUSE)
    reviewed(client, comment_id, "reject", "abuse")
    told = statement(client, comment_id)
    assert told["status"] == "rejected"
    assert told["message"].endswith("found that it attacks a person or a group.")
    assert [reason["code"] for reason in told["reasons"]] == ["abuse"]
    legal = told["statement_of_reasons"]
    assert (legal["automated"]["detection"], legal["automated"]["decision"]) == (True, False)
    assert "with no end set" in legal["restriction"]
    assert "A moderator read it" in legal["facts"]
    assert "third time" not in str(told)  # notes are for other moderators


def test_what_no_check_found_was_found_by_a_person(client: Any) -> None:
    comment_id = submitted(client, "A fine day")
    assert statement(client, comment_id)["statement_of_reasons"] is None
    reviewed(client, comment_id, "reject", "spam")
    told = statement(client, comment_id)
    assert [reason["code"] for reason in told["reasons"]] == ["spam"]
    assert told["statement_of_reasons"]["automated"]["detection"] is False
    assert "automatic" not in told["statement_of_reasons"]["facts"]


def test_a_rejection_without_a_label_blames_no_check(client: Any) -> None:
    comment_id = submitted(client, SPAM)
    reviewed(client, comment_id, "reject", None)
    told = statement(client, comment_id)
    assert told["message"].endswith("does not fit our rules.")
    assert "advertising" not in told["statement_of_reasons"]["ground"]


def test_a_published_comment_has_nothing_to_object_to(client: Any) -> None:
    comment_id = submitted(client, SPAM)
    reviewed(client, comment_id, "publish", "ok")
    told = statement(client, comment_id)
    assert (told["status"], told["reasons"]) == ("published", [])
    assert told["statement_of_reasons"] is None


def test_several_reasons_are_all_named_and_each_sentence_once(client: Any) -> None:
    form = {"honeypot": "x", "seconds": 0.1}
    told = statement(client, submitted(client, "See https://a.example, idiot", form=form))
    codes = [reason["code"] for reason in told["reasons"]]
    assert {"abuse", "links", "honeypot", "too_fast"} <= {*codes}
    assert told["message"].count(ENGLISH["honeypot"]) == 1


def test_accept_text_plain_gets_one_text(client: Any) -> None:
    path = f"/v1/comments/{submitted(client, ABUSE)}/statement"
    response = client.get(path, headers={"Accept": "text/plain"})
    assert response.content_type == "text/plain; charset=utf-8"
    told = client.get(path).json
    legal = told["statement_of_reasons"]
    assert response.text.startswith(told["message"])
    assert "Article 17" in response.text
    for part in ("restriction", "facts", "ground", "objection"):
        assert legal[part] in response.text
    assert legal["automated"]["explanation"] in response.text
    assert client.get(path, headers={"Accept": "text/html, */*;q=0.8"}).json == told


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("de-AT", "de"),
        ("DE-de-1996, en", "de"),
        ("de_DE", "de"),
        ("ja, pt-BR;q=0.4, it;q=0.6, fr;q=0.5", "it"),
        ("*, es;q=0.1", "es"),
        ("de;q=0, fr;q=0.2", "fr"),
        ("ja", "en"),
        ("*", "en"),
        (";;;,=,../en,en/../de", "en"),
        ("", "en"),
    ],
)
def test_the_first_accepted_language_that_there_is_counts(
    client: Any, accepted: str, spoken: str
) -> None:
    assert statement(client, submitted(client, ABUSE), accepted)["language"] == spoken


@pytest.mark.parametrize(
    ("accepted", "spoken"), [("", "de"), ("ja, *;q=0.5", "de"), ("en-GB", "en")]
)
def test_without_one_it_is_the_comments_own(
    client: Any, monkeypatch: pytest.MonkeyPatch, accepted: str, spoken: str
) -> None:
    monkeypatch.setattr("tests.serving.Language", lambda _: Language("de"))
    assert statement(client, submitted(client, ABUSE), accepted)["language"] == spoken


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_way_of_a_comment_is_told_in_every_language(tmp_path: Path, language: str) -> None:
    client = client_of(app_in(tmp_path, max_links=0))
    form = {"honeypot": "x", "seconds": 0.1}
    held = submitted(client, f"{ABUSE} {SPAM} https://a.example", form=form)
    spam, unlabelled, unchecked, fine = (
        submitted(client, text) for text in (SPAM, f"{SPAM} again", "A fine day", "Another")
    )
    reviewed(client, spam, "reject", "spam")
    reviewed(client, unlabelled, "reject", None)
    reviewed(client, unchecked, "reject", "abuse")
    said, english = {}, {}
    for comment_id in (held, spam, unlabelled, unchecked, fine):
        path = f"/v1/comments/{comment_id}/statement"
        for texts, spoken in ((said, language), (english, "en")):
            headers = {"Accept": "text/plain", "Accept-Language": spoken}
            texts[comment_id] = client.get(path, headers=headers).text
        told = statement(client, comment_id, language)
        assert told["language"] == language
        assert said[comment_id].startswith(told["message"])
        assert not re.search(r"[{}]|  |\.\.", said[comment_id])
    assert wordings(language).quote("idiot") in said[held]
    assert "2022/2065" in said[held]
    assert held in said[held]
    whole = {text for texts in said.values() for text in texts.split("\n\n")}
    foreign = {text for texts in english.values() for text in texts.split("\n\n")}
    assert whole == foreign if language == "en" else not whole & foreign


def test_a_backends_key_may_ask_but_only_about_its_own_site(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    with app.app_context():
        keys = service().store.keys
    own, other = (
        {"Authorization": f"Bearer {keys.create(site, 'submit')}"} for site in ("default", "other")
    )
    client = client_of(app)
    verdict = client.post("/v1/comments", json={"content": ABUSE}, headers=own).json
    path = f"/v1/comments/{verdict['id']}/statement"
    statuses = [client.get(path, headers=sent).status_code for sent in (own, other, {})]
    assert statuses == [200, 404, 401]


def test_it_is_dated_by_the_decision_that_stands(client: Any) -> None:
    comment_id = submitted(client, SPAM)
    reviewed(client, comment_id, "reject", "spam")
    reviewed(client, comment_id, "reject", "abuse")
    with client.application.app_context():
        service().store.review("default", comment_id, "undo", None)
        stored = service().store.find("default", comment_id)
        policy = service().settings.policy("default")
    first, *later = stored.reviews
    first = replace(first, at=first.at - timedelta(days=40))
    told = state(replace(stored, reviews=(first, *later)), policy, "en")
    assert told.statement_of_reasons is not None
    assert wordings("en").when(first.at) in told.statement_of_reasons.facts
