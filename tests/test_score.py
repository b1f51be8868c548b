"""Bulk scoring: every row comes out as it came in, in the same order, with a verdict beside it."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from moderation import bulk, settings
from moderation.bulk import ROWS_AT_ONCE
from moderation.bulk.tables_io import BadTable
from moderation.moderator import Moderator

# By name: pyarrow has no types.
pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")

Score = Callable[..., None]


@pytest.fixture
def score(models: Path) -> Score:
    policy = settings.load({}).policy("default")

    def call(source: Path, target: Path | None, **options: Any) -> None:
        bulk.score(source, target, models, policy, **options)

    return call


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(10**9)
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TABLE = 'id,text,note\n1,"Cheap pills, here",a\n2,A fine day,\n3,"You moron\nand idiot",ü\n'


def test_every_column_stays_and_four_are_added(score: Score, tmp_path: Path) -> None:
    score(written(tmp_path / "in.csv", TABLE), tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,text,note,decision,spam,abuse,reasons"
    rows = rows_of(tmp_path / "out.csv")
    assert [(row["id"], row["text"], row["note"]) for row in rows] == [
        ("1", "Cheap pills, here", "a"),
        ("2", "A fine day", ""),
        ("3", "You moron\nand idiot", "ü"),
    ]
    assert [(row["decision"], row["reasons"]) for row in rows] == [
        ("hold", "spam"),
        ("publish", ""),
        ("hold", "abuse"),
    ]
    assert all(0 <= float(row[head]) <= 1 for row in rows for head in ("spam", "abuse"))


def test_several_reasons_stand_with_semicolons_between(score: Score, tmp_path: Path) -> None:
    links = " ".join(f"https://site{n}.example" for n in range(4))
    score(written(tmp_path / "in.csv", f"text\ncasino pills {links}\n"), tmp_path / "out.csv")
    assert rows_of(tmp_path / "out.csv")[0]["reasons"] == "spam;links"


def test_order_is_kept_over_many_pieces_and_processes(score: Score, tmp_path: Path) -> None:
    count = 2 * ROWS_AT_ONCE + 7
    texts = "".join(f"{n},{'pills' if n % 3 else 'bread'} {n}\n" for n in range(count))
    source = written(tmp_path / "in.csv", "id,text\n" + texts)
    score(source, tmp_path / "one.csv")
    score(source, tmp_path / "two.csv", jobs=2)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    rows = rows_of(tmp_path / "one.csv")
    assert [int(row["id"]) for row in rows] == [*range(count)]
    assert [row["decision"] for row in rows] == [
        "hold" if n % 3 else "publish" for n in range(count)
    ]


def test_nothing_is_remembered_from_row_to_row(score: Score, tmp_path: Path) -> None:
    same = "Ann,A sentence that is long enough to count as the very same text\n" * 20
    score(written(tmp_path / "in.csv", "author,text\n" + same), tmp_path / "out.csv")
    assert {row["decision"] for row in rows_of(tmp_path / "out.csv")} == {"publish"}


def test_author_author_url_and_article_are_used(
    score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    moderate = Moderator.moderate

    def spy(self: Moderator, comments: Any, *rest: Any) -> Any:
        seen.extend(comments)
        return moderate(self, comments, *rest)

    monkeypatch.setattr(Moderator, "moderate", spy)
    table = "author,author_url,article,text\nAnn,https://ann.example,Bread,Hello\n"
    score(written(tmp_path / "in.csv", table), tmp_path / "out.csv")
    (comment,) = seen
    assert (comment.author.name, comment.author.url) == ("Ann", "https://ann.example")
    assert (comment.article.title, comment.content) == ("Bread", "Hello")


def test_what_is_no_text_goes_out_as_the_same_bytes(score: Score, tmp_path: Path) -> None:
    odd = b'a\x00b,\xff\xfe pills,"' + "\U0001f600".encode() + b'"\n'
    score(written(tmp_path / "in.csv", b"id,text,x\n" + odd), tmp_path / "out.csv")
    line = (tmp_path / "out.csv").read_bytes().splitlines()[1]
    assert line.startswith(odd.rstrip() + b",hold,")


def test_a_cell_may_be_a_million_characters_long(score: Score, tmp_path: Path) -> None:
    cells = ["pills " + "x " * 500_000, "<b>" * 300_000, "\0" * 1_000_000, "", "a" * 1_000_000]
    source = tmp_path / "in.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(cells)])
    score(source, tmp_path / "out.csv")
    rows = rows_of(tmp_path / "out.csv")
    assert [row["text"] for row in rows] == cells
    assert {row["decision"] for row in rows} <= {"publish", "hold"}


@pytest.mark.parametrize("cell", ["a\rb", "\r", "a\r\nb", "a\n", 'a"\r', "a\u2028b"])
def test_line_ends_inside_a_cell_stay_inside_it(score: Score, tmp_path: Path, cell: str) -> None:
    source = tmp_path / "in.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text", "note"], ["bread", cell], ["pills", "last"]])
    score(source, tmp_path / "out.csv")
    assert [row["note"] for row in rows_of(tmp_path / "out.csv")] == [cell, "last"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(score: Score, tmp_path: Path) -> None:
    score(written(tmp_path / "in.csv", b"\xef\xbb\xbftext\npills\n"), tmp_path / "out.csv")
    assert rows_of(tmp_path / "out.csv")[0]["text"] == "pills"


@pytest.mark.parametrize(
    "name", ["out.csv", "out.csv.gz", "out.jsonl", "out.jsonl.gz", "out.parquet"]
)
@pytest.mark.parametrize("source", ["in.csv", "in.csv.gz", "in.jsonl", "in.parquet"])
def test_every_format_goes_in_and_out(score: Score, tmp_path: Path, source: str, name: str) -> None:
    rows = [{"id": str(n), "text": t} for n, t in enumerate(["pills", "Größe", "a,b\nc"])]
    path = tmp_path / source
    if source.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif source.endswith(".jsonl"):
        written(path, "".join(json.dumps(row) + "\n" for row in rows))
    else:
        table = 'id,text\n0,pills\n1,Größe\n2,"a,b\nc"\n'.encode()
        written(path, gzip.compress(table) if source.endswith(".gz") else table)
    score(path, tmp_path / name)
    found = read(tmp_path / name)
    assert [(row["id"], row["text"]) for row in found] == [(r["id"], r["text"]) for r in rows]
    assert [row["decision"] for row in found] == ["hold", "publish", "publish"]
    assert float(found[0]["spam"]) > 0.9 > float(found[1]["spam"])


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    if ".jsonl" in path.name:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        return [json.loads(line) for line in text.splitlines()]
    return [dict(row) for row in rows_of(path)]


def test_types_stay_in_jsonl_and_parquet(score: Score, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"n": 7, "nested": {"a": [1, None]}, "text": "pills"},
        {"n": None, "text": None},
    ]
    source = written(tmp_path / "in.jsonl", "\n".join(json.dumps(row) for row in rows))
    score(source, tmp_path / "out.jsonl")
    found = read(tmp_path / "out.jsonl")
    assert [{k: row[k] for k in old} for row, old in zip(found, rows, strict=True)] == rows
    table = pa.table({"n": pa.array([1, 2], pa.int16()), "text": ["pills", None]})
    pq.write_table(table, tmp_path / "in.parquet")
    score(tmp_path / "in.parquet", tmp_path / "out.parquet")
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert (schema.field("n").type, schema.field("spam").type) == (pa.int16(), pa.float64())


def test_half_characters_in_json_are_no_harm(score: Score, tmp_path: Path) -> None:
    line = '{"text": "a\\ud83d pills ü"}'
    score(written(tmp_path / "in.jsonl", line), tmp_path / "out.jsonl")
    assert read(tmp_path / "out.jsonl")[0]["text"] == "a\ud83d pills ü"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "no header"),
        ("a,b\n1,2\n", "no column text or content or comment"),
        ("text,text\n1,2\n", "'text' twice"),
        ("text,spam\nx,1\n", "--prefix"),
        ("text,b\nx,1\ny,1,2\n", "line 3 has 3 cells, the header 2"),
        ('text\nx\n"never closed\n', "is not CSV"),
        ('text\n"a"b\n', "line 2 is not CSV"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_and_nothing_is_written(
    score: Score, tmp_path: Path, table: str, said: str
) -> None:
    source = written(tmp_path / "in.csv", table)
    target = written(tmp_path / "out.csv", "kept")
    with pytest.raises(BadTable, match=said):
        score(source, target)
    assert target.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.jsonl", b'{"text": "x"}\n{"text": \n', "line 2 is not JSON"),
        ("in.jsonl", b"[1]\n", "line 1 is not a JSON object"),
        ("in.jsonl", b"\n\n", "no rows"),
        ("in.csv.gz", b"text\nx\n", "is not a whole gzip file"),
        ("in.csv.gz", gzip.compress(b"text\nx\n" * 9999)[:-20], "is not a whole gzip file"),
        ("in.parquet", b"text", "is not a Parquet file"),
        ("in.xlsx", b"x", "the name must end in"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_told(
    score: Score, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(BadTable, match=said):
        score(written(tmp_path / name, content), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_short_rows_and_empty_lines_do_not_shift_anything(score: Score, tmp_path: Path) -> None:
    score(written(tmp_path / "in.csv", "text,b\npills\n\nbread,2\n"), tmp_path / "out.csv")
    rows = rows_of(tmp_path / "out.csv")
    assert [(row["text"], row["b"], row["decision"]) for row in rows] == [
        ("pills", "", "hold"),
        ("bread", "2", "publish"),
    ]


def test_a_column_can_be_named_and_the_new_ones_set_apart(score: Score, tmp_path: Path) -> None:
    source = written(tmp_path / "in.csv", "spam,body\n1,pills\n")
    score(source, tmp_path / "out.csv", text_column="body", prefix="our_")
    (row,) = rows_of(tmp_path / "out.csv")
    assert (row["spam"], row["our_decision"], row["our_reasons"]) == ("1", "hold", "spam")


def test_without_a_target_the_rows_go_to_standard_output(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path / "in.csv.gz", gzip.compress(b"text\npills\n"))
    score(source, None)
    assert capsys.readouterr().out.splitlines()[0] == "text,decision,spam,abuse,reasons"


def test_progress_reaches_the_end(score: Score, tmp_path: Path) -> None:
    table = "text\n" + "bread\n" * (ROWS_AT_ONCE + 1)
    steps: list[tuple[int, int]] = []
    score(
        written(tmp_path / "in.csv", table),
        tmp_path / "out.csv",
        progress=lambda position, length: steps.append((position, length)),
    )
    assert len(steps) == 2
    assert steps[-1] == (len(table), len(table))


def test_long_texts_are_judged_in_smaller_pieces(score: Score, tmp_path: Path) -> None:
    table = "text\n" + ("x " * 30_000 + "\n") * 40
    steps: list[int] = []
    source = written(tmp_path / "in.csv", table)
    score(source, tmp_path / "out.csv", progress=lambda position, length: steps.append(position))
    assert len(steps) == 3
    assert len(rows_of(tmp_path / "out.csv")) == 40


def test_the_source_may_be_the_target(score: Score, tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", "text\npills\n")
    score(path, path)
    assert rows_of(path)[0]["decision"] == "hold"


def test_without_pyarrow_parquet_is_refused_with_the_way_to_get_it(
    score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(BadTable, match=r"pip install 'moderation\[parquet\]'"):
        score(written(tmp_path / "in.csv", "text\nx\n"), tmp_path / "out.parquet")
