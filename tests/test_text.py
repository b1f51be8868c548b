"""Reading: disguises come off, honest text stays, and every character knows where it came from."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moderation.folding import _SMOOTH as SMOOTH
from moderation.folding import _UNDRESS as UNDRESS
from moderation.folding import MAX_CHARACTERS, fold, fold_traced
from moderation.folding import _folded_plain as folded_plain
from moderation.folding import _latin as latin
from moderation.folding import _latin_if_mixed as latin_if_mixed
from moderation.text import AUTHOR, BODY, FACTS, LINKS, read
from moderation.text import targets as links_of
from moderation.verdict import Author, Comment

FRAGMENTS = (
    # plain
    "viagra", "B2B", "Cheap", " ", "  ", "\n", "\t", "\r\n", "!", "3 < 4", "<3", "İI", "ſ", "ß",
    # markup, whole and broken
    "<b>", "</b>", "<br>", "<p class='x'>", "<a href=\"http://spam.example/?a=1&b=2\">", "</a>",
    "<", ">", "<!-- x -->", "<script>", "<p you fool>", "[url=http://a.example]", "[/url]", "[b]",
    "[", "&", "&amp;", "&lt;b&gt;", "&#118;", "&#x69;", "&shy;", "&nbsp;", "&#xD800;", "&#0;",
    "&notit;",
    # invisible, combining, odd blanks
    "\u200b", "\u00ad", "\ufe0f", "\u202e", "\U000e0061", "\x00", "\x7f", "\u00a0", "\u3000",
    "\u3164", "\u2800", "\u0301", "\u0336\u0336", "e\u0301", "\u0489", "\u2028", "\u0085",
    # other letters and other fonts
    "раураl", "vіаgrа", "привет", "ΟΔΟΣ", "κόσμος", "ｆｕｌｌ", "𝓯𝓻𝓮𝓮", "ﷺ", "ﬁ", "ᴄᴀsɪɴᴏ", "Ⅷ",
    "한국어", "ᄒ", "ᅡ", "日本", "مرحبا", "👍🏽", "🇫🇷", "½",
    # halves of a pair
    "\ud800", "\udc00",
)  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=30).map(
    "".join
)


# ---------------------------------------------------------------- where each character came from


@given(hostile)
@example("Σ" * 3 + "İ")
@example("a\u0301" * 5)
def test_the_traced_text_is_the_folded_one_and_its_offsets_rise(content: str) -> None:
    text, origin = fold_traced(content)
    assert text == fold(content)
    assert len(origin) == len(text) + 1
    assert all(before <= after for before, after in pairwise(origin))
    assert origin[0] >= 0
    assert origin[-1] <= len(content)


@given(st.one_of(hostile, st.text()))
@example("a\u0301")
@example("a \u0300\u0316 b")
@example("\ufb01")
def test_a_step_that_is_skipped_would_have_changed_nothing(content: str) -> None:
    for applies, pattern, put in (*UNDRESS, *SMOOTH):
        if put in (latin, latin_if_mixed):
            continue  # these ask what the rest of the text is written in
        changed = pattern.sub(put, content)
        assert applies(content) or changed == content
        content = changed


@given(st.one_of(hostile, st.text()))
def test_the_short_way_gives_what_the_long_way_gives(content: str) -> None:
    short = folded_plain(content)
    assert short is None or short == fold_traced(content)[0]


@given(st.text())
def test_any_text_folds_to_lower_case_with_single_spaces(content: str) -> None:
    text = fold(content)
    assert text == text.strip()
    assert "  " not in text
    assert not any(sign in text for sign in "\n\t\r\x00\u200b")
    assert text == fold_traced(content)[0]


def test_a_character_points_to_what_it_was_written_as() -> None:
    content = "Buy <b>v&#105;a\u200bGRA</b>  now"
    text, origin = fold_traced(content)
    assert text == "buy viagra now"
    sources = {letter: content[origin[text.index(letter)]] for letter in "bvigrnw"}
    assert sources == dict(zip("bvigrnw", "Bv&GRnw", strict=True))


def test_a_text_beyond_the_limit_is_read_from_both_its_ends() -> None:
    content = f"<b>begin {'xy' * MAX_CHARACTERS} end</b>"
    text, origin = fold_traced(content)
    assert text == fold(content)
    assert len(text) == MAX_CHARACTERS
    assert text.startswith("begin xy")
    assert text.endswith("xy end")
    assert (content[origin[0]], content[origin[-2]]) == ("b", "d")


# ---------------------------------------------------------------- what is taken off


@pytest.mark.parametrize(
    "disguised",
    [
        "v<b></b>iagra",
        "v<!-- -->iagra",
        "<i>v</i>iagra",
        "v[b][/b]iagra",
        "v\u200bi\u00adagra",
        "v&#105;agra",
        "v&#X69;agra",
        "v&shy;iagra",
        "ｖｉａｇｒａ",
        "𝓿𝓲𝓪𝓰𝓻𝓪",
        "vіаgrа",
        "v̵i̷a̶g̸r̵a̷",
        "VIAGRA",
        "ᴠɪᴀɢʀᴀ",
        "v[i]i[/i]agra",
        "vi\x00agra",
    ],
)
def test_a_disguised_word_reads_as_the_word(disguised: str) -> None:
    assert fold(disguised) == "viagra"


def test_a_tag_that_parts_text_parts_words() -> None:
    assert fold("one<br>two<p>three</p>four") == "one two three four"
    assert fold("one<b>two</b>") == "onetwo"


# ---------------------------------------------------------------- what must stay as it is


@pytest.mark.parametrize(
    "honest",
    [
        "I work in B2B sales, since COVID19, with an MP3 player and H2O.",
        "It was the 1st of May; 3 < 4 and 5 > 4, I <3 it </3",
        "Сегодня в Москве был сильный дождь, но мы всё равно пошли гулять.",
        "Це чудова стаття, дякую за неї!",
        "The word мир means both peace and world, and the band Кино was great.",
        "if (a < b && c > d) { return list[0] + map[key]; }",
        "use List<String> or std::vector<int>, see `x <- y` and a->b",
        "for (int i = 0; i < n; i++) total += row[k] * 2;",
        "sum += row[i] * a[0] + b[s][u], m[B]",
        "mail <user@example.com> about it",
        "C'est vrai : « oui » ; vraiment ? Mais non !",
        "Café, naïve, Ångström, Çeşme, Łódź, größer",
        "年末年始に京都へ行きました。",
        "שלום לכולם, מאמר מצוין",
        "AT&T, R&D and Q&A",
        "see [1] and [citation needed]",
        "<p you fool>",
    ],
)
def test_honest_text_changes_only_its_case(honest: str) -> None:
    assert fold(honest) == honest.lower()


def test_greek_stays_greek_with_one_sigma() -> None:
    sentence = "Ο Νίκος είναι ο καλύτερος φίλος μας, όπως λένε όλοι."
    assert fold(sentence) == sentence.lower().replace("ς", "σ")


def test_french_spacing_becomes_plain_spaces() -> None:
    assert fold("C\u2019est vrai\u00a0: «\u202foui\u202f»\u00a0!") == "c\u2019est vrai : « oui » !"


def test_letters_typed_with_separate_accents_are_those_typed_at_once() -> None:
    assert fold("cafe\u0301 Ångström e\u0300") == fold("café Ångström è")


# ---------------------------------------------------------------- links and the other segments


@pytest.mark.parametrize(
    ("content", "links"),
    [
        ("nothing here, 3:2 = 1.5", []),
        ('<a href="https://a.example/x?y=1">x</a>', ["https://a.example/x?y=1"]),
        ("<a href='//b.example'>x</a>", ["//b.example"]),
        ("<A HREF = c.example>x</A>", ["c.example"]),
        ('<img src="http://d.example/i.png">', ["http://d.example/i.png"]),
        ("[url=http://e.example]x[/url]", ["http://e.example"]),
        ('[link="http://f.example"]x[/link]', ["http://f.example"]),
        ("[url]http://g.example[/url]", ["http://g.example"]),
        ("see http://h.example/a, and www.i.example.", ["http://h.example/a,", "www.i.example."]),
        ('<a href="http://j.example">http://j.example</a>', ["http://j.example"]),
        ("(https://k.example/a_(b))", ["https://k.example/a_(b"]),
        ("HTTP://L.EXAMPLE", ["HTTP://L.EXAMPLE"]),
        ("http://m.example http://m.example", ["http://m.example"]),
    ],
)
def test_links_are_found_each_once(content: str, links: list[str]) -> None:
    assert links_of(content) == links


def test_a_comment_is_read_into_four_segments() -> None:
    author = Author(name="Best CASINO", url="https://www.casino.example/x")
    reading = read(Comment('Hi! <a href="http://b.example">here</a>', author))
    assert reading.segments[BODY] == "hi! here"
    assert reading.segments[AUTHOR] == "best casino"
    assert reading.segments[LINKS] == "b.example casino.example/x"
    assert reading.segments[FACTS].split()[0] == "links1"
    assert "anchor" in reading.segments[FACTS]
    assert reading.links == ("http://b.example",)


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("Noooooooo!!!!!!!!!!", "nooo!!!"),
        ("viiiiiiagra", "viiiagra"),
        ("wait... 10000000 www", "wait... 10000000 www"),
        ("<b>sooooo</b>ooo", "sooo"),
    ],
)
def test_what_is_repeated_is_read_three_times(typed: str, read_as: str) -> None:
    assert fold(typed) == read_as
    assert fold_traced(typed)[0] == read_as


def test_facts_tell_of_telephones_addresses_messengers_and_money() -> None:
    facts = read(Comment("WhatsApp +1 (555) 010-9999 and win $500!!!!")).segments[FACTS].split()
    assert {"contact", "messenger", "money", "links0", "shouts2"} <= set(facts)
    assert "contact" in read(Comment("write to me@example.com")).segments[FACTS]
    assert "contact" not in read(Comment("@anna the score was 3-2 in 2024")).segments[FACTS]


@given(hostile, hostile, hostile)
def test_no_comment_is_too_odd_to_be_read(content: str, name: str, url: str) -> None:
    reading = read(Comment(content, Author(name=name, url=url)))
    assert len(reading.segments) == 4
    assert all(len(segment) <= MAX_CHARACTERS for segment in reading.segments)


@pytest.mark.parametrize(
    "shape",
    [
        "<", "<b", "<b ", "<b a=", "<b a='", "<!--", "</", "[url=", "[b]", "&", "&#", "&amp;",
        "http://", "www.", "href=", "a\u0301", "\u0301", "\u200b", " ", "\n", "\u3000", "1 ",
        "(1) ", "аa", "ﷺ", "a.a@", "\ud800", "Σ", "\x00", "<b>a</b>",
    ],
)  # fmt: skip
def test_a_hostile_shape_of_full_length_is_read(shape: str) -> None:
    content = (shape * MAX_CHARACTERS)[:MAX_CHARACTERS]
    assert len(read(Comment(content)).segments[BODY]) <= MAX_CHARACTERS
