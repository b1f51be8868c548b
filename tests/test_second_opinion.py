"""The second opinion: asked only where the model is uncertain, and never needed."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
from pathlib import Path

import pytest

from moderation import second_opinion
from moderation.classifier import Classifier
from moderation.errors import SecondOpinionRefused
from moderation.second_opinion import (
    ALWAYS,
    ENCODER,
    FOLDER,
    MANIFEST,
    UNCERTAIN,
    SecondOpinion,
    passage,
    rescaled,
)
from moderation.shelf import ModelShelf, shipped
from moderation.text import read
from moderation.verdict import Comment
from tests.serving import COMMAND, ROOT, Served, clean_environment, environment, write_model

DOUBTFUL = (
    "All muslims should be deported, they are vermin.",
    "The author should be dragged out of his house and shot.",
    "Nobody deserves to be called that, whatever they did.",
    "We offer guest posts on high authority websites at fair prices, write to our team.",
    "I hope you lose everything you own, and soon.",
)
GERMAN = "Solche Leute wie dich sollte man aus dem Land jagen, du Abschaum."
CZECH = "Takoví lidé jako ty by měli být vyhnáni z naší země, ty odpade, a už se nikdy nevracet."
SURE = "Thanks, the second step was what I had missed. Works on my machine now."


@pytest.fixture(scope="module")
def alone() -> Classifier:
    return ModelShelf(shipped()).active()


@pytest.fixture(scope="module")
def both() -> Classifier:
    return ModelShelf(shipped(), consult=UNCERTAIN).active()


def test_the_shipped_one_was_measured_beside_the_shipped_model(both: Classifier) -> None:
    assert both.second is not None
    assert both.second.fits(both.manifest)
    size = sum(file.stat().st_size for file in (shipped() / FOLDER).iterdir())
    assert size < 30_000_000


def test_it_is_asked_where_the_model_is_uncertain_and_nowhere_else(
    alone: Classifier, both: Classifier
) -> None:
    comments = [Comment(text) for text in (*DOUBTFUL, SURE)]
    first, together = alone.assess(comments), both.assess(comments)
    assert both.second is not None
    for before, after in zip(first, together, strict=True):
        near = [h for h in ("spam", "abuse") if both.second.is_near(h, before.scores)]
        assert after.second_opinion is bool(near)
        for head, score in before.scores.items():
            assert (after.scores[head] != score) is (head in near)
    assert any(found.second_opinion for found in together)
    assert not together[-1].second_opinion


def test_asked_always_it_judges_every_comment_in_its_languages(alone: Classifier) -> None:
    always = ModelShelf(shipped(), consult=ALWAYS).active()
    comments = [Comment(text) for text in (*DOUBTFUL, SURE, GERMAN, CZECH)]
    asked = [found.second_opinion for found in always.assess(comments)]
    assert asked == [True] * (len(comments) - 1) + [False]
    assert always.threshold("abuse", 0.01) == alone.threshold("abuse", 0.01)


def test_the_sum_is_brought_to_the_scale_of_the_model() -> None:
    bars, scores = [-2.0, 0.0, 3.0], [-1.0, 1.0, 2.0]
    assert [rescaled(bar, bars, scores) for bar in bars] == scores
    assert rescaled(1.5, bars, scores) == 1.5
    assert rescaled(-4.0, bars, scores) == -3.0
    assert rescaled(5.0, bars, scores) == 4.0


def test_it_says_the_same_of_a_comment_alone_and_among_others(both: Classifier) -> None:
    comments = [Comment(text) for text in DOUBTFUL]
    assert both.assess(comments) == [both.assess([comment])[0] for comment in comments]


def test_harmless_words_around_it_do_not_hide_what_it_reads(both: Classifier) -> None:
    harmless = "We walked along the river and looked at the boats. " * 40
    threat = DOUBTFUL[1]
    seen = both.decisive(read(Comment(f"{harmless}{threat} {harmless}")), "abuse")
    assert "dragged out of his house" in seen
    assert len(seen) <= second_opinion.CHARACTERS


def test_other_languages_are_left_to_the_model(alone: Classifier, both: Classifier) -> None:
    czech = [Comment(CZECH)]
    assert both.assess(czech) == alone.assess(czech)


def test_of_addresses_it_reads_the_host() -> None:
    assert passage("see https://www.shop.example/a/b?c=1 now") == "see  shop.example  now"


def test_another_process_loads_its_own(both: Classifier) -> None:
    copy = pickle.loads(pickle.dumps(both))
    comments = [Comment(text) for text in DOUBTFUL]
    assert copy.assess(comments) == both.assess(comments)


@pytest.mark.parametrize("file", [ENCODER, MANIFEST])
def test_a_changed_file_is_refused_by_name(file: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped() / FOLDER, tmp_path / FOLDER))
    with (folder / file).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(SecondOpinionRefused, match=f"{file}.* MODERATION_SECOND_OPINION"):
        SecondOpinion(folder)


def test_a_model_that_it_was_not_measured_beside_judges_alone(tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    shelf = ModelShelf(tmp_path / "models", consult=UNCERTAIN)
    assert shelf.load("small-1").second is None


def test_without_its_packages_the_model_judges_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "find_spec", lambda name: None)
    assert ModelShelf(shipped(), consult=UNCERTAIN).active().second is None
    with pytest.raises(SecondOpinionRefused, match="extra is not installed"):
        ModelShelf(shipped(), consult=ALWAYS).active()


def test_the_service_says_which_of_the_two_judged(tmp_path: Path) -> None:
    with Served(tmp_path, second_opinion="uncertain", models=tmp_path / "none") as served:
        asked = [
            served.call("POST", "/v1/comments?record=false", {"content": text}).json
            for text in (*DOUBTFUL, SURE)
        ]
        recorded = served.call("POST", "/v1/comments", {"content": DOUBTFUL[0]}).json
        kept = served.call("GET", f"/v1/comments/{recorded['id']}").json
        metrics = served.call("GET", "/metrics").body.decode()
    assert any(verdict["second_opinion"] for verdict in asked[:-1])
    assert asked[-1]["second_opinion"] is False
    assert kept["verdict"]["second_opinion"] is recorded["second_opinion"]
    assert "moderation_second_opinions_total" in metrics


def test_a_file_is_scored_as_comments_are(tmp_path: Path, both: Classifier) -> None:
    table = tmp_path / "in.csv"
    table.write_text("text\n" + "".join(f'"{text}"\n' for text in DOUBTFUL))
    done = subprocess.run(
        [*COMMAND, "score", str(table), "-o", str(tmp_path / "out.jsonl")],
        env={
            **clean_environment(),
            **environment(tmp_path, second_opinion="uncertain", models=tmp_path / "none"),
        },
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    expected = both.assess([Comment(text) for text in DOUBTFUL])
    assert [row["abuse"] for row in rows] == [found.scores["abuse"] for found in expected]
