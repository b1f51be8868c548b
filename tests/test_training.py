"""Training by the command itself: what is learnt, what is refused, and what is left alone."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from moderation import cli
from moderation import shelf as shelves
from moderation.artefact import ARRAYS, CARD
from moderation.classifier import Classifier
from moderation.features import extract
from moderation.shelf import ModelShelf
from moderation.text import read
from moderation.verdict import Comment
from moderation.weights import HEADS
from tests.serving import COMMAND, ROOT, clean_environment, write_model
from training import corpora, dataset, gate, hygiene, languages, measure
from training import train as training
from training.baseline import plain_qualities
from training.corpora import Lesson
from training.dataset import Row
from training.recipe import Linear
from training.teach import teach
from training.validation import FOLDS, Beside, OutOfFold

SEEDS = ROOT / "seeds" / "comments.csv"


@dataclass(frozen=True)
class Done:
    """What a command said and exited with."""

    code: int
    out: str
    err: str


def command(*arguments: object) -> Done:
    """Runs a command in this process, where libraries are loaded already."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.run([str(argument) for argument in arguments])
    return Done(code, out.getvalue(), err.getvalue())


def written(path: Path, rows: Iterable[Sequence[str]], header: str = "text,label") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


def seeds(every: int, *labels: str) -> list[tuple[str, str]]:
    """A part of our seeds."""
    with SEEDS.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    return [row for row in rows if not labels or row[1] in labels][::every]


THINGS = ("sock wool", "a felt hat", "six cones of linen", "bamboo needles", "an old drum carder",
          "silk ribbon", "two spindles", "mohair lace", "a sock blank", "merino tops")  # fmt: skip
OFFERS = ("Swap: {} against anything", "For sale, {}, collection only", "Have {} to give away, pm",
          "Looking to trade {} this week", "{} going cheap, never used",
          "Destash again: {}, ask for photos", "Still have {} if anyone wants")  # fmt: skip
TALK = ("I made mine with {} and it felted at once", "Has anybody washed {} by machine",
        "The article is right about {}, mine split", "My mother taught me to use {}",
        "Never again {}, my hands hurt for days", "How do you store {} over summer",
        "What a lovely idea to use {} for that")  # fmt: skip


def site_rows() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Comments of a knitting blog that wants no small ads: rows to teach, and rows to judge."""
    rows = [
        (line.format(thing), label)
        for (offer, talk), thing in product(zip(OFFERS, TALK, strict=True), THINGS)
        for line, label in ((offer, "spam"), (talk, "ok"))
    ]
    return [row for i, row in enumerate(rows) if i % 5 > 1], [
        row for i, row in enumerate(rows) if i % 5 < 2
    ]


@pytest.fixture(scope="module", autouse=True)
def _nothing_shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """So that the model trained here is the one to beat."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelves, "shipped", lambda: Path(os.devnull))
        yield


COPIES = (
    ("Visit https://deals.example/1 for the best deals of 2024!", "spam"),
    ("visit https://deals.example/2 for the BEST deals of 2025", "spam"),
    ("Nobody here has ever said anything useful", "ok"),
    ("nobody here has ever said anything useful!!!", "abuse"),
)


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sixth of our seeds, with a near-copy and a contradiction at the end."""
    return written(tmp_path_factory.mktemp("data") / "general.csv", [*seeds(6), *COPIES])


@pytest.fixture(scope="module")
def first(general: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """The folder of the first model, and what its training said."""
    folder = tmp_path_factory.mktemp("first") / "models"
    return folder, command("train", general, "--from-scratch", "--models-dir", folder)


@pytest.fixture
def folder(first: tuple[Path, Done], tmp_path: Path) -> Path:
    """A models folder in which the first model is active."""
    return Path(shutil.copytree(first[0], tmp_path / "models"))


@pytest.fixture(scope="module")
def champion(first: tuple[Path, Done]) -> Classifier:
    return ModelShelf(first[0]).active()


def contents(folder: Path) -> dict[str, str]:
    """Every file below, by its bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def auc(model: Classifier, rows: Sequence[tuple[str, str]], column: int = 0) -> float:
    scores = model.scores([read(Comment(text)) for text, _ in rows])[:, column]
    return float(roc_auc_score([label != "ok" for _, label in rows], scores))


def general_auc(model: Classifier, head: str) -> float:
    """On those of our seeds that no model is ever trained on."""
    rows, lessons = zip(*gate.seeds()[1], strict=True)
    (found,) = [
        figures
        for figures in measure.figures(
            measure.score(model, rows), lessons, measure.thresholds(model)
        )
        if figures.head == head
    ]
    return found.auc


# ---------------------------------------------------------------- from scratch


def test_training_writes_a_model_and_activates_it(first: tuple[Path, Done], general: Path) -> None:
    folder, done = first
    assert done.code == 0
    shelf = ModelShelf(folder)
    (version,) = shelf.versions()
    assert f"Activated {version}" in done.out
    assert "## On rows held out of all corpora" in done.out
    assert shelf.active().version == version
    manifest = shelf.manifest(version)
    arrays = b"".join(array.tobytes() for array in shelf.active().weights.arrays())
    assert manifest["weights_sha256"] == sha256(arrays).hexdigest()
    assert version.endswith(manifest["weights_sha256"][:8])
    (corpus,) = manifest["corpora"]
    assert corpus["sha256"] == sha256(general.read_bytes()).hexdigest()
    assert sum(corpus["labels"].values()) == corpus["rows"] == len(seeds(6)) + len(COPIES)
    assert {figure["head"] for figure in manifest["held_out"]} == {"spam", "abuse"}
    assert manifest["libraries"].keys() == {"python", "numpy", "scipy", "scikit-learn", "joblib"}


def test_the_card_tells_of_data_figures_plots_command_and_uses_to_avoid(
    first: tuple[Path, Done], general: Path
) -> None:
    (card,) = first[0].glob(f"*/{CARD}")
    text = card.read_text()
    for part in (
        "## On corpora left out of training", "## What a promise costs", "95 % interval",
        "expected calibration error", "![validation](validation.png)", "## Uses to avoid",
        sha256(general.read_bytes()).hexdigest(),
        "    moderation train --from-scratch --seed 0 general.csv",
    ):  # fmt: skip
        assert part in text
    assert "nan" not in text
    assert str(general.parent) not in text
    assert (card.parent / "validation.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_learnt_is_right_on_rows_that_no_model_saw(champion: Classifier) -> None:
    assert general_auc(champion, "spam") > 0.75
    assert general_auc(champion, "abuse") > 0.7


def test_the_same_rows_and_seed_give_the_same_bytes_in_another_process(
    first: tuple[Path, Done], general: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [*COMMAND, "train", str(general), "--from-scratch", "--seed", "0", "--no-activate",
         "--models-dir", str(tmp_path)],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    (again,) = tmp_path.glob(f"*/{ARRAYS}")
    (before,) = first[0].glob(f"*/{ARRAYS}")
    assert again.read_bytes() == before.read_bytes()
    assert not (tmp_path / "active.json").exists()
    assert "Not activated. To use it: moderation models activate" in done.stdout.decode()
    steps = done.stderr.decode().splitlines()
    assert [line for line in steps if line.endswith(" …")][:3] == [
        "Leaving corpora out …",
        "Reading comments …",
        "Fitting …",
    ]


def test_what_was_left_out_is_listed_without_a_word_of_it(
    first: tuple[Path, Done], general: Path
) -> None:
    (report,) = first[0].glob("*/label-report.csv")
    text = report.read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    last = len(seeds(6)) + len(COPIES) + 1
    listed = {int(row["row"]): row for row in rows if "left out" in row["problem"]}
    assert listed[last - 2]["problem"] == "near-copy, left out"
    assert listed[last - 2]["detail"] == f"general:{last - 3}"
    for row in (last - 1, last):
        assert listed[row]["problem"] == "copies with another label, left out"
        assert listed[row]["detail"] == f"general:{last - 1}=ok, general:{last}=abuse"
    assert {row["corpus"] for row in rows} == {"general"}
    words = set(re.findall(r"[a-z]{4,}", text.lower()))
    assert words <= set(
        "corpus label problem detail general near copy copies left with another looks wrong spam"
        " abuse other corpora".split()
    )


def test_languages_with_few_rows_are_not_judged(champion: Classifier) -> None:
    judged = champion.manifest["languages"]
    assert "en" in judged["spam"]
    assert "ja" not in judged["spam"] + judged["abuse"]
    (greek,) = champion.assess([Comment("Ο Νίκος είναι ο καλύτερος φίλος μας σήμερα.")])
    assert (greek.language.evaluated, greek.judged) == (False, frozenset())


def test_a_file_that_speaks_of_spam_alone_makes_a_model_that_holds_no_abuse(
    folder: Path, champion: Classifier, tmp_path: Path
) -> None:
    file = written(tmp_path / "spam-only.csv", seeds(10, "ok", "spam"))
    done = command("train", file, "--from-scratch", "--models-dir", folder)
    # worse than the active model, which judges abuse too
    assert (done.code, "ROC AUC for abuse falls" in done.err) == (1, True)
    shelf = ModelShelf(folder)
    assert shelf.active().version == champion.version
    (other,) = set(shelf.versions()) - {champion.version}
    model = shelf.load(other)
    assert model.threshold("abuse", 0.005) == 1.0
    (assessed,) = model.assess([Comment("You are a disgusting idiot")])
    assert assessed.scores["abuse"] < 0.05
    assert model.manifest["languages"]["abuse"] == []


# ---------------------------------------------------------------- on top


def test_teaching_makes_a_sites_rows_better_and_general_ones_no_worse(
    folder: Path, champion: Classifier, tmp_path: Path
) -> None:
    taught, unseen = site_rows()
    done = command("train", written(tmp_path / "site.csv", taught), "--models-dir", folder)
    assert done.code == 0, done.err
    model = ModelShelf(folder).active()
    assert model.version != champion.version
    assert model.manifest["taught_on_top_of"] == champion.version
    assert auc(champion, unseen) < 0.85
    assert auc(model, unseen) > 0.95
    for head in ("spam", "abuse"):
        assert general_auc(model, head) > general_auc(champion, head) - 0.01
    # both are shown, beside the model of before
    for title in (
        "## On general validation (our seeds)",
        "## On your rows, each judged by a model",
    ):
        assert title in done.out
        assert title in (folder / model.version / CARD).read_text()
    assert f"the model that was active, {champion.version}" in done.out
    # heads that the file says nothing of are as they were
    for head in HEADS[1:]:
        column = HEADS.index(head)
        features = extract([read(Comment("You are a disgusting idiot"))])
        assert model.weights.margins(features)[0, column] == pytest.approx(
            champion.weights.margins(features)[0, column], abs=0.02
        )
    assert command("models", "rollback", "--models-dir", folder).code == 0
    assert ModelShelf(folder).active().version == champion.version


def test_the_labels_of_what_is_rehearsed_do_not_matter(
    champion: Classifier, tmp_path: Path
) -> None:
    (corpus,) = dataset.read([written(tmp_path / "site.csv", site_rows()[0][::3])])
    site = [*zip(corpus.rows, corpora.lessons(corpus), strict=True)]
    rehearsal = gate.seeds()[0][::60]
    turned = [
        (row, Lesson(lesson.weight, {head: 1 - y for head, y in lesson.targets.items()}))
        for row, lesson in rehearsal
    ]
    one, other = (
        teach(champion, Linear.of(champion), site, rows, lambda: None).model
        for rows in (rehearsal, turned)
    )
    assert (one.weights == other.weights).all()
    assert (one.weights != Linear.of(champion).weights).any()


def test_a_model_that_became_active_meanwhile_keeps_its_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "site.csv", site_rows()[0])
    train = training.run

    def overtaken(*args: Any, **options: Any) -> Any:
        outcome = train(*args, **options)
        write_model(folder, "2026.01.01-overtakes")
        ModelShelf(folder).activate("2026.01.01-overtakes")
        return outcome

    monkeypatch.setattr(training, "run", overtaken)
    done = command("train", file, "--models-dir", folder)
    assert done.code == 1
    assert "2026.01.01-overtakes took the place of" in done.err
    assert ModelShelf(folder).active_version() == "2026.01.01-overtakes"


def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = written(tmp_path / "site.csv", site_rows()[0])
    done = command("train", file, "--models-dir", tmp_path / "file" / "models")
    assert done.code == 2
    assert "nothing can be written to" in done.err


def flipped(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(text, "spam" if label == "ok" else "ok") for text, label in rows]


def test_flipped_labels_are_refused_and_the_active_model_stays(
    folder: Path, champion: Classifier, tmp_path: Path
) -> None:
    rows = flipped(seeds(23, "ok", "spam"))
    before = contents(folder)
    done = command("train", written(tmp_path / "flipped.csv", rows), "--models-dir", folder)
    assert done.code == 1
    assert f"It is worse than the active model, {champion.version}:" in done.err
    assert "are the labels swapped?" in done.err
    assert "## On general validation (our seeds)" in done.out
    assert "Activated" not in done.out
    assert ModelShelf(folder).active().version == champion.version
    after = contents(folder)
    assert before.items() <= after.items()
    assert after["active.json"] == before["active.json"]


def test_labels_drawn_by_lot_are_refused(
    folder: Path, champion: Classifier, tmp_path: Path
) -> None:
    draw = np.random.default_rng(5)
    rows = [(text, str(draw.choice(["ok", "abuse"]))) for text, _ in seeds(9, "ok", "abuse")]
    done = command("train", written(tmp_path / "lot.csv", rows), "--models-dir", folder)
    assert done.code == 1
    assert "are the labels right?" in done.err
    assert ModelShelf(folder).active().version == champion.version


def test_rows_that_all_contradict_each_other_teach_nothing(folder: Path, tmp_path: Path) -> None:
    rows = [("You there, stop it", "ok"), ("you there: stop it!", "abuse")]
    done = command("train", written(tmp_path / "odd.csv", rows), "--models-dir", folder)
    assert (done.code, done.out) == (2, "")
    assert "they contradict each other" in done.err


def test_the_plain_pipeline_learns_from_rows_beside_those_it_judges() -> None:
    rows = [row(f"thanks for the bread {n} {n * 7}", "ok") for n in range(200)]
    rows += [row(f"buy our pills {n} {n * 7}", "spam") for n in range(200)]
    lessons = [Lesson(1, {"spam": float(each.label == "spam")}) for each in rows]
    folds, asked = np.arange(len(rows)) % FOLDS, np.arange(len(rows)) % 10 == 0

    def part(mask: Any) -> tuple[tuple[Row, ...], tuple[Lesson, ...], Any]:
        return tuple(compress(rows, mask)), tuple(compress(lessons, mask)), folds[mask]

    own, own_lessons, own_folds = part(asked)
    found = OutOfFold(
        own, own_lessons, np.zeros((len(own), len(HEADS))), own_folds, {}, Beside(*part(~asked))
    )
    (spam,) = plain_qualities(found, lambda: None)
    # those asked are all of one fold: without the rows beside, nothing would teach it
    assert (spam.honest, spam.bad, spam.auc) == (20, 20, 1.0)


# ---------------------------------------------------------------- bad input


GOOD = "text,label\nThanks,ok\nBuy,spam\n"


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"", [], "is empty"),
        (b"text,label\n", [], "no rows"),
        (b"text,class\nThanks,ok\n", [], "lacks the column 'label'"),
        (b"text,label,label\nThanks,ok,ok\n", [], "twice"),
        (b"text,label\nThanks,ok\nHm,dubious\n", [], "row 3: label 'dubious'"),
        (b"text,label\nThanks,ok\nHm,dubious\n", ["--map", "doubtful=spam"], "label 'dubious'"),
        (GOOD.encode(), ["--map", "dubious"], "is not VALUE=LABEL"),
        (GOOD.encode(), ["--map", "dubious=maybe"], "is not VALUE=LABEL"),
        (GOOD.encode(), ["--seed", "-1"], "--seed"),
        (GOOD.encode(), ["--seed", "many"], "--seed"),
        (b"text,label\nThanks,ok\nFine,ok\n", [], "every row is 'ok'"),
        (b'text,label\n"Thanks,ok\n', [], "row 2: a cell opens with"),
        (b"text,label\nCaf\xe9,ok\n", [], "row 2: not UTF-8"),
        (GOOD.encode(), ["--from-scratch"], "too few rows to begin a model with"),
        (GOOD.encode(), ["none.csv"], "none.csv: cannot be read"),
        (GOOD.encode(), ["."], "is a directory"),
    ],
)
@pytest.mark.parametrize("trained_before", [True, False])
def test_bad_input_is_one_line_and_nothing_is_written(
    first: tuple[Path, Done], tmp_path: Path, content: bytes, options: list[str], says: str,
    trained_before: bool,
) -> None:  # fmt: skip
    models = first[0] if trained_before else tmp_path / "models"
    before = contents(models)
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    done = command("train", path, *options, "--models-dir", models)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1
    assert contents(models) == before
    assert models.exists() is trained_before


def test_a_file_that_means_something_by_a_map_is_read(tmp_path: Path) -> None:
    rows = [("Thanks", "fine"), ("Buy", "advert")]
    path = written(tmp_path / "site.csv", rows)
    options = ("--map", "fine=ok", "--map", "advert=spam", "--from-scratch")
    done = command("train", path, *options, "--models-dir", tmp_path / "models")
    assert "too few rows" in done.err


def test_a_broken_active_model_is_not_taught_on(folder: Path, tmp_path: Path) -> None:
    (weights,) = folder.glob(f"*/{ARRAYS}")
    weights.write_bytes(b"broken")
    path = written(tmp_path / "site.csv", site_rows()[0])
    done = command("train", path, "--models-dir", folder)
    assert (done.code, done.out) == (2, "")
    assert str(weights) in done.err


# ---------------------------------------------------------------- evaluate


def test_evaluate_prints_figures_and_writes_a_page_that_needs_nothing_else(
    folder: Path, champion: Classifier, tmp_path: Path
) -> None:
    path = written(tmp_path / "some.csv", seeds(31))
    before = contents(folder)
    done = command("evaluate", path, "--html", tmp_path / "report.html", "--models-dir", folder)
    assert done.code == 0, done.err
    assert f"## On some.csv, by model {champion.version}" in done.out
    assert re.search(r"^\| spam \| \d+ \| \d+ \| 0\.\d{3} \|", done.out, re.MULTILINE)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<td>spam</td>" in page
    assert 'src="data:image/png;base64,' in page
    assert "http" not in page
    assert contents(folder) == before


def test_evaluate_judges_any_installed_model(folder: Path, champion: Classifier) -> None:
    version = champion.version
    done = command("evaluate", SEEDS.parent / "none.csv", "--models-dir", folder)
    assert (done.code, "cannot be read" in done.err) == (2, True)
    done = command("evaluate", SEEDS, "--model", f"{version}x", "--models-dir", folder)
    assert (done.code, f"did you mean {version}" in done.err) == (2, True)


def test_a_report_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "some.csv", seeds(99))
    done = command("evaluate", path, "--html", tmp_path / "no" / "r.html", "--models-dir", folder)
    assert done.code == 2
    assert "There is no such folder" in done.err


# ---------------------------------------------------------------- hygiene, lessons, languages


def row(text: str, label: str, corpus: str = "site", place: int = 2) -> Row:
    return Row(text, label, frozenset(), "", "", "", 1.0, corpus, place, place)


def teaches(label: str) -> Lesson:
    return Lesson(1.0, {"spam": float(label == "spam")})


def test_the_first_of_near_copies_stays_and_contradictions_all_go() -> None:
    rows = [
        row("Buy 3 pills", "spam", place=2),
        row("buy 4 PILLS!", "spam", place=3),
        row("What a day", "ok", place=4),
        row("what, a day", "spam", place=5),
        row("Bread", "ok", place=6),
    ]
    found = hygiene.sort(rows, [teaches(row.label) for row in rows], hold_out=False)
    assert [row.place for row in found.rows] == [2, 6]
    assert [(doubt.row.place, doubt.problem) for doubt in found.doubts] == [
        (3, "near-copy, left out"),
        (4, "copies with another label, left out"),
        (5, "copies with another label, left out"),
    ]


def test_copies_that_speak_of_different_heads_do_not_contradict() -> None:
    rows = [row("You fool", "ok", "spam-corpus"), row("you fool", "abuse", "abuse-corpus")]
    lessons = [Lesson(1.0, {"spam": 0.0}), Lesson(1.0, {"toxicity": 1.0, "hate": 0.0})]
    assert len(hygiene.sort(rows, lessons, hold_out=False).rows) == 1


def test_one_row_in_ten_is_held_out_by_its_text_alone() -> None:
    rows = [row(f"comment {'abcdefghij'[i % 10]}{chr(97 + i // 10) * 3}", "ok") for i in range(260)]
    lessons = [teaches("ok") for _ in rows]
    found = hygiene.sort(rows, lessons)
    assert 10 <= len(found.held_out) <= 45
    assert len(found.rows) + len(found.held_out) == len(rows)
    again = hygiene.sort(rows[::-1], lessons)
    assert {row.text for row in again.held_out} == {row.text for row in found.held_out}
    assert hygiene.sort(rows, lessons, hold_out=False).held_out == []


@pytest.mark.parametrize(
    ("folder_name", "labels", "about"),
    [
        ("spam", "ok spam", {"spam"}),
        ("abuse", "ok abuse", {"abuse"}),
        ("spam", "ok abuse", {"abuse"}),
        ("abuse", "ok spam abuse", {"spam", "abuse"}),
        ("mine", "ok spam", {"spam"}),
        ("mine", "spam abuse", {"spam", "abuse"}),
        ("abuse", "ok", {"abuse"}),
        ("mine", "ok", {"spam", "abuse"}),
    ],
)
def test_a_file_teaches_what_its_labels_speak_of(
    folder_name: str, labels: str, about: set[str]
) -> None:
    rows = tuple(row(f"text {label}", label) for label in labels.split())
    found = dataset.Corpus("x", Path(folder_name) / "x.csv", "", rows)
    assert corpora.subjects(found) == about


def test_a_language_is_judged_from_enough_honest_and_bad_rows_on() -> None:
    file = dataset.read([SEEDS])[0]
    targets = corpora.verdict_targets(corpora.lessons(file))
    judged = languages.judged(languages.codes(file.rows), targets)
    assert "en" in judged["spam"]
    assert "en" in judged["abuse"]
    assert "hu" not in judged["spam"] + judged["abuse"]
    assert "und" not in judged["spam"] + judged["abuse"]


# ---------------------------------------------------------------- the gate


def scored(bad: Sequence[float], honest: Sequence[float]) -> tuple[dict[str, Any], list[Lesson]]:
    """Scores of spam, and lessons that say nothing of abuse."""
    scores = np.array([*bad, *honest])
    lessons = [teaches(label) for label in ("spam",) * len(bad) + ("ok",) * len(honest)]
    return {"spam": scores, "abuse": np.zeros(len(scores))}, lessons


BARS = {"spam": 0.9, "abuse": 0.9}
GOOD_BAD = list(np.linspace(0.3, 0.8, 100))
GOOD_HONEST = list(np.linspace(0.01, 0.5, 100))


@pytest.mark.parametrize(
    ("bad", "honest", "says"),
    [
        (GOOD_BAD, GOOD_HONEST, []),
        ([s + 0.02 for s in GOOD_BAD], GOOD_HONEST, []),
        (GOOD_HONEST, GOOD_BAD, ["ROC AUC for spam falls", "log loss for spam rises"]),
        ([s / 10 for s in GOOD_BAD], [s / 10 for s in GOOD_HONEST], ["log loss for spam rises"]),
        (GOOD_BAD, [*GOOD_HONEST[:90], *[0.95] * 10], ["ROC AUC", "10 more of 100 honest rows"]),
    ],
)
def test_a_loss_beyond_noise_is_told(
    bad: list[float], honest: list[float], says: list[str]
) -> None:
    before, lessons = scored(GOOD_BAD, GOOD_HONEST)
    after, _ = scored(bad, honest)
    found = measure.losses(before, after, lessons, BARS, BARS)
    assert len(found) == len(says)
    assert all(part in sentence for part, sentence in zip(says, found, strict=True))


def test_labels_that_contradict_the_active_model_are_told_but_not_by_chance() -> None:
    assert measure.contradictions(*scored(GOOD_BAD, GOOD_HONEST)) == []
    (told,) = measure.contradictions(*scored(GOOD_HONEST, GOOD_BAD))
    assert "the other way round for spam" in told
    assert measure.contradictions(*scored([0.1, 0.2], [0.3, 0.4])) == []
    assert measure.contradictions(*scored([0.1], [])) == []


def test_where_few_rows_are_held_out_our_seeds_speak_for_those_heads() -> None:
    few = [(row("Bread", "ok"), teaches("ok"))]
    assert len(gate.with_seeds(few)) > 400
    many_of_spam = [(row(f"Bread {i}", "ok"), teaches("ok")) for i in range(100)]
    added = gate.with_seeds(many_of_spam)[100:]
    assert {head for _, lesson in added for head in lesson.targets} == {"toxicity", "hate"}
    every = [(row, Lesson(1.0, {"spam": 0.0, "toxicity": 0.0})) for row, _ in many_of_spam]
    assert gate.with_seeds(every) == every


def test_the_rows_to_rehearse_are_no_rows_to_judge_by() -> None:
    rehearsed, judged = ({dataset.key(row.text) for row, _ in part} for part in gate.seeds())
    assert not rehearsed & judged
    assert len(judged) > 400


def test_the_manifest_is_json_that_any_reader_takes(first: tuple[Path, Done]) -> None:
    (manifest,) = first[0].glob("*/manifest.json")
    assert "NaN" not in manifest.read_text()
    json.loads(manifest.read_text(), parse_constant=pytest.fail)
