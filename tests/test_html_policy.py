"""The HTML policy with the real cleaner: what readers see, what pages get, what is reported."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.html_policy import HtmlPolicy, HtmlRules
from moderation.html_policy.rules import CATALOGUE
from moderation.verdict import Change, Page

BLOGGER = HtmlPolicy(HtmlRules())
BASIC = HtmlPolicy(HtmlRules(preset="basic"))
TEXT = HtmlPolicy(HtmlRules(preset="text"))
STRIP = HtmlPolicy(HtmlRules(on_disallowed="strip"))
HOLD = HtmlPolicy(HtmlRules(on_disallowed="hold", unbalanced="hold"))
PARAGRAPHS = HtmlPolicy(HtmlRules(preset="basic", line_breaks="p", autolink=True))
EVERYTHING = HtmlPolicy(
    HtmlRules(preset="basic", extra_tags=CATALOGUE, line_breaks="none", target_blank=True)
)
MATCHED = HtmlPolicy(
    HtmlRules(preset="basic", extra_tags=CATALOGUE, line_breaks="p", on_disallowed="strip",
              masked_links="text-must-match", nofollow=False, max_depth=3)
)  # fmt: skip
POLICIES = [BLOGGER, BASIC, TEXT, STRIP, HOLD, PARAGRAPHS, EVERYTHING, MATCHED]

REL = 'rel="nofollow ugc noopener"'


class Reader(HTMLParser):
    """Reads a page as a browser would: what stands there, and with which tags."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.other: list[str] = []
        self.depth = self.deepest = 0
        self._text: list[str] = []
        self.feed(page.html)
        self.close()
        self.text = "".join(self._text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs))
        self.tags.append((tag, dict(attrs)))
        if tag in ("br", "p"):
            self._text.append("\n")
        if tag not in ("br", "hr"):
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)

    handle_pi = unknown_decl = handle_comment


def seen(content: str, policy: HtmlPolicy = BLOGGER) -> str:
    return Reader(policy.render(content)).text


def html(content: str, policy: HtmlPolicy = BLOGGER) -> str:
    return policy.render(content).html


def assert_safe(content: str, policy: HtmlPolicy) -> None:
    page, rules = policy.render(content), policy.rules
    read = Reader(page)
    assert read.other == [] and read.depth == 0
    written = {"none": (), "br": ("br",), "p": ("br", "p")}[rules.line_breaks]
    for tag, attributes in read.tags:
        if tag == "a":
            wanted = {"href", "rel"} | ({"target"} if rules.target_blank else set())
            assert wanted <= attributes.keys() <= wanted | {"title"}
            assert attributes["rel"] == rules.rel
            url = attributes["href"] or ""
            assert re.match(r"(?:https?://[\w\[]|mailto:\w)", url, re.IGNORECASE)
            assert not re.search(r"[\x00-\x20]", url)
            assert "a" in rules.tags or rules.autolink
        else:
            assert tag in rules.tags or tag in written
            assert attributes.keys() <= set(rules.tags.get(tag, ()))
    assert read.deepest <= rules.max_depth + 1  # the paragraph around it
    assert policy._cleaner.clean(page.html) == page.html
    page.html.encode()
    json.dumps([page.links, page.problems])


# Text survives


@pytest.mark.parametrize(
    "content",
    [
        "age < 18 and age > 12",
        "age<18",
        "List<String> and Map<String, List<Integer>>",
        "<user@example.com> wrote",
        "<https://blog.example/a>",
        "</3 <3 >:( <-- ->",
        "a<b && c>d",
        "if a <b and c> d",
        "x <i and j> y",
        "<script>alert(1)</script>",
        "<script>if (a<b) document.write('<b>x</b>')</script> is how",
        "<style>b{color:red}</style>",
        "<!-- <b>not bold</b> -->",
        "<!-- no end",
        "<![CDATA[ x ]]> <!DOCTYPE html> <?php echo $a->b ?>",
        "AT&T R&D &",
        "https://x.example/?a=1&copy=2&lt=3",
        "&nosuch; &copy &#; &#x; &;",
        "<img src=x onerror=alert(1)>",
        '<a href="https://x.example>broken',
        "<b",
        "<b ",
        "<b/x>",
        "<",
        "x < y <",
        "<b x=>",
        "<a href=>",
        "<li>item</li>",
        "dis</n>cord",
        "\"quoted\" and 'quoted'",
        "<I\xa0love\xa0you>",
    ],
)
def test_what_is_not_an_allowed_tag_is_shown_as_typed(content: str) -> None:
    assert seen(content) == seen(content, HOLD) == seen(content, TEXT) == content
    assert not any(tag for tag, _ in Reader(BLOGGER.render(content)).tags)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("&lt;b&gt;", "<b>"),
        ("&amp;lt;", "&lt;"),
        ("&copy; &eacute; &#233; &#xE9;", "© é é é"),
        ("&hellip;&notit;", "…&notit;"),
        ("&#0;&#xD800;&#x110000;x&#8238;y", "���xy"),
        ("a&nbsp;b", "a\xa0b"),
        ("&#10;x", "x"),
    ],
)
def test_an_entity_shows_the_character_that_it_names(typed: str, shown: str) -> None:
    assert seen(typed) == shown


def test_nothing_is_escaped_twice() -> None:
    assert html('AT&T &amp; <3 "it\'s"') == 'AT&amp;T &amp; &lt;3 "it\'s"'


def test_a_browsers_entity_without_semicolon_is_not_one_in_a_url() -> None:
    page = BLOGGER.render('<a href="https://x.example/?a=1&copy=2&amp;b">x</a>')
    assert page.links == ("https://x.example/?a=1&copy=2&b",)
    assert '?a=1&amp;copy=2&amp;b"' in page.html


# Allowed tags


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<b>x</b> <I>y</I> <em >z</em >", "<b>x</b> <i>y</i> <em>z</em>"),
        ("a<b>c", "a<b>c</b>"),
        ("x</b>y", "xy"),
        ("<b></b>x", "x"),
        ("<b><i>x</b>y</i>z", "<b><i>x</i></b><i>y</i>z"),
        ("<b>a<b>b</b>c</b>", "<b>a<b>b</b>c</b>"),
        ("<b class=x style='a'>x</b>", "<b>x</b>"),
        ("<b/>x</b>", "<b>x</b>"),
    ],
)
def test_allowed_tags_come_out_well_formed(content: str, expected: str) -> None:
    assert html(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<blockquote>\nq\n</blockquote>\nx", "<blockquote>q</blockquote>x"),
        ("<b>x<blockquote>y</blockquote>z</b>",
         "<b>x</b><blockquote><b>y</b></blockquote><b>z</b>"),
        ("<ul>\n<li>a\n<li>b\n</ul>\n", "<ul><li>a</li><li>b</li></ul>"),
        ("<ul><li>a<ol><li>b</li></ol></li></ul>", "<ul><li>a<ol><li>b</li></ol></li></ul>"),
        ("<ul><li>a<blockquote><li>b</blockquote></ul>",
         "<ul><li>a<blockquote>&lt;li&gt;b</blockquote></li></ul>"),
        ("<pre>\n\n a\n\n\n\n\nb &lt;\n</pre>", "<pre> a\n\n\n\n\nb &lt;\n</pre>"),
        ("<pre>a<blockquote>b", "<pre>a</pre><blockquote>b</blockquote>"),
        ("<h3>not in basic</h3>", "&lt;h3&gt;not in basic&lt;/h3&gt;"),
    ],
)  # fmt: skip
def test_blocks_come_out_well_formed(content: str, expected: str) -> None:
    assert html(content, BASIC) == expected


def test_a_list_item_cannot_end_one_of_the_pages_own() -> None:
    assert html("</li><li>x", BASIC) == "&lt;/li&gt;&lt;li&gt;x"


def test_links_do_not_nest() -> None:
    page = BLOGGER.render("<a href=http://a.example>one <a href=http://b.example>two</a> three</a>")
    assert page.html == (
        f'<a href="http://a.example" {REL}>one </a><a href="http://b.example" {REL}>two</a> three'
    )


@pytest.mark.parametrize("tag", ["b", "blockquote", "ul><li", "sub"])
def test_nesting_ends_at_the_sites_depth_and_a_person_looks(tag: str) -> None:
    page = BASIC.render(f"<{tag}>" * 1000 + "x")
    assert Reader(page).deepest <= 20
    assert page.problems[0] == "Tags are nested more than 20 deep."
    assert "x" in Reader(page).text


def test_nesting_within_the_sites_depth_is_no_problem() -> None:
    assert BLOGGER.render("<b>" * 20 + "x" + "</b>" * 20).problems == ()


def test_few_characters_cannot_make_a_huge_page() -> None:
    content = "<b><i><em><strong><u><s><q>" * 2 + "x\n\n" * 20_000
    assert len(html(content, PARAGRAPHS)) < 6 * len(content)


# Disallowed tags


@pytest.mark.parametrize(
    ("content", "stripped"),
    [
        ("a<img src=x>b", "ab"),
        ("<font color=red>a</font>", "a"),
        ("<script>alert(1)</script>b", "b"),
        ("<STYLE>a</STYLE >b", "b"),
        ("<script>no end", "no end"),
        ("a<!-- c -->b", "ab"),
        ("<!-- no end", "&lt;!-- no end"),
        ("<o:p>a</o:p>", "a"),
        ("<p>a</p>", "a"),
        ("age < 18, <3, <user@example.com>", "age &lt; 18, &lt;3, &lt;user@example.com&gt;"),
        ("<table><tr><td>a</td></tr></table>", "a"),
    ],
)
def test_strip_drops_the_tag_and_keeps_the_text(content: str, stripped: str) -> None:
    assert html(content, STRIP) == stripped


def test_hold_shows_the_tag_and_says_what_is_allowed() -> None:
    page = HOLD.render("<img src=x> and <img src=y>")
    assert page.html == "&lt;img src=x&gt; and &lt;img src=y&gt;"
    assert page.problems == (f"<img> is not allowed here. {HOLD.sentence}",)


def test_no_crowd_of_small_changes_hides_a_tag_from_the_hold() -> None:
    attributes = " ".join(f"a{n}=1" for n in range(500))
    assert HOLD.render(f"<b {attributes}>x</b> <img src=x>").problems != ()


def test_hold_lets_plain_angle_brackets_pass() -> None:
    assert HOLD.render("age < 18 <3 a<b && c>d <user@example.com>").problems == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("<b>x", "<b> is not closed."),
        ("x</b>", "</b> ends nothing."),
        ("<b><i>x</b></i>", "<i> is not closed."),
        ("<b>x</b>", None),
    ],
)
def test_unbalanced_tags_are_mended_and_may_be_held(content: str, problem: str | None) -> None:
    assert HOLD.render(content).problems == ((problem,) if problem else ())
    assert BLOGGER.render(content).problems == ()
    assert HOLD.render(content).html == html(content)


# Links


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/a?b=1#c",
        "HTTP://X.example",
        "http://[2001:db8::1]:8080/",
        "http://münchen.example/straße",
        "https://x.example/a%20b",
        "http://localhost:8000/",
    ],
)
def test_absolute_web_links_are_kept(url: str) -> None:
    page = BLOGGER.render(f'<a href="{url}">x</a>')
    assert page.html == f'<a href="{url}" {REL}>x</a>'
    assert page.links == (url,) and page.changes == ()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("javascript:alert(1)", "javascript"),
        ("JaVaScRiPt:alert(1)", "javascript"),
        (" java\tscript:alert(1)", "javascript"),
        ("java&Tab;script&colon;alert(1)", "javascript"),
        ("&#106;avascript:alert(1)", "javascript"),
        ("\x01javascript:alert(1)", "javascript"),
        ("data:text/html,<script>alert(1)</script>", "data"),
        ("vbscript:x", "vbscript"),
        ("mailto:a@b.example", "mailto"),
        ("ftp://x.example", "ftp"),
        ("/logout", "relative"),
        ("?action=delete", "relative"),
        ("#top", "relative"),
        ("//evil.example", "relative"),
        ("\\\\evil.example", "relative"),
        ("www.x.example", "relative"),
        ("https:/logout", "malformed"),
        ("https:logout", "malformed"),
        ("https:\\\\evil.example", "malformed"),
        ("https://", "malformed"),
        ("https://bank.example@evil.example/", "malformed"),
        ("https://good.example\\@evil.example/", "malformed"),
        ("https://x.example:99999/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://xn--/", "malformed"),
    ],
)
def test_other_links_become_their_text_and_still_count(url: str, name: str) -> None:
    page = BLOGGER.render(f'<a href="{url}">x</a>')
    assert page.html == "x"
    assert page.changes[-1] == Change("url", name, "removed")
    assert len(page.links) == 1


@pytest.mark.parametrize(
    "content", ["<a>x</a>", '<a href="">x</a>', '<a name="y">x</a>', "<a href='http://y.example'></a>x"]
)  # fmt: skip
def test_a_link_to_nowhere_or_around_nothing_is_unwrapped(content: str) -> None:
    page = BLOGGER.render(content)
    assert page.html == "x"
    assert Change("tag", "a", "removed") in page.changes


def test_one_malformed_link_does_not_cost_the_others() -> None:
    page = BLOGGER.render("<a href=http://a:99999>x</a> <a href=http://b>y</a> <b>z</b>")
    assert page.html == f'x <a href="http://b" {REL}>y</a> <b>z</b>'


def test_the_commenters_rel_and_target_are_replaced_by_the_sites() -> None:
    typed = '<a target=_top rel="follow" href="http://x.example">x</a>'
    assert html(typed) == f'<a href="http://x.example" {REL}>x</a>'
    trusting = HtmlPolicy(HtmlRules(nofollow=False, target_blank=True))
    assert html(typed, trusting) == (
        '<a href="http://x.example" target="_blank" rel="ugc noopener">x</a>'
    )


def test_a_site_chooses_its_schemes() -> None:
    policy = HtmlPolicy(HtmlRules(schemes=["tel", "https", "mailto"]))
    content = "<a href=tel:+49-30-1>x</a><a href=mailto:a@b.example>x</a><a href=http://b>x</a>"
    assert re.findall('href="(.*?)"', html(content, policy)) == [
        "tel:+49-30-1",
        "mailto:a@b.example",
    ]


@pytest.mark.parametrize(
    ("content", "links"),
    [
        ("see http://a.example/x, or www.b.example.", ("http://a.example/x", "www.b.example")),
        ("(https://a.example/x_(y)) HTTPS://B.example/!", ("https://a.example/x_(y)", "HTTPS://B.example/")),
        ("http://a.example,http://b.example", ("http://a.example", "http://b.example")),
        ("<a href='http://www.a.example/'>www.a.example</a> https://a.example", ("http://www.a.example/",)),
        ("http://a<b></b>.example", ("http://a.example",)),
        ("http&#58;//a.example", ("http://a.example",)),
        ("b http://b.example <a href=http://a.example>a</a> http://c.example",
         ("http://b.example", "http://a.example", "http://c.example")),
        ("<img src='http://a.example'><script src=http://b.example></script>",
         ("http://a.example", "http://b.example")),
        ("<b onclick='location=\"http://a.example\"'>x</b>", ("http://a.example",)),
        ("a.b.example and www. and http:// and www... and awww.x", ()),
        ("http://a.example\nhttp://b.example", ("http://a.example", "http://b.example")),
        ("http://a.example/A http://a.example/a", ("http://a.example/A", "http://a.example/a")),
    ],
)  # fmt: skip
def test_links_are_found_wherever_they_stand(content: str, links: tuple[str, ...]) -> None:
    assert BLOGGER.render(content).links == links
    assert set(STRIP.render(content).links) == set(links)


def test_addresses_become_links_only_where_the_site_asks() -> None:
    content = "see http://a.example/x. <code>http://b.example</code> www.c.example & more"
    assert Reader(BASIC.render(content)).tags == [("code", {})]
    page = HtmlPolicy(HtmlRules(preset="basic", autolink=True)).render(content)
    link = f'<a href="http://a.example/x" {REL}>http://a.example/x</a>'
    assert page.html.startswith(f"see {link}. <code>http://b.example</code> www.")
    assert page.changes == (Change("tag", "a", "added"),)


@pytest.mark.parametrize(
    ("href", "text", "masked"),
    [
        ("https://evil.example", "https://bank.example/login", True),
        ("https://evil.example", "www.bank.example", True),
        ("https://evil.example", "bank.com", True),
        ("https://evil.example/bank.com", "bank.com", True),
        ("https://bank.com.evil.example", "bank.com", True),
        ("https://www.bank.com/x", "bank.com", False),
        ("https://login.bank.com/x", "bank.com", False),
        ("https://bank.com/x", "see <b>http://bank.com</b>/y", False),
        ("https://nodejs.example", "Node.js", False),
        ("https://x.example", "click here", False),
    ],
)
def test_a_link_that_reads_as_another_place_is_flagged(href: str, text: str, masked: bool) -> None:
    content = f'<a href="{href}">{text}</a>'
    page = BLOGGER.render(content)
    assert bool(page.problems) is masked
    assert f'href="{href}"' in page.html
    assert HtmlPolicy(HtmlRules(masked_links="allow")).render(content).problems == ()


def test_a_masked_link_is_named_in_the_problem() -> None:
    page = BLOGGER.render('<a href="https://evil.example/x">https://www.bank.example</a>')
    assert page.problems == ("A link reads bank.example but leads to evil.example.",)


def test_text_must_match_keeps_links_that_say_where_they_lead() -> None:
    policy = HtmlPolicy(HtmlRules(masked_links="text-must-match"))
    page = policy.render("<a href='http://a.example/'>www.a.example</a> <a href=http://b>x</a>!")
    assert page.html == f'<a href="http://a.example/" {REL}>www.a.example</a> x!'
    assert page.links == ("http://a.example/", "http://b")
    assert page.changes == (Change("tag", "a", "removed"),)


# Lines


@pytest.mark.parametrize(
    ("line_breaks", "expected"),
    [
        ("none", "a\nb\n\n<b>c\n\n\nd</b>"),
        ("br", "a<br>b<br><br><b>c<br><br><br>d</b>"),
        ("p", "<p>a<br>b</p><p><b>c</b></p><p><b>d</b></p>"),
    ],
)
def test_line_breaks_are_what_the_site_makes_of_them(line_breaks: Any, expected: str) -> None:
    policy = HtmlPolicy(HtmlRules(line_breaks=line_breaks))
    assert html("\n  \na\r\nb\n \r<b>c\n\n\n\n\nd</b>\n", policy) == expected


def test_a_typed_br_is_a_line_break_where_it_is_allowed() -> None:
    assert html("a<br>b<br/>c") == "a&lt;br&gt;b&lt;br/&gt;c"
    assert html("a<br>b<BR/>c", HtmlPolicy(HtmlRules(extra_tags=["br"]))) == "a<br>b<br>c"


@given(st.text(st.sampled_from("ab ü\n\r\t>\"'*"), max_size=40))
def test_plain_text_takes_the_short_way_to_the_same_page(content: str) -> None:
    for policy in POLICIES:
        long_way = policy.render("\x00" + content)
        assert policy.render(content).html == long_way.html
        assert policy.render(content).links == long_way.links


# Characters


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\x00b\x07c\x7fd\x9fe", "abcde"),
        ("<b\x00>x</b>", "<b>x</b>"),
        ("a\ud800b\udfffc", "abc"),
        ("\ufeffa\ufffe\uffff", "a"),
        ("abc\u202etxt.exe\u202c", "abctxt.exe"),
        ("שלום \u2067x\u2069", "שלום \u2067x\u2069"),
        ("👩\u200d🚀 می\u200cشد", "👩\u200d🚀 می\u200cشد"),
        ("a\u2066b", "ab"),
    ],
)
def test_characters_that_no_page_should_hold_are_dropped(content: str, expected: str) -> None:
    assert html(content) == expected


# The report


def test_changes_say_what_happened_and_how_often() -> None:
    page = BLOGGER.render(
        "<img src=x><IMG src=y> <font>z</font> a < b < c <b onclick=x>d</b onclick> <i>e\x00"
        "<a href='ftp://x'>f</a> </em>"
    )
    assert set(page.changes) == {
        Change("text", "invisible character", "removed", 1),
        Change("tag", "img", "escaped", 2),
        Change("tag", "font", "escaped", 1),
        Change("text", "<", "escaped", 3),
        Change("attribute", "onclick", "removed", 1),
        Change("url", "ftp", "removed", 1),
        Change("tag", "em", "removed", 1),
        Change("tag", "i", "closed", 1),
        Change("tag", "b", "closed", 1),
    }


def test_a_script_is_one_change() -> None:
    page = BLOGGER.render("<script>alert(1)</script>")
    assert page.changes == (Change("tag", "script", "escaped", 1),)
    assert STRIP.render("<script>a</script>").changes == (Change("tag", "script", "removed", 1),)


def test_nothing_changed_nothing_reported() -> None:
    page = BLOGGER.render('AT&T: <b>x</b> &lt; "y"\n<a href="http://x.example">z</a>')
    assert page.changes == () and page.problems == ()


def test_the_report_of_a_hostile_comment_stays_short() -> None:
    page = HOLD.render("".join(f"<t{'x' * 100}{n} a{n}=1>" for n in range(500)))
    assert len(page.changes) <= 60 and len(page.problems) <= 60
    assert sum(change.count for change in page.changes) == 500
    assert max(len(change.name) for change in page.changes) <= 40


# The rules


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({}, "You can use some HTML tags: <b>, <strong>, <i>, <em>, <a href>."),
        ({"preset": "text"}, "HTML tags are shown as text."),
        ({"preset": "text", "on_disallowed": "strip"}, "HTML tags are removed."),
        ({"preset": "text", "extra_tags": ["code", "abbr"]},
         "You can use some HTML tags: <code>, <abbr title>."),
    ],
)  # fmt: skip
def test_the_sentence_for_the_form_comes_from_the_rules(rules: Any, sentence: str) -> None:
    assert HtmlPolicy(HtmlRules(**rules)).sentence == sentence


@pytest.mark.parametrize("policy", POLICIES)
def test_every_tag_in_the_sentence_is_kept(policy: HtmlPolicy) -> None:
    for tag in re.findall(r"<(\w+)", policy.sentence):
        content = {"a": "<a href=http://x.example>http://x.example</a>", "li": "<ul><li>x"}
        page = policy.render(content.get(tag, f"<{tag}>x</{tag}>x"))
        assert tag in [kept for kept, _ in Reader(page).tags] or tag == "br"


def test_the_description_is_json_and_says_what_is_enforced() -> None:
    described = json.loads(json.dumps(BASIC.describe()))
    assert described["sentence"] == BASIC.sentence
    assert described["tags"]["a"] == ["href", "title"] and described["tags"]["b"] == []
    assert described["schemes"] == ["http", "https", "mailto"]
    assert described["rel"] == "nofollow ugc noopener"
    assert described["on_disallowed"] == "escape" and described["line_breaks"] == "br"


@pytest.mark.parametrize(
    ("rule", "value", "allowed"),
    [
        ("preset", "wordpress", "text, blogger, basic"),
        ("extra_tags", ["img"], "blockquote"),
        ("extra_tags", "u", "a list of"),
        ("extra_tags", ["ul"], "li together with"),
        ("schemes", ["javascript"], "http, https, mailto"),
        ("on_disallowed", "drop", "escape, strip, hold"),
        ("unbalanced", None, "fix, hold"),
        ("masked_links", "deny", "allow, flag, text-must-match"),
        ("autolink", "yes", "true or false"),
        ("line_breaks", "div", "none, br, p"),
        ("max_depth", 0, "1 to 100"),
        ("max_depth", True, "1 to 100"),
        ("nofollow", 1, "true or false"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(rule: str, value: Any, allowed: str) -> None:
    with pytest.raises(ValueError) as refused:
        HtmlRules(**{rule: value})
    message = str(refused.value)
    assert message.startswith(f"{rule}: ") and allowed in message
    assert repr(value[0] if isinstance(value, list) and value != ["ul"] else value)[1:-1] in message


def test_rules_can_be_keys_however_they_were_written() -> None:
    assert hash(HtmlRules(extra_tags=["u", "s", "u"])) == hash(HtmlRules(extra_tags=("s", "u")))


# Safety

XSS = [
    "<script>alert(1)</script>",
    "<script src=//evil.example/x.js></script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<<script>alert(1)//<</script>",
    "<script\x00>alert(1)</script>",
    "<script/x>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<img """><script>alert(1)</script>">',
    "<img/src='x'/onerror=alert(1)>",
    "<img src=x:x onerror\n=alert(1) ",
    "<svg onload=alert(1)>",
    "<svg><script>alert&#40;1)</script>",
    "<svg><a xlink:href=javascript:alert(1)><text y=9>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mi><a href='javascript:alert(1)'>x</a></mi></math>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src onerror=x&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea><a title='</textarea><img src=x onerror=alert(1)>'>",
    "<title><a title='</title><img src=x onerror=alert(1)>'>",
    "<xmp><a title='</xmp><img src=x onerror=alert(1)>'>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<button formaction=javascript:alert(1)>x",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<plaintext><b>x",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java&#x0A;script:alert(1)'>x</a>",
    "<a href='java\x00script:alert(1)'>x</a>",
    "<a href='&#x1;javascript:alert(1)'>x</a>",
    "<a href='\u2028javascript:alert(1)'>x</a>",
    "<a href='jav&NewLine;ascript&colon;alert(1)'>x</a>",
    "<a href='&#0000106&#0000097vascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='https://x.example' onmouseover=alert(1)>x</a>",
    "<a href='https://x.example'onmouseover=alert(1)>x</a>",
    "<a href='https://x.example/\"onmouseover=alert(1) x=\"'>x</a>",
    "<a href=`https://x.example`onmouseover=alert(1)>x</a>",
    "<a href='https://x.example' style='position:fixed;inset:0'>x</a>",
    "<a href='https://x.example' href=javascript:alert(1)>x</a>",
    "<a href=javascript:alert(1) href='https://x.example'>x</a>",
    "<a href='https://x.example' title='\"><script>alert(1)</script>'>x</a>",
    "<a title='--><img src=x onerror=alert(1)>' href=https://x.example>x</a>",
    "<a\thref\n=\n'javascript:alert(1)'>x</a>",
    "<a href='https://x.example' target=_blank rel=opener>x</a>",
    "<a href='view-source:https://x.example'>x</a>",
    "<a href='blob:https://x.example/1'>x</a>",
    "<a href='https:javascript:alert(1)'>x</a>",
    "<b onmouseover=alert(1)>x</b>",
    "<b/onmouseover=alert(1)>x</b>",
    "<b style='background:url(javascript:alert(1))'>x</b>",
    "<b id=location name=cookie class=admin data-x=1>x</b>",
    "<b \x0conclick=alert(1)>x</b>",
    '<b title="<script>alert(1)</script>">x</b>',
    "<b x='>' onclick='alert(1)'>x</b>",
    "<pre><!--</pre><img src=x onerror=alert(1)>-->",
    "<!--><script>alert(1)</script>-->",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version=1?><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&amp;lt;script&amp;gt;",
    "\xbcscript\xbealert(1)\xbc/script\xbe",
    "＜script＞alert(1)＜/script＞",
    "<custom-element onclick=alert(1)>x</custom-element>",
    "<p><button><blockquote>x",
    "<table><a href=https://x.example>1<a href=https://y.example>2",
    "<select><option><b>x</select>",
    "<b><p><b><p><b><p>x",
    "<a href=https://x.example><b><a href=https://y.example></b>x",
]


@pytest.mark.parametrize("payload", XSS)
def test_no_known_attack_gets_past(payload: str) -> None:
    for policy in POLICIES:
        for content in (payload, payload.upper(), f"<b>{payload}", f'<a href="{payload}">x</a>'):
            assert_safe(content, policy)


PIECES = [
    *("<", ">", "</", "/>", '"', "'", "=", "&", ";", "\n", " ", "x", "\t", "/", ":", "\xa0", "-->"),
    *("&amp;", "&lt;", "&#60;", "&#x0;", "\x00", "\u202e", "\ud800", "<!--", "<![CDATA[", "<?x"),
    *("http://x.example", "www.x.example", "javascript:alert(1)", " onclick=x", " href=", "title="),
    *("<a href='http://x.example/?a&b'>", "<a href=https:/x>", "<a href=http://x:99999>", "</a>"),
    *(f"<{tag}>" for tag in CATALOGUE),
    *(f"</{tag}>" for tag in CATALOGUE),
    *(f"<{tag}>" for tag in ("script", "style", "svg", "math", "table", "td", "form", "button")),
    *(f"</{tag}>" for tag in ("script", "style", "svg", "math", "table", "td", "form", "button")),
    *("<textarea>", "<title>", "<noscript>", "<plaintext>", "<template>", "<select>", "<mtext>"),
]
soup = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30).map("".join)


@settings(max_examples=400, deadline=None)
@given(soup)
def test_nothing_but_allowed_markup_comes_out_and_cleaning_it_again_changes_nothing(
    content: str,
) -> None:
    for policy in POLICIES:
        assert_safe(content, policy)
        assert policy.render(content) == policy.render(content)


def without_space(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=300, deadline=None)
@given(soup.filter(lambda content: "&" not in content))
def test_without_tags_every_visible_character_of_a_comment_is_shown(content: str) -> None:
    dropped = (
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff"
        r"\u202a-\u202e\u2066-\u2069]"
    )
    typed = re.sub(dropped, "", content.replace("\r", "\n"))
    shown = Reader(TEXT.render(content)).text
    assert without_space(re.sub(dropped, "", shown)) == without_space(typed)


prose = st.sampled_from(
    ["x", "a < b", "<3", "List<String>", "AT&T", "<x@y.example>", "&", "a<b && c>d"]
)
allowed = st.sampled_from(
    [f"<{end}{tag}>" for tag in ("b", "strong", "I", "em ") for end in ("", "/")]
)
link = st.sampled_from(
    ["<a href='http://x.example'>", "<a href=javascript:x>", "</a>", "<a name=y>"]
)
disallowed = st.sampled_from(
    ["<img src=x>", "<p>", "</p>", "<script>a<b>c</b></script>", "<!-- <b> -->"]
)


@given(st.lists(st.one_of(
    prose.map(lambda text: (text, text)), allowed.map(lambda tag: (tag, "")),
    link.map(lambda tag: (tag, "")), disallowed.map(lambda text: (text, text)),
)))  # fmt: skip
def test_with_tags_all_text_between_them_is_shown(parts: list[tuple[str, str]]) -> None:
    content, text = " ".join(typed for typed, _ in parts), "".join(shown for _, shown in parts)
    assert without_space(seen(content)) == without_space(text)


@given(st.lists(st.tuples(st.sampled_from(range(20)), st.sampled_from([
    "http://s{}.example/", "<a href='https://s{}.example'>x</a>", "<a href=http://s{}.example>x",
    "<img src=http://www.s{}.example>", "<b>www.s{}.example</b>", "(see http://s{}.example).",
    '<a href="https://s{}.example">https://s{}.example</a>', "&lt;http://s{}.example&gt;",
]))))  # fmt: skip
def test_every_link_is_counted_once(sites: list[tuple[int, str]]) -> None:
    content = " ".join(written.replace("{}", str(site)) for site, written in sites)
    for policy in POLICIES:
        links = policy.render(content).links
        hosts = [re.sub(r".*?(s\d+)\.example.*", r"\1", link) for link in links]
        assert sorted(hosts) == sorted({f"s{site}" for site, _ in sites})


class Failing:
    """A cleaner that does what the real one has been seen to do."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure

    def clean(self, markup: str) -> str:
        if self.failure:
            raise self.failure
        return markup + "<b>"


class PanicException(BaseException):
    """As pyo3 derives it."""


@pytest.mark.parametrize("cleaner", [Failing(), Failing(PanicException()), Failing(ValueError())])
def test_where_the_cleaner_fails_all_is_text(
    cleaner: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = HtmlPolicy(HtmlRules())
    monkeypatch.setattr(policy, "_cleaner", cleaner)
    page = policy.render("<b>x</b>\n<a href=http://x.example>\ud800y</a>")
    assert page.html == "&lt;b&gt;x&lt;/b&gt;<br>&lt;a href=http://x.example&gt;y&lt;/a&gt;"
    assert page.changes == (Change("text", "markup", "escaped"),)
    assert page.links == ("http://x.example",)


def test_an_interruption_is_not_taken_for_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = HtmlPolicy(HtmlRules())
    monkeypatch.setattr(policy, "_cleaner", Failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        policy.render("<b>x</b>")


def test_the_cleaner_alone_keeps_nothing_dangerous() -> None:
    for payload in XSS:
        for policy in POLICIES:
            tags = Reader(Page(policy._cleaner.clean(payload))).tags
            assert {tag for tag, _ in tags} <= {*policy.rules.tags, "br", "p", "a"}
            for _, attributes in tags:
                assert attributes.keys() <= {"href", "title", "rel", "target"}
                assert re.match(r"https?://\w", attributes.get("href") or "http://x")


def test_one_policy_serves_many_threads() -> None:
    contents = [f"<b>{n}</b> <a href=http://s{n}.example>x</a> < & <i>" for n in range(400)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(BASIC.render, contents)) == [BASIC.render(c) for c in contents]
