"""Perspective's protocol, as Google documented it and its clients read it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from moderation.classifier import Assessment
from moderation.perspective.attributes import ATTRIBUTES, NOT_SCORED
from moderation.perspective.spans import in_utf16, sentences
from moderation.verdict import Comment
from tests.protocols import ABUSE, FOREIGN, HAM, SPAM, Heads, faces_app, key_for, recorded, store_of

ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
PRODUCTION = ["TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT"]


class News:
    """A news site that speaks Perspective."""

    def __init__(self, app: Flask, key: str) -> None:
        self.client: Any = app.test_client()
        self.key = key

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"{path}?key={self.key}", json=body)

    def analyze(self, text: str, *attributes: str, **more: Any) -> Any:
        requested = {name: {} for name in attributes or ("TOXICITY",)}
        return self.post(
            ANALYZE, {"comment": {"text": text}, "requestedAttributes": requested, **more}
        )

    def suggest(self, text: str, **scores: float) -> Any:
        values = {name: {"summaryScore": {"value": value}} for name, value in scores.items()}
        return self.post(SUGGEST, {"comment": {"text": text}, "attributeScores": values})


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return faces_app(tmp_path)


@pytest.fixture
def news(app: Flask) -> News:
    return News(app, key_for(app))


def score(answer: Any, name: str) -> float:
    value: float = answer.json["attributeScores"][name]["summaryScore"]["value"]
    return value


def error_of(answer: Any) -> dict[str, Any]:
    error: dict[str, Any] = answer.json["error"]
    assert error["code"] == answer.status_code
    return error


# Scores


def test_every_requested_attribute_has_a_probability(news: News) -> None:
    answer = news.analyze(ABUSE, *ATTRIBUTES)
    assert answer.status_code == 200
    assert set(answer.json["attributeScores"]) == set(ATTRIBUTES)
    for scores in answer.json["attributeScores"].values():
        for one in (scores["summaryScore"], scores["spanScores"][0]["score"]):
            assert one["type"] == "PROBABILITY"
            assert 0 <= one["value"] <= 1


def test_the_scores_are_the_models(news: News) -> None:
    answer = news.analyze("you idiot with your pills", *ATTRIBUTES)
    assert [score(answer, name) for name in ("TOXICITY", "INSULT", "SPAM")] == [0.99] * 3
    others = ("THREAT", "PROFANITY", "IDENTITY_ATTACK", "SEXUALLY_EXPLICIT")
    assert [score(answer, name) for name in others] == [0.01] * 4


def test_experimental_twins_score_alike(news: News) -> None:
    answer = news.analyze(ABUSE, *ATTRIBUTES)
    for name in PRODUCTION:
        assert score(answer, name) == score(answer, f"{name}_EXPERIMENTAL")


@pytest.mark.parametrize(
    ("text", "is_severe"),
    [("you idiot", False), ("I hope you die", True), ("damn idiot", True), ("damn fine", False)],
)
def test_severe_toxicity_is_a_threat_or_an_attack_in_foul_words(
    news: News, text: str, is_severe: bool
) -> None:
    answer = news.analyze(text, "SEVERE_TOXICITY", "TOXICITY")
    assert (score(answer, "SEVERE_TOXICITY") > 0.5) is is_severe
    assert score(answer, "SEVERE_TOXICITY") <= score(answer, "TOXICITY")


def test_below_its_threshold_an_attribute_is_left_out(news: News) -> None:
    requested = {
        "TOXICITY": {"scoreType": "PROBABILITY", "scoreThreshold": 0.9},
        "THREAT": {"scoreThreshold": 0.9},
    }
    body = {"comment": {"text": ABUSE}, "requestedAttributes": requested}
    assert set(news.post(ANALYZE, body).json["attributeScores"]) == {"TOXICITY"}


def test_token_and_languages_are_echoed(news: News) -> None:
    answer = news.analyze(HAM, languages=["en"], clientToken="comment:1", sessionId="s").json
    assert answer["clientToken"] == "comment:1"
    assert answer["languages"] == ["en"]
    assert answer["detectedLanguages"] == ["en"]
    assert "clientToken" not in news.analyze(HAM).json
    assert news.analyze(HAM, languages=[]).json["languages"] == ["en"]


def test_html_and_context_are_accepted(news: News) -> None:
    entry = {"text": "What do you take?", "type": "PLAIN_TEXT"}
    both = {"articleAndParentComment": {"article": entry, "parentComment": entry}}
    for context in ({"entries": [entry, entry]}, both, {}):
        body = {
            "comment": {"text": f"<p>{HAM}</p>", "type": "HTML"},
            "context": context,
            "requestedAttributes": {"TOXICITY": {}},
        }
        assert news.post(ANALYZE, body).status_code == 200


def test_fields_may_be_written_with_underscores(app: Flask, news: News) -> None:
    body = {
        "comment": {"text": HAM},
        "requested_attributes": {"TOXICITY": {"score_threshold": 0.5}},
        "do_not_store": True,
        "client_token": "t",
    }
    answer = news.post(ANALYZE, body).json
    assert (answer["attributeScores"], answer["clientToken"]) == ({}, "t")
    assert not recorded(app)
    context = {"article_and_parent_comment": {"parent_comment": {"text": 5}}}
    assert news.post(ANALYZE, {**body, "context": context}).status_code == 400


def test_the_colon_may_be_escaped(news: News) -> None:
    body = {"comment": {"text": HAM}, "requestedAttributes": {"TOXICITY": {}}}
    assert news.post(ANALYZE.replace(":", "%3A"), body).status_code == 200


# Spans


def test_without_annotations_one_span_covers_the_text(news: News) -> None:
    (span,) = news.analyze(ABUSE).json["attributeScores"]["TOXICITY"]["spanScores"]
    assert (span["begin"], span["end"]) == (0, len(ABUSE))


def test_with_annotations_each_sentence_has_its_own_score(news: News) -> None:
    text = "A fine day. You idiot!  Bye"
    spans = news.analyze(text, spanAnnotations=True).json["attributeScores"]["TOXICITY"]
    found = {text[s["begin"] : s["end"]]: s["score"]["value"] for s in spans["spanScores"]}
    assert found == {"A fine day.": 0.01, "You idiot!": 0.99, "Bye": 0.01}
    assert spans["summaryScore"]["value"] == 0.99


def test_spans_below_the_threshold_are_left_out(news: News) -> None:
    requested = {"TOXICITY": {"scoreThreshold": 0.5}}
    body = {
        "comment": {"text": "A fine day. You idiot!"},
        "requestedAttributes": requested,
        "spanAnnotations": True,
    }
    (span,) = news.post(ANALYZE, body).json["attributeScores"]["TOXICITY"]["spanScores"]
    assert span["begin"] == len("A fine day. ")


def test_spans_are_counted_in_utf16_as_the_original_counts(news: News) -> None:
    text = "😀😀 hello. You idiot"
    scores = news.analyze(text, spanAnnotations=True).json["attributeScores"]["TOXICITY"]
    wide = text.encode("utf-16-le")
    found = [wide[2 * s["begin"] : 2 * s["end"]].decode("utf-16-le") for s in scores["spanScores"]]
    assert found == ["😀😀 hello.", "You idiot"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ('He said "no." Then left.', ['He said "no."', "Then left."]),
        ("line one\nline two\n\n", ["line one", "line two"]),
        ("version 3.11 is out... really", ["version 3.11 is out...", "really"]),
        ("これは犬です。あれは猫です。", ["これは犬です。", "あれは猫です。"]),
        ("   ", ["   "]),
        ("no stop", ["no stop"]),
        ("?!?!", ["?!?!"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_neither_many_sentences_nor_many_stops_take_long() -> None:
    assert len(sentences("a. " * 6_800)) <= 100
    began = time.process_time()
    for text in ("!" * 20_000 + "a", "a." * 10_000, '."' * 10_000, "\n" * 20_000):
        sentences(text)
    in_utf16("😀" * 5_000, range(0, 5_000, 50))
    assert time.process_time() - began < 2


# What is kept


def test_with_do_not_store_nothing_is_written(app: Flask, news: News, tmp_path: Path) -> None:
    secret = "an unmistakable sentence that nobody may keep"
    news.analyze(f"{secret} idiot", doNotStore=True, spanAnnotations=True)
    assert not recorded(app)
    store_of(app).close()
    for file in tmp_path.iterdir():
        assert secret.encode() not in file.read_bytes()


@pytest.mark.parametrize("unclear", ["true", "yes", 1, 0, {}, [True]])
def test_a_do_not_store_that_is_neither_true_nor_false_is_refused(
    app: Flask, news: News, unclear: object
) -> None:
    answer = news.analyze(HAM, doNotStore=unclear)
    assert (answer.status_code, recorded(app)) == (400, [])


def test_else_it_is_recorded_once_with_its_verdict(app: Flask, news: News) -> None:
    for _ in range(3):
        news.analyze(ABUSE, doNotStore=False)
        news.analyze(ABUSE)
    (stored,) = recorded(app)
    assert (stored.comment.content, stored.status) == (ABUSE, "held")


def test_what_is_refused_is_not_recorded(app: Flask, news: News) -> None:
    assert news.analyze(HAM, "FLIRTATION").status_code == 400
    assert news.analyze(FOREIGN).status_code == 400
    assert not recorded(app)


# Feedback


@pytest.mark.parametrize(
    ("scores", "status", "label"),
    [
        ({"TOXICITY": 1}, "rejected", "abuse"),
        ({"TOXICITY": 0}, "published", "ok"),
        ({"TOXICITY": 0.9, "SPAM": 0}, "rejected", "abuse"),
        ({"SPAM": 1, "TOXICITY": 1}, "rejected", "spam"),
        ({"SPAM": 0}, "published", "ok"),
        ({"SEVERE_TOXICITY": 0}, "published", "ok"),
        ({"INSULT": 1}, "rejected", "abuse"),
        ({"LIKELY_TO_REJECT": 1}, "rejected", None),
        ({"INSULT": 0}, "held", None),
        ({"FLIRTATION": 1}, "held", None),
    ],
)
def test_a_suggested_score_is_the_review_of_the_comment(
    app: Flask, news: News, scores: dict[str, float], status: str, label: str | None
) -> None:
    news.analyze(ABUSE)
    assert news.suggest(ABUSE, **scores).status_code == 200
    (stored,) = recorded(app)
    assert (stored.status, stored.label) == (status, label)


def test_the_last_suggestion_wins_and_none_is_written_twice(app: Flask, news: News) -> None:
    for value in (1, 1, 0, 0, 1):
        news.suggest(ABUSE, TOXICITY=value)
    (stored,) = recorded(app)
    reviews = store_of(app).find("default", stored.id).reviews
    assert [review.label for review in reviews] == ["abuse", "ok", "abuse"]


def test_a_comment_that_was_never_seen_reaches_training(app: Flask, news: News) -> None:
    news.analyze("you are all wrong about this", doNotStore=True)
    news.suggest("you are all wrong about this", TOXICITY=1)
    (row,) = store_of(app).labels("default")
    assert (row["text"], row["label"]) == ("you are all wrong about this", "abuse")


def test_a_suggestion_that_is_not_to_be_stored_is_not(app: Flask, news: News) -> None:
    score = {"TOXICITY": {"summaryScore": {"value": 1}}}
    body = {"comment": {"text": ABUSE}, "attributeScores": score, "doNotStore": True}
    assert news.post(SUGGEST, body).status_code == 200
    assert not list(store_of(app).labels("default"))


@pytest.mark.parametrize("value", [-0.1, 1.1, 7])
def test_a_suggested_score_is_a_probability(app: Flask, news: News, value: float) -> None:
    answer = news.suggest(ABUSE, TOXICITY=value)
    assert answer.status_code == 400
    assert "TOXICITY must be from 0 to 1" in answer.json["error"]["message"]
    assert not list(store_of(app).labels("default"))


def test_suggestscore_answers_what_coral_expects(news: News) -> None:
    body = {
        "comment": {"text": HAM},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0}}},
        "languages": ["en"],
        "communityId": "Coral:http://news.example",
        "clientToken": "comment:1",
        "context": {"entries": [{"text": "story"}]},
    }
    assert news.post(SUGGEST, body).json == {
        "clientToken": "comment:1",
        "detectedLanguages": ["en"],
        "requestedLanguages": ["en"],
    }


# Errors


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"comment": {"text": ""}}, "COMMENT_EMPTY", "Comment must be non-empty."),
        ({"comment": {}}, "COMMENT_EMPTY", "Comment must be non-empty."),
        ({"comment": {"text": "é" * 10_241}}, "COMMENT_TOO_LONG", "Comment text too long."),
        ({"requestedAttributes": {}}, "NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes"),
        (
            {"requestedAttributes": {"NO_SUCH_THING": {}}},
            "INVALID_REQUEST",
            "Unknown requested attribute: NO_SUCH_THING",
        ),
        (
            {"requestedAttributes": {"TOXICITY": {"scoreType": "STD_DEV"}}},
            "INVALID_REQUEST",
            "Requested score type STD_DEV is not supported by attribute TOXICITY",
        ),
    ],
)
def test_errors_are_the_documented_ones(
    news: News, change: dict[str, Any], kind: str, message: str
) -> None:
    body = {"comment": {"text": HAM}, "requestedAttributes": {"TOXICITY": {}}, **change}
    answer = news.post(ANALYZE, body)
    error = error_of(answer)
    assert (error["code"], error["status"], error["message"]) == (400, "INVALID_ARGUMENT", message)
    assert error["details"][0]["errorType"] == kind


def test_twenty_kibibytes_are_not_too_long(news: News) -> None:
    assert news.analyze("a" * 20_480).status_code == 200


@pytest.mark.parametrize("name", sorted(NOT_SCORED))
def test_what_the_model_was_not_trained_for_is_refused_not_guessed(news: News, name: str) -> None:
    error = error_of(news.analyze(HAM, "TOXICITY", name))
    assert error["message"] == f"Unknown requested attribute: {name}"


def test_an_attribute_that_this_model_lacks_is_refused(tmp_path: Path) -> None:
    class SpamAndAbuse(Heads):
        def assess(self, comments: Sequence[Comment]) -> list[Assessment]:
            return [
                Assessment(
                    {head: found.scores[head] for head in ("spam", "abuse")},
                    found.language,
                    found.judged,
                )
                for found in super().assess(comments)
            ]

    app = faces_app(tmp_path, SpamAndAbuse())
    news = News(app, key_for(app))
    assert news.analyze(HAM, "TOXICITY", "SPAM").status_code == 200
    for name in ("INSULT", "SEVERE_TOXICITY"):
        assert error_of(news.analyze(HAM, name))["code"] == 400


def test_a_language_that_the_model_was_not_trained_on_is_refused_by_attribute(news: News) -> None:
    error = error_of(news.analyze(FOREIGN, "TOXICITY"))
    assert error["message"] == "Attribute TOXICITY does not support request languages: ru"
    detail = error["details"][0]
    assert detail["@type"] == "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
    assert detail["errorType"] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    assert detail["languageNotSupportedByAttributeError"] == {
        "detectedLanguages": ["ru"],
        "attribute": "TOXICITY",
    }
    assert news.analyze(FOREIGN, "SPAM").status_code == 200


def test_who_names_the_language_is_believed(news: News) -> None:
    assert news.analyze(FOREIGN, languages=["en-US", "ru"]).status_code == 200
    error = error_of(news.analyze(HAM, languages=["xx"]))
    facts = error["details"][0]["languageNotSupportedByAttributeError"]
    assert facts == {"requestedLanguages": ["xx"], "attribute": "TOXICITY"}


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"[]",
        b"\xff",
        b'{"comment":"text"}',
        b'{"comment":{"text":7}}',
        b'{"comment":{"text":"a"},"requestedAttributes":["TOXICITY"]}',
        b'{"comment":{"text":"a"},"requestedAttributes":{"TOXICITY":{"scoreThreshold":"x"}}}',
        b'{"comment":{"text":"a"},"requestedAttributes":{"TOXICITY":{"scoreThreshold":NaN}}}',
        b'{"comment":{"text":"a"},"requestedAttributes":{"TOXICITY":{}},"languages":"en"}',
        b'{"comment":{"text":"a"},"requestedAttributes":{"TOXICITY":{}},"clientToken":7}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_request_is_an_invalid_argument(news: News, body: bytes) -> None:
    for path in (ANALYZE, SUGGEST):
        url = f"{path}?key={news.key}"
        answer = news.client.post(url, data=body, content_type="application/json")
        assert error_of(answer)["status"] == "INVALID_ARGUMENT"


def test_one_context_only(news: News) -> None:
    context = {
        "entries": [{"text": "a"}],
        "articleAndParentComment": {"article": {"text": "b"}},
    }
    assert error_of(news.analyze(HAM, context=context))["code"] == 400


def test_a_wrong_key_is_a_bad_request_and_no_key_is_forbidden(news: News) -> None:
    wrong = error_of(news.client.post(f"{ANALYZE}?key=wrong", json={}))
    assert (wrong["code"], wrong["status"]) == (400, "INVALID_ARGUMENT")
    assert wrong["message"] == "API key not valid. Please pass a valid API key."
    assert wrong["details"][0]["reason"] == "API_KEY_INVALID"
    none = error_of(news.client.post(ANALYZE, json={}))
    assert (none["code"], none["status"]) == (403, "PERMISSION_DENIED")


def test_the_key_may_be_a_header(news: News) -> None:
    body = {"comment": {"text": HAM}, "requestedAttributes": {"TOXICITY": {}}}
    headers = {"X-Goog-Api-Key": news.key}
    assert news.client.post(ANALYZE, json=body, headers=headers).status_code == 200


def test_where_the_model_fails_no_score_is_made_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Heads):
        def assess(self, comments: Any) -> Any:
            raise RuntimeError(comments[0].content)

    app = faces_app(tmp_path, Failing())
    error = error_of(News(app, key_for(app)).analyze(HAM))
    assert (error["code"], error["status"]) == (500, "INTERNAL")
    assert HAM not in caplog.text


def test_lone_surrogates_do_no_harm(news: News) -> None:
    body = (
        b'{"comment":{"text":"\\ud800 idiot"},"requestedAttributes":{"TOXICITY":{}},'
        b'"clientToken":"\\udfff"}'
    )
    answer = news.client.post(f"{ANALYZE}?key={news.key}", data=body)
    assert score(answer, "TOXICITY") == 0.99


# Discovery


def test_the_discovery_document_leads_back_here_and_describes_what_is_served(news: News) -> None:
    answer = news.client.get("/$discovery/rest?version=v1alpha1")
    document = answer.json
    assert document["rootUrl"] == "http://localhost/"
    for method in document["resources"]["comments"]["methods"].values():
        assert method["request"]["$ref"] in document["schemas"]
        assert method["response"]["$ref"] in document["schemas"]
        answer = news.client.post(f"/{method['path']}?key={news.key}", json={})
        assert answer.status_code == 400
    named = set(json.dumps(document).split('"$ref": "'))
    assert {ref.partition('"')[0] for ref in named if not ref.startswith("{")} <= set(
        document["schemas"]
    )


def test_behind_a_proxy_that_ends_tls_it_leads_to_https(news: News) -> None:
    headers = {"Host": "moderation.example", "X-Forwarded-Proto": "https"}
    document = news.client.get("/$discovery/rest", headers=headers).json
    assert document["rootUrl"] == "https://moderation.example/"


def test_spam_is_an_attribute(news: News) -> None:
    assert score(news.analyze(SPAM, "SPAM"), "SPAM") == 0.99
