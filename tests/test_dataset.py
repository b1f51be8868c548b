"""Labelled CSV files: read exactly, or refused with the place and the mend."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.labelled_csv import csv_lines
from moderation.store.labels import LABEL_COLUMNS
from training import dataset
from training.dataset import BadDataset, Row, key, read

BOTH = "Thanks for this,ok\nBuy my pills,spam\n"


def written(folder: Path, content: str | bytes, name: str = "mine.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(folder: Path, content: str | bytes, **mapping: str) -> tuple[Row, ...]:
    (corpus,) = read([written(folder, content)], mapping)
    return corpus.rows


def refusal(folder: Path, content: str | bytes, **mapping: str) -> str:
    """What is said of the file, after its name."""
    path = written(folder, content)
    with pytest.raises(BadDataset) as caught:
        read([path], mapping)
    assert caught.value.exit_code == 2
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    return sentence.removeprefix(str(path))


# ---------------------------------------------------------------- what is read


def test_rows_keep_all_their_columns(tmp_path: Path) -> None:
    (row, _) = rows(
        tmp_path,
        "label,text,weight,author,author_url,article,fine_label,colour\n"
        "abuse,You fool,2.5,Ann,http://a.example,on-bread,insult; threat;,red\n"
        "ok,Fine,,,,,,\n",
    )
    assert row == Row(
        "You fool", "abuse", frozenset({"insult", "threat"}), "Ann", "http://a.example",
        "on-bread", 2.5, "mine", 2, 2,
    )  # fmt: skip
    assert (row.comment().content, row.comment().author.name) == ("You fool", "Ann")


def test_labels_are_read_in_any_case_and_ham_is_ok(tmp_path: Path) -> None:
    found = rows(tmp_path, "text,label\na,HAM\nb, Spam \nc,OK\nd,abuse\n")
    assert [row.label for row in found] == ["ok", "spam", "ok", "abuse"]


def test_a_map_says_what_other_labels_mean(tmp_path: Path) -> None:
    content = "text,label\na,toxic\nb,0\nc,\nd,spam\n"
    found = rows(tmp_path, content, **{"toxic": "abuse", "0": "ham", "": "ok", "spam": "ABUSE"})
    assert [row.label for row in found] == ["abuse", "ok", "ok", "abuse"]


def test_empty_rows_below_a_table_teach_nothing(tmp_path: Path) -> None:
    content = "text,label,author\nThanks,ok,Ann\nBuy,spam,\n,,\n , ,\n"
    assert [row.label for row in rows(tmp_path, content)] == ["ok", "spam"]


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_separators_than_commas_are_named(tmp_path: Path, sign: str) -> None:
    with pytest.raises(BadDataset, match="separate columns by commas, not by"):
        rows(tmp_path, f"text{sign}label\nThanks{sign}ok\n")


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    assert len(rows(tmp_path, b"\xef\xbb\xbf" + f"text,label\n{BOTH}".encode())) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_line_end_is_fine_with_and_without_one_at_the_end(tmp_path: Path, end: str) -> None:
    lines = ["text,label", "Thanks,ok", "Buy,spam"]
    for last in (end, ""):
        found = rows(tmp_path, end.join(lines) + last)
        assert [(row.text, row.label) for row in found] == [("Thanks", "ok"), ("Buy", "spam")]


def test_quotes_commas_and_line_breaks_stand_inside_quotes(tmp_path: Path) -> None:
    content = 'text,label\n"one, ""two""\nthree\r\nfour\rfive",ok\nBuy 5" pipes,spam\n'
    first, second = rows(tmp_path, content)
    assert first.text == 'one, "two"\nthree\r\nfour\rfive'
    assert second.text == 'Buy 5" pipes'


def test_only_newlines_end_a_line(tmp_path: Path) -> None:
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g"
    assert rows(tmp_path, f"text,label\n{text},ok\nBuy,spam\n")[0].text == text


def test_a_cell_of_a_million_characters_is_read_whole(tmp_path: Path) -> None:
    long = "word " * 250_000
    first, _ = rows(tmp_path, f"text,label\n{long},ok\nBuy,spam\n")
    assert first.text == long
    assert len(key(first.text)) == 16


def test_a_nul_is_a_character_like_others(tmp_path: Path) -> None:
    assert rows(tmp_path, "text,label\na\x00b,ok\nBuy,spam\n")[0].text == "a\x00b"


def test_rows_without_text_teach_nothing_and_are_left_out(tmp_path: Path) -> None:
    found = rows(tmp_path, "text,label\n,ok\n  ,spam\nThanks,ok\n\u00a0,ok\nBuy,spam\n")
    assert [(row.text, row.place) for row in found] == [("Thanks", 4), ("Buy", 6)]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\tx"])
def test_a_formula_is_a_text(tmp_path: Path, formula: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("text", "label"), (formula, "spam"), ("Thanks", "ok")])
    assert rows(tmp_path, out.getvalue())[0].text == formula


def test_an_apostrophe_against_formulas_comes_off_in_every_column(tmp_path: Path) -> None:
    content = (
        "text,label,author,article\n"
        "'=1+1,spam,'@ann,'-x\n"
        "''=1+1,ok,O'Hara,it's\n"
        "'Tis fine,ok,,\n"
        "'he said'-she,ok,,\n"
    )
    first, second, third, fourth = rows(tmp_path, content)
    assert (first.text, first.author, first.article) == ("=1+1", "@ann", "-x")
    assert (second.text, second.author, second.article) == ("'=1+1", "O'Hara", "it's")
    assert (third.text, fourth.text) == ("'Tis fine", "'he said'-she")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), st.text("'=+-@\t\ra")
)
def test_what_the_service_exports_is_read_as_it_was(tmp_path: Path, text: str, name: str) -> None:
    labelled = [
        dict.fromkeys(LABEL_COLUMNS, "") | {"text": text, "label": "ok", "author": name},
        dict.fromkeys(LABEL_COLUMNS, "") | {"text": "Buy", "label": "spam", "weight": "1"},
        dict.fromkeys(LABEL_COLUMNS, "") | {"text": "Thanks", "label": "ok"},
    ]
    found = rows(tmp_path, "".join(csv_lines(labelled)))
    assert [(row.text, row.author) for row in found if row.label == "ok"] == (
        [(text, name), ("Thanks", "")] if text.strip() else [("Thanks", "")]
    )


def test_a_corpus_knows_its_bytes_and_how_many_rows_of_each_label_it_has(tmp_path: Path) -> None:
    path = written(tmp_path, f"text,label\n{BOTH}")
    (corpus,) = read([path])
    assert corpus.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert corpus.labels == {"ok": 1, "spam": 1}


# ---------------------------------------------------------------- where a row stands


ROW_PLACES = (
    'text,label\nplain,ok\n"two\nlines",ok\n"three\r\nlines\n",spam\n\nafter an empty line,ok\n'
)


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    assert [row.place for row in rows(tmp_path, ROW_PLACES)] == [2, 3, 4, 6]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_error_names_the_row_and_where_they_differ_the_line(tmp_path: Path, end: str) -> None:
    head = ROW_PLACES.replace("\r\n", "\n").replace("\n", end)
    for bad in ("x,dubious", "x,ok,more", "x", 'x,"ok"x'):
        said = refusal(tmp_path, f"{head}{bad}{end}")
        assert said.startswith(", row 7 (line 10): "), said
    assert refusal(tmp_path, "text,label\nx,dubious\n").startswith(", row 2: ")


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("content", "row", "says"),
    [
        # the header
        ("", None, "is empty; it needs a header"),
        ("\n \n", None, "is empty"),
        (b"\xef\xbb\xbf", None, "is empty"),
        ("text,label\n", None, "no rows"),
        ("text,label\n,ok\n,spam\n", None, "no rows"),
        (f"comment,label\n{BOTH}", 1, "lacks the column 'text'; it has 'comment', 'label'"),
        (f"text,class\n{BOTH}", 1, "lacks the column 'label'"),
        (f"a,b\n{BOTH}", 1, "lacks the column 'text' and 'label'"),
        ("text;label\nThanks;ok\nBuy;spam\n", 1, "it has 'text;label'"),
        ("text\tlabel\nThanks\tok\n", 1, "it has 'text\\tlabel'"),
        (BOTH, 1, "lacks the column"),
        ("text,label,text\na,ok,b\n", 1, "has the column 'text' twice"),
        ("text,label,label\na,ok,spam\n", 1, "has the column 'label' twice"),
        ("text,label,author,author\na,ok,,\n", 1, "has the column 'author' twice"),
        # labels
        (f"text,label\n{BOTH}Hm,dubious\n", 4, "label 'dubious' is none of ok, spam, abuse"),
        (f"text,label\n{BOTH}Hm,dubious\n", 4, "--map 'dubious'=ok"),
        (f"text,label\n{BOTH}Hm,\n", 4, "the label is empty; write"),
        (f"text,label\n{BOTH}Hm,1\n", 4, "label '1' is none of"),
        ("text,label\nThanks,ok\nFine,ok\n", None, "every row is 'ok'"),
        ("text,label\nThanks,ok\nFine,ham\n", None, "add rows that are spam or abuse"),
        ("text,label\nBuy,spam\nSell,spam\n", None, "add rows that are ok"),
        # cells
        (f"text,label\n{BOTH}one cell\n", 4, "1 cells where the header has 2"),
        (f"text,label\n{BOTH}a,b,ok\n", 4, "3 cells where the header has 2"),
        (f"text,label\n{BOTH} \n", 4, "1 cells where the header has 2"),
        ('text,label\n"Thanks,ok\nBuy,spam\n', 2, 'opens with " and nothing closes it'),
        (f'text,label\n{BOTH}Fine,"ok\n', 4, 'opens with " and nothing closes it'),
        ('"text,label\nThanks,ok\n', 1, 'opens with " and nothing closes it'),
        ('text,label\n"a"b,ok\nBuy,spam\n', 2, "not a well-formed CSV"),
        ("text,label\rThanks,ok\rBuy,spam\r", 1, "save it with line ends of LF or CRLF"),
        ("text,label\nThanks,ok\nBuy\rmore,spam\n", 3, "save it with line ends of LF or CRLF"),
        (f"text,label,weight\n{BOTH.replace(chr(10), ',heavy' + chr(10))}", 2, "weight 'heavy'"),
        ("text,label,weight\na,ok,-1\n", 2, "no number from 0 to 1000"),
        ("text,label,weight\na,ok,nan\n", 2, "no number from 0 to 1000"),
        ("text,label,weight\na,ok,inf\n", 2, "no number from 0 to 1000"),
        ("text,label,weight\na,ok,1001\n", 2, "no number from 0 to 1000"),
        # bytes
        ("text,label\nThanks,ok\nCaf\xe9,spam\n".encode("latin-1"), 3, "not UTF-8"),
        (f"text,label\n{BOTH}".encode("utf-16"), 1, "not UTF-8"),
        (f"text,label\n{BOTH}".encode("utf-16-le"), 1, "lacks the column"),
        (b'text,label\n"two\nlines",ok\n\xff,spam\n', "3 (line 4)", "not UTF-8"),
        (b"PK\x03\x04\x14\x00\x00\x00\x08\x00\xb5\x96", 1, "not UTF-8"),
    ],
)
def test_a_file_that_is_not_quite_right_is_refused_with_the_place(
    tmp_path: Path, content: str | bytes, row: int | str | None, says: str
) -> None:
    said = refusal(tmp_path, content)
    assert said.startswith(f", row {row}: " if row else ": "), said
    assert says in said


def test_a_label_as_long_as_a_comment_is_not_shown_whole(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, f"label,text\n{'word ' * 999},ok\n")) < 300


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BadDataset, match="cannot be read"):
            read([path])


def test_the_first_bad_file_refuses_them_all(tmp_path: Path) -> None:
    good = written(tmp_path, f"text,label\n{BOTH}", "good.csv")
    bad = written(tmp_path, "text,label\nHm,dubious\n", "bad.csv")
    with pytest.raises(BadDataset, match=r"bad\.csv, row 2"):
        read([good, bad])


def test_files_of_one_class_make_up_for_each_other(tmp_path: Path) -> None:
    honest = written(tmp_path, "text,label\nThanks,ok\n", "honest.csv")
    spam = written(tmp_path, "text,label\nBuy,spam\n", "spam.csv")
    assert [corpus.labels for corpus in read([honest, spam])] == [{"ok": 1}, {"spam": 1}]


# ---------------------------------------------------------------- names and keys


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/x.csv", "b/y.csv"], ["x", "y"]),
        (["a/x.csv", "b/x.csv", "b/y.csv"], ["a/x", "b/x", "y"]),
        (["p/a/x.csv", "q/a/x.csv"], ["a/x (1)", "a/x (2)"]),
        (["seeds/comments.csv"], ["comments"]),
        (["mine/comments.csv"], ["mine/comments"]),
        (["mine/comments.csv", "seeds/comments.csv"], ["mine/comments", "comments"]),
    ],
)
def test_files_have_short_names_and_only_our_seeds_have_theirs(
    tmp_path: Path, files: list[str], names: list[str]
) -> None:
    paths = [written(tmp_path, f"text,label\n{BOTH}", name) for name in files]
    assert [corpus.name for corpus in read(paths)] == names


def test_near_copies_share_a_key() -> None:
    original = key("Buy 3 pills at https://a.example/x now!")
    for copy in (
        "buy 7 PILLS at https://other.example/y, now",
        "<b>Buy</b> pills at www.a.example now 2025",
        "B\u200buy   pills\nat now",
    ):
        assert key(copy) == original
    assert key("Buy pills at now or never") != original
    assert key("12") != key("13")
    assert key("\ud800") != key("")


def test_a_refusal_says_which_files_nothing_can_be_learnt_from(tmp_path: Path) -> None:
    corpora = read([written(tmp_path, f"text,label\n{BOTH}")])
    assert str(dataset.unusable(corpora, "why")) == f"{tmp_path / 'mine.csv'}: why"
