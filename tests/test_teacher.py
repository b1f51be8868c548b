"""The teacher: pieces of comments as the encoder judges them, and what the model learns of them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moderation.second_opinion import FOLDER, OUTPUTS
from moderation.weights import HEADS
from tests.serving import ROOT
from tests.test_training import SEEDS, command, written
from training import corpora, dataset, recipe, validation
from training.curriculum import curriculum, fitted
from training.dataset import Row
from training.featurising import featurise
from training.progress import steps
from training.stretches import with_stretches
from training.teacher import Piece, Pieces, Teacher, is_kept_out

ENCODER = ROOT / "models" / FOLDER


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return Teacher(ENCODER)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(dataset.read([SEEDS])[0].rows[::20])


@pytest.fixture(scope="module")
def pieces(teacher: Teacher, rows: list[Row]) -> Pieces:
    return teacher.pieces(rows, 0, steps)


def test_a_piece_is_some_words_of_its_row_and_judged_for_each_output(
    rows: list[Row], pieces: Pieces
) -> None:
    by_key = {dataset.key(row.text): row for row in rows}
    assert len(pieces) > len(rows) / 3
    for name, piece in pieces.items():
        whole = " ".join(by_key[name].text.split())
        assert piece.text in whole and len(piece.text) < len(whole)
        assert len(piece.said) == len(OUTPUTS)
        assert all(0 <= likely <= 1 for likely in piece.said)
    spam = np.array([piece.said[0] for piece in pieces.values()])
    assert spam.std() > 0.2


def test_a_rows_piece_does_not_depend_on_the_others(
    teacher: Teacher, rows: list[Row], pieces: Pieces
) -> None:
    few = teacher.pieces(rows[40:10:-1], 0, steps)
    assert few and all(pieces[name] == piece for name, piece in few.items())
    others = teacher.pieces(rows[11:41], 1, steps)
    assert [*others.values()] != [few[name] for name in others]


def test_what_the_encoder_cannot_read_has_no_piece(teacher: Teacher, rows: list[Row]) -> None:
    czech = "Druhý odstavec není správný, most byl postaven až v následujícím roce u řeky."
    short = "Thanks a lot!"
    found = [replace(rows[0], text=text) for text in (czech, short)]
    assert teacher.pieces(found, 0, steps) == {}


def test_a_piece_of_a_text_without_blanks_is_some_of_its_characters(
    teacher: Teacher, rows: list[Row]
) -> None:
    chinese = "文章里说的第二座桥其实是第二年才修好的，我爷爷当时就在那里工作，他还留着照片。"
    (piece,) = teacher.pieces([replace(rows[0], text=chinese)], 0, steps).values()
    assert piece.text in chinese and 5 <= len(piece.text) < len(chinese)


def test_a_corpus_is_seen_if_a_related_one_was_taught(teacher: Teacher, rows: list[Row]) -> None:
    text = "The second paragraph is not quite right, the bridge was built a year later."

    def seen(*names: str) -> list[bool]:
        found: list[bool] = teacher.seen([replace(rows[0], text=text, corpus=n) for n in names])
        return list(found)

    assert seen("blog_yasoob", "blog_haacked") == [False, True]
    assert seen("jigsaw_wikipedia_5k_lower") == [False]
    assert seen("jigsaw_wikipedia_5k_lower", "jigsaw_wikipedia_20k") == [True, True]
    mine = [row for row in rows if is_kept_out(row, ())]
    assert 0.1 < len(mine) / len(rows) < 0.3
    assert not teacher.seen(mine).any()


def test_a_target_between_no_and_yes_is_learnt_as_so_likely(rows: list[Row]) -> None:
    same = [replace(rows[0], text="the very same words", place=i) for i in range(400)]
    chunks = featurise(same, lambda done: None)

    def margin(likely: float) -> float:
        targets = np.full((len(same), len(HEADS)), np.nan)
        targets[:, 0] = likely
        targets[:20, 0], targets[20:40, 0] = 1, 0
        model = recipe.fit(chunks, targets, np.ones_like(targets), heads=("spam",))
        return float(recipe.margins(model, same, np.array([0]))[0, 0])

    unlikely, even, likely = map(margin, (0.1, 0.5, 0.9))
    assert unlikely < even - 1 < likely - 2
    assert abs(even) < min(-unlikely, likely)


def test_a_word_that_only_pieces_tell_apart_gets_a_weight(rows: list[Row]) -> None:
    lessons = [corpora.Lesson(1, {"spam": float(row.label == "spam")}) for row in rows]
    told = {
        dataset.key(row.text): Piece(text="quuxify now", said=(0.98, 0.0, 0.0))
        for row in rows[:150]
    }
    course = curriculum(with_stretches(rows, lessons, 0), told)
    probe = [replace(rows[0], text="quuxify", author="", author_url="")]
    margin = {
        taught: recipe.margins(course.fit(pieces=taught, seed=0), probe, np.array([0]))[0, 0]
        for taught in (False, True)
    }
    assert margin[True] > margin[False] + 0.5
    # and what is cut from a row that is left out teaches nothing
    out = np.isin([dataset.key(row.text) for row in rows], [*told])
    left, kept = (course.fit(out, pieces=taught, seed=0) for taught in (True, False))
    found, expected = (recipe.margins(model, probe, np.array([0]))[0, 0] for model in (left, kept))
    assert found == pytest.approx(expected, abs=0.3)


def test_corpora_that_the_teacher_had_seen_are_judged_without_it() -> None:
    draw = np.random.default_rng(0)
    without = draw.normal(0, 1, (500, 2))
    margins = 3 * without + 1 + draw.normal(0, 0.01, without.shape)
    seen = np.arange(500) < 200
    margins[seen] += 100
    found = validation.unflattered(margins, without, seen)
    assert np.allclose(found[~seen], margins[~seen])
    assert np.allclose(found[seen], 3 * without[seen] + 1, atol=0.1)


def test_a_step_tells_of_as_many_parts_as_it_announced(teacher: Teacher, rows: list[Row]) -> None:
    announced: dict[str, int] = {}
    told: Counter[str] = Counter()

    @contextmanager
    def counting(name: str, total: int) -> Iterator[Callable[[int], None]]:
        announced[name] = total
        yield lambda done: told.update({name: done})

    lessons = [corpora.Lesson(1, {"spam": float(row.label == "spam")}) for row in rows]
    long = replace(rows[0], text="We walked along the river and looked at the boats. " * 40)
    pieces = teacher.pieces(rows, 0, counting)
    fitted([*rows, long], [*lessons, corpora.Lesson(1, {"spam": 0.0})], 0, counting, pieces)
    assert dict(told) == announced
    assert announced["Asking the teacher"] == len(pieces)


def test_the_command_asks_the_teacher_and_the_card_says_so(tmp_path: Path) -> None:
    with SEEDS.open(encoding="utf-8", newline="") as file:
        few = [(row["text"], row["label"]) for row in csv.DictReader(file)][::12]
    table = written(tmp_path / "few.csv", few)
    done = command(
        "train",
        table,
        "--from-scratch",
        "--teacher",
        ENCODER,
        "--no-activate",
        "--models-dir",
        tmp_path / "models",
    )
    assert done.code == 0, done.err
    (manifest,) = (tmp_path / "models").glob("*/manifest.json")
    said = json.loads(manifest.read_text(encoding="utf-8"))
    assert said["teacher"]["pieces"] > 200
    assert "--teacher second-opinion" in said["command"]
    card = (manifest.parent / "CARD.md").read_text(encoding="utf-8")
    assert f"{said['teacher']['pieces']:,} pieces" in card


def test_a_teacher_for_a_model_that_is_taught_on_top_is_refused(tmp_path: Path) -> None:
    table = written(tmp_path / "few.csv", [("good", "ok"), ("bad", "spam")])
    done = command("train", table, "--teacher", ENCODER, "--models-dir", tmp_path)
    assert done.code == 2
    assert "--from-scratch" in done.err
