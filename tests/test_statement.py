"""What the author of a comment is told: by the native API, as JSON and as text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from moderation.docs import example
from moderation.endpoint import service
from moderation.statement_schemas import StatementSchema
from moderation.verdict import REASON_CODES
from moderation.wordings import FOUND, WORDINGS
from tests.serving import app_in, client_of

SPAM = "Cheap <b>pills</b> for you"
ABUSE = "You are an idiot & more"


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


def statement(client: Any, comment_id: str) -> Any:
    response = client.get(f"/v1/comments/{comment_id}/statement")
    assert response.status_code == 200, response.text
    assert not StatementSchema().validate(response.json)
    return response.json


def test_every_reason_has_a_polite_message_that_gives_no_rule_of_the_game_away() -> None:
    assert set(WORDINGS) == set(REASON_CODES)
    said = [*WORDINGS.values(), *FOUND.values()]
    telling = re.compile(
        r"\d|score|threshold|hidden|field|second|honeypot|bot\b|block|list\b", re.I
    )
    for text in [part for each in said for part in ([each] if isinstance(each, str) else each)]:
        assert not telling.search(text), text


def test_a_held_attack_gets_a_statement_of_reasons(client: Any) -> None:
    told = statement(client, held := submitted(client, ABUSE))
    assert told["status"] == "held"
    assert "A moderator will look at your comment" in told["message"]
    assert told["reasons"] == [{"code": "abuse", "message": WORDINGS["abuse"].message}]
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
    assert told["message"].count(WORDINGS["honeypot"].message) == 1


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
