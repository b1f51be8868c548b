"""The model that comes with the package: whole, small, right on plain sentences, and trained as its
card says."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from moderation import artefact
from moderation.classifier import VERDICT_HEADS, Classifier
from moderation.shelf import ModelShelf, shipped
from moderation.verdict import Comment
from tests.serving import COMMAND, ROOT, clean_environment

# Taken out of the environment: the command refuses MODERATION_ names that it does not know.
RETRAIN = os.environ.pop("MODERATION_RETRAIN", "")
DATA = ROOT.parent / "shared" / "data"
PROMISE = 0.01


@pytest.fixture(scope="module")
def folder() -> Path:
    (only,) = shipped().glob(f"*/{artefact.MANIFEST}")
    return only.parent


@pytest.fixture(scope="module")
def model(folder: Path) -> Classifier:
    return artefact.load(folder)


def scores(model: Classifier, text: str) -> Mapping[str, float]:
    (assessed,) = model.assess([Comment(text)])
    return assessed.scores


def test_it_serves_where_no_other_model_is_installed(model: Classifier, tmp_path: Path) -> None:
    assert ModelShelf(tmp_path / "none").active().version == model.version


def test_it_takes_at_most_12_megabytes(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 12_000_000


def test_every_file_is_what_the_manifest_says(folder: Path) -> None:
    files = json.loads((folder / artefact.MANIFEST).read_text(encoding="utf-8"))["files"]
    assert {file.name for file in folder.iterdir()} == {*files, artefact.MANIFEST}
    assert {name: artefact.sha256(folder / name) for name in files} == files


def test_it_scores_its_canaries_as_in_training(model: Classifier) -> None:
    canaries = model.manifest["canaries"]
    assert len(canaries) >= 4
    for canary in canaries:
        found = scores(model, canary["text"])
        for head in VERDICT_HEADS:
            assert found[head] == pytest.approx(canary[head], abs=1e-6)


def test_the_card_names_every_corpus_its_licence_and_hash(folder: Path, model: Classifier) -> None:
    card = (folder / artefact.CARD).read_text(encoding="utf-8")
    corpora: list[dict[str, Any]] = model.manifest["corpora"]
    assert len(corpora) > 50
    for corpus in corpora:
        (line,) = [line for line in card.splitlines() if line.startswith(f"| {corpus['name']} |")]
        assert corpus["sha256"] in line
        assert "the site's own" not in line or corpus["name"] == "comments"
    for part in ("validation.png", "## Uses to avoid", "95 % interval"):
        assert part in card


def test_it_judges_the_languages_it_was_trained_on_and_says_which(model: Classifier) -> None:
    for head in VERDICT_HEADS:
        assert {"en", "de", "es", "fr", "pt"} <= {*model.manifest["languages"][head]}
    turkish, lithuanian = model.assess(
        [
            Comment("Bugün hava çok güzeldi ve parkta uzun bir yürüyüş yaptık."),
            Comment("Labai ačiū už straipsnį, jame radau tai, ko jau seniai ieškojau."),
        ]
    )
    assert (turkish.language.code, turkish.language.evaluated) == ("tr", True)
    assert (lithuanian.language.code, lithuanian.language.evaluated) == ("lt", False)


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (
            "spam",
            '<a href="http://best-casino.example">online casino bonus</a> '
            '<a href="http://slots.example">free slots</a> visit now',
        ),
        (
            "spam",
            "I lost all my bitcoin to a scam broker until I met recovery expert James on WhatsApp "
            "+1 555 010 9999, he got everything back",
        ),
        (
            "spam",
            "Hello! We offer SEO services and guest posts with high DA backlinks at low prices, "
            "contact me: seo@rankfast.example",
        ),
        ("abuse", "You are a disgusting idiot and everybody here hates you."),
        ("abuse", "Shut up you stupid bitch, nobody cares what you think"),
        ("abuse", "Go kill yourself you worthless piece of shit"),
        ("abuse", "You fucking moron, you are too dumb to breathe"),
    ],
)
def test_what_is_plainly_bad_is_held_and_words_are_shown(
    model: Classifier, head: str, text: str
) -> None:
    assert scores(model, text)[head] >= model.threshold(head, PROMISE)
    assert model.explain(Comment(text), head)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you, this answered the question I had since spring.",
        "There is a mistake in the third paragraph: the bridge was built in 1932, not 1923.",
        "Great recipe, I used rye flour instead and it came out a little dense but tasty.",
        "I disagree with the mayor: the new lane makes the crossing more dangerous for children.",
        "The bombing killed eleven people; the ministry has not published their names.",
        "As a gay man I found this article really moving, thank you for writing it.",
        "My doctor prescribed viagra and I had a headache for a day, is that normal?",
        "The bank raised its interest rate again, so our mortgage costs 200 euros more each month.",
        'How do I install this on Debian? I get "permission denied" at the second command.',
        "See https://docs.python.org/3/library/csv.html for the details, it explains the dialects.",
        "This is terrible journalism. You did not ask a single person who lives there.",
        "Der Artikel erklärt gut, warum die Mieten in der Stadt so stark gestiegen sind.",
        "Merci pour cet article, je ne connaissais pas cette période de l'histoire.",
        "ok",
        "👍",
    ],
)
def test_what_is_plainly_honest_is_published(model: Classifier, text: str) -> None:
    found = scores(model, text)
    for head in VERDICT_HEADS:
        assert found[head] < model.threshold(head, PROMISE)


def source(corpus: Mapping[str, Any]) -> Path:
    """The file that the manifest means, by its bytes."""
    places = [*DATA.glob(f"*/{corpus['name']}.csv"), ROOT / "seeds" / f"{corpus['name']}.csv"]
    for place in places:
        if place.is_file() and artefact.sha256(place) == corpus["sha256"]:
            return place
    pytest.fail(f"{corpus['name']}.csv is not the file that the shipped model was trained on")


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data, with the corpora, is not here")
@pytest.mark.skipif(RETRAIN != "1", reason="takes minutes; MODERATION_RETRAIN=1 runs it")
def test_the_command_of_the_card_gives_the_same_weights_again(
    model: Classifier, tmp_path: Path
) -> None:
    files = [source(corpus) for corpus in model.manifest["corpora"]]
    done = subprocess.run(
        [*COMMAND, "train", "--from-scratch", "--no-activate", "--models-dir", str(tmp_path),
         *(os.path.relpath(file, ROOT) for file in files)],
        cwd=ROOT,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    (again,) = (json.loads(path.read_text()) for path in tmp_path.glob("*/manifest.json"))
    assert again["weights_sha256"] == model.manifest["weights_sha256"]
    for entry in ("calibration", "thresholds", "languages"):
        assert again[entry] == model.manifest[entry]
