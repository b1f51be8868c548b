"""Each check alone: what it holds, what it lets pass, and the sentence it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from moderation import checks
from moderation.checks import (
    blocklist,
    classifier,
    duplicate,
    flood,
    honeypot,
    html,
    language,
    links,
    off_topic,
    too_fast,
)
from moderation.checks.case import Case, Check, per_case
from moderation.checks.trust import trusted, unless_trusted, unless_trusted_words
from moderation.classifier import Assessment
from moderation.html_policy import HtmlPolicy
from moderation.settings import Policy
from moderation.verdict import Article, Author, Comment, Finding, Form, Language, Page, Span
from tests.conftest import WordModel


class Counts:
    """A history that has seen everything so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked: list[float] = []

    def same_text(self, comments: Sequence[Comment], seconds: float) -> list[int]:
        self.asked.append(seconds)
        return [self.times] * len(comments)

    by_author = same_text


def case(comment: Comment | str, policy: Policy, **known: object) -> Case:
    """The case of a comment as the moderator would make it."""
    comment = Comment(comment) if isinstance(comment, str) else comment
    read = Case(
        comment=comment,
        page=HtmlPolicy(policy.html).render(comment.content),
        assessment=WordModel().assess([comment])[0],
        policy=policy,
    )
    return replace(read, **known)  # type: ignore[arg-type]


def say(check: Check, *cases: Case) -> list[list[str]]:
    return [[finding.message for finding in findings] for findings in check(cases)]


# ------------------------------------------------------------------ the shape of a check


def test_a_judge_of_one_case_becomes_a_check_of_a_batch(policy: Policy) -> None:
    check = per_case(lambda case: (Finding("html", case.comment.content),))
    assert say(check, case("a", policy), case("b", policy)) == [["a"], ["b"]]


def test_a_lifted_check_does_not_even_see_trusted_authors(policy: Policy) -> None:
    check = unless_trusted(lambda cases: [(Finding("html", c.comment.content),) for c in cases])
    batch = [
        case(Comment(text, Author(trusted=trusted)), policy)
        for text, trusted in [("a", True), ("b", False), ("c", True), ("d", False)]
    ]
    assert say(check, *batch) == [[], ["b"], [], ["d"]]


def test_every_check_answers_an_empty_batch(model: WordModel) -> None:
    assert all(list(check([])) == [] for check in checks.build(model))


def test_a_trusted_author_is_held_for_abuse_and_blocked_words_only(
    policy: Policy, model: WordModel
) -> None:
    strict = replace(policy, block_words=("badword",), max_links=0)
    content = "idiot badword http://a.example http://b.example"
    held = {}
    for known in (True, False):
        comment = Comment(content, Author(id="7", trusted=known), form=Form(seconds=0.1))
        busy = case(comment, strict, history=Counts(99))
        findings = [found for check in checks.build(model) for found in check([busy])[0]]
        held[known] = [found.code for found in findings if found.holds]
    assert held[True] == ["abuse", "blocklist"]
    assert held[False] == ["abuse", "blocklist", "links", "too_fast", "duplicate", "flood"]


# ------------------------------------------------------------------ html, links, form


def test_html_says_what_the_policy_found(policy: Policy) -> None:
    page = Page("x", problems=("<img> is not allowed.", "Nested too deeply."))
    assert say(html.judge, case("x", policy, page=page), case("x", policy)) == [
        ["<img> is not allowed. Nested too deeply."],
        [],
    ]


@pytest.mark.parametrize(
    "content",
    ["  \n ", "\u200b\u200d\u2060", "<script>alert(1)</script>", "<p> </p>", "&nbsp;&#8203;",
     '<a href="http://pills.example"></a>', "<b>\u3164</b><i></i>"],
)  # fmt: skip
def test_html_holds_a_comment_of_which_nothing_shows(policy: Policy, content: str) -> None:
    stripping = replace(policy.html, on_disallowed="strip")
    page = HtmlPolicy(stripping).render(content)
    assert say(html.judge, case(content, policy, page=page))[0][0].startswith("Nothing of it")


@pytest.mark.parametrize(
    "content", ["x", "\U0001f44d", "<b>.</b>", " <i> \n</i>!", "&lt;", "&amp;"]
)
def test_html_publishes_whatever_shows(policy: Policy, content: str) -> None:
    assert say(html.judge, case(content, policy)) == [[]]


@pytest.mark.parametrize(
    ("count", "limit", "said"),
    [
        (0, 0, []),
        (2, 2, []),
        (3, 2, ["Holds 3 links; this site allows 2."]),
        (1, 0, ["Holds 1 link; this site allows none."]),
    ],
)
def test_links_holds_from_one_more_than_the_site_allows(
    policy: Policy, count: int, limit: int, said: list[str]
) -> None:
    content = " ".join(f"http://{n}.example" for n in range(count)) or "none"
    assert say(links.judge, case(content, replace(policy, max_links=limit))) == [said]


SPACE = Article(
    title="The telescope that looks back in time",
    text="Astronomers presented the first pictures of the new telescope on Tuesday. They show "
    "galaxies whose light travelled thirteen billion years before a mirror of beryllium gathered "
    "it. Engineers feared that unfolding the sunshield, a film thinner than paper, would fail; "
    "nothing tore. The observatory circles a point beyond the moon where gravity balances, cold "
    "enough for infrared sensors. Scientists expect answers about planets around other stars, "
    "their atmospheres, water vapour and methane. Critics of the budget remain sceptical, since "
    "costs doubled twice during construction and smaller missions were cancelled meanwhile.",
)


@pytest.mark.parametrize(
    ("content", "wanted", "held"),
    [
        ("Cheap handbags, fast delivery, visit http://bags.example today, great prices", True, 1),
        ("Cheap handbags, fast delivery, visit http://bags.example today, great prices", False, 0),
        ("Cheap handbags, fast delivery, every colour, great prices today", True, 0),
        ("More pictures of distant galaxies stand at http://x.example, worth looking", True, 0),
        ("See http://telescope.example/galaxies, brilliant reading, written clearly", True, 1),
        ("Look: http://x.example", True, 0),
    ],
)
def test_off_topic_holds_a_link_without_a_word_of_the_article(
    policy: Policy, content: str, wanted: bool, held: int
) -> None:
    under = case(Comment(content, article=SPACE), replace(policy, hold_off_topic=wanted))
    elsewhere = case(content, replace(policy, hold_off_topic=wanted))
    assert [len(found) for found in off_topic.judge([under, elsewhere])] == [held, 0]


def test_honeypot_holds_what_fills_the_hidden_field(policy: Policy) -> None:
    filled = Comment("x", form=Form(honeypot="http://x.example"))
    assert say(honeypot.judge, case(filled, policy), case("x", policy)) == [
        ["A form field that people cannot see was filled in."],
        [],
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, []),
        (2.0, []),
        (0.81, ["The form was sent after 0.81 seconds; this site expects at least 2."]),
        (0, ["The form was sent after 0 seconds; this site expects at least 2."]),
    ],
)
def test_too_fast_holds_only_where_the_blog_tells_the_seconds(
    policy: Policy, seconds: float | None, said: list[str]
) -> None:
    assert say(too_fast.judge, case(Comment("x", form=Form(seconds=seconds)), policy)) == [said]


# ------------------------------------------------------------------ blocklist

WORDS = {"block_words": ("cialis", "buy  now", "c++")}
NAMES = {"block_names": ("free",)}
EMAILS = {"block_emails": ("Bad@Example.org", "@spam.example")}
URLS = {"block_urls": ("https://www.evil.example/", "shop.example/deals", "EXAMPLE.net")}


@pytest.mark.parametrize(
    ("rules", "comment", "found"),
    [
        (WORDS, Comment("Ask a specialist"), None),
        (WORDS, Comment("Get CIALIS today"), "CIALIS"),
        (WORDS, Comment("ci<b></b>alis"), "cialis"),
        (WORDS, Comment("ci\u200balis"), "cialis"),
        (WORDS, Comment("ｃｉａｌｉｓ"), "cialis"),
        (WORDS, Comment("c\u0456\u0430lis"), "cialis"),  # of Cyrillic letters
        (WORDS, Comment("ci\nalis"), None),
        (WORDS, Comment("you can buy\nnow, or not"), "buy\nnow"),
        (WORDS, Comment("buy nowhere"), None),
        (WORDS, Comment("I write C++."), "C++"),
        (WORDS, Comment("x", Author(name="cialis")), None),
        (NAMES, Comment("x", Author(name="FREE iPhones")), "free"),
        (NAMES, Comment("x", Author(name="Freeman")), None),
        (NAMES, Comment("feel free to ask"), None),
        (EMAILS, Comment("x", Author(email="bad@example.ORG")), "Bad@Example.org"),
        (EMAILS, Comment("x", Author(email="good@example.org")), None),
        (EMAILS, Comment("x", Author(email="any@SPAM.example")), "@spam.example"),
        (EMAILS, Comment("x", Author(email="any@nospam.example")), None),
        (EMAILS, Comment("write to bad@example.org"), None),
        (URLS, Comment("see http://evil.example"), "evil.example"),
        (URLS, Comment("see evil.example."), "evil.example"),
        (URLS, Comment("see https://a.evil.example/x?y=1"), "evil.example"),
        (URLS, Comment("see notevil.example"), None),
        (URLS, Comment("see evil.example.org"), None),
        (URLS, Comment('<a href="HTTPS://WWW.Evil.Example/">x</a>'), "Evil.Example"),
        (URLS, Comment('<a href="http://&#101;vil.example/">x</a>'), "evil.example"),
        (URLS, Comment("http://shop.example/deals/7"), "shop.example/deals"),
        (URLS, Comment("http://shop.example/dealsofhers"), None),
        (URLS, Comment("http://shop.example/"), None),
        (URLS, Comment("x", Author(url="http://www.example.net/me")), "example.net"),
    ],
)
def test_blocklist_matches_whole_things_in_their_own_field(
    policy: Policy, rules: dict[str, tuple[str, ...]], comment: Comment, found: str | None
) -> None:
    blocking = replace(policy, **rules)  # type: ignore[arg-type]
    (messages,) = say(blocklist.judge, case(comment, blocking))
    assert [message.split('"')[1] for message in messages] == ([found] if found else [])


def test_blocklist_says_what_and_where(policy: Policy) -> None:
    blocking = replace(policy, block_words=("pills",))
    ((finding,),) = blocklist.judge([case("cheap Pills, more pills", blocking)])
    assert finding.message == 'The text holds "Pills", which this site blocks.'
    assert finding.spans == (Span(6, 11, "Pills", 0.0), Span(18, 23, "pills", 0.0))


def test_an_empty_entry_blocks_nothing(policy: Policy) -> None:
    blocking = replace(policy, block_words=("\u200b",), block_urls=("https://",))
    assert say(blocklist.judge, case("anything at https://x.example", blocking)) == [[]]


# ------------------------------------------------------------------ trust lists

TRUST_NAMES = {"trust_names": ("Ann  Example",)}
TRUST_EMAILS = {"trust_emails": ("ann@example.org", "@staff.example")}
TRUST_URLS = {"trust_urls": ("https://friend.example/", "big.example/us")}


@pytest.mark.parametrize(
    ("rules", "author", "known"),
    [
        (TRUST_NAMES, Author(name="ann EXAMPLE"), True),
        (TRUST_NAMES, Author(name="Ann Example's cheap pills"), False),
        (TRUST_NAMES, Author(name=""), False),
        (TRUST_EMAILS, Author(email="Ann@Example.org"), True),
        (TRUST_EMAILS, Author(email="new@staff.example"), True),
        (TRUST_EMAILS, Author(email="ann@example.org.evil.example"), False),
        (TRUST_EMAILS, Author(email="new@staff.example.evil.example"), False),
        (TRUST_EMAILS, Author(email=""), False),
        (TRUST_URLS, Author(url="http://www.friend.example/about"), True),
        (TRUST_URLS, Author(url="https://blog.friend.example:8443"), True),
        (TRUST_URLS, Author(url="https://big.example/us/ann"), True),
        (TRUST_URLS, Author(url="https://big.example/used"), False),
        (TRUST_URLS, Author(url="https://evil.example/friend.example"), False),
        (TRUST_URLS, Author(url="https://evil.example?friend.example"), False),
        (TRUST_URLS, Author(url="https://friend.example@evil.example"), False),
        (TRUST_URLS, Author(url="https://friend.example.evil.example"), False),
        (TRUST_URLS, Author(url="https://evil.example\\.friend.example"), False),
        (TRUST_URLS, Author(url=""), False),
        ({"trust_names": ("\u200b",), "trust_urls": ("https://",)}, Author(), False),
        ({}, Author("Ann Example", "ann@example.org", "https://friend.example"), False),
        ({}, Author(trusted=True), True),
    ],
)
def test_whole_names_addresses_and_hosts_are_trusted(
    policy: Policy, rules: dict[str, tuple[str, ...]], author: Author, known: bool
) -> None:
    trusting = replace(policy, **rules)  # type: ignore[arg-type]
    assert trusted(case(Comment("x", author), trusting)) is known


def test_a_listed_author_is_trusted_as_one_whom_the_blog_trusts(
    policy: Policy, model: WordModel
) -> None:
    trusting = replace(policy, trust_emails=("ann@example.org",), block_words=("badword",))
    author = Author(email="ann@example.org")
    comment = Comment("idiot badword http://a.example", author, form=Form(seconds=0.1))
    busy = case(comment, replace(trusting, max_links=0), history=Counts(99))
    findings = [found for check in checks.build(model) for found in check([busy])[0]]
    assert [found.code for found in findings if found.holds] == ["abuse", "blocklist"]


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ("pills for the heart, says my cardiologist", []),
        ("pills for the heart, says my CARDIOLOGIST", []),
        ("pills for the heart, says my cardio<b></b>logist", []),
        ("pills for the heart, say my cardiologists", ["spam"]),
        ("pills, says my cardiologist, you idiot", ["abuse"]),
    ],
)
def test_a_trusted_word_spares_a_text_from_spam_alone(
    policy: Policy, model: WordModel, content: str, held: list[str]
) -> None:
    trusting = replace(policy, trust_words=("cardiologist",))
    check = unless_trusted_words(classifier.judge(model))
    (found,) = check([case(content, trusting)])
    assert [finding.code for finding in found if finding.holds] == held
    assert {finding.code: finding.score for finding in found}["spam"] == 0.999


def test_trusted_links_are_not_counted(policy: Policy) -> None:
    strict = replace(policy, max_links=1, trust_urls=("friend.example",))
    content = "http://friend.example/1 http://a.friend.example http://a.example"
    assert say(links.judge, case(content, strict)) == [[]]
    assert say(links.judge, case(f"{content} http://b.example/friend.example", strict)) == [
        ["Holds 2 links; this site allows 1."]
    ]


def test_the_block_lists_stand_above_the_trust_lists(policy: Policy, model: WordModel) -> None:
    both = replace(policy, trust_words=("pills",), block_words=("pills",))
    findings = [f for check in checks.build(model) for f in check([case("pills", both)])[0]]
    assert [found.code for found in findings if found.holds] == ["blocklist"]


# ------------------------------------------------------------------ history


def test_duplicate_says_how_often_the_text_came(policy: Policy) -> None:
    for times, said in [
        (0, []),
        (1, ["The same text was submitted once before."]),
        (4, ["The same text was submitted 4 times before."]),
    ]:
        history = Counts(times)
        assert say(duplicate.judge, case("x", policy, history=history)) == [said]
        assert history.asked == [policy.duplicate_window]


def test_flood_holds_beyond_the_limit(policy: Policy) -> None:
    for times, holds in [(0, False), (4, False), (5, True), (50, True)]:
        history = Counts(times)
        ((*found,),) = flood.judge([case("x", policy, history=history)])
        assert [finding.code for finding in found] == ["flood"] * holds
        assert history.asked == [policy.flood_window]
    assert found[0].message == "The author sent more than 5 comments within 60 seconds."


@pytest.mark.parametrize("check", [duplicate.judge, flood.judge])
def test_without_history_nothing_is_known_of_earlier_comments(policy: Policy, check: Check) -> None:
    assert say(check, case("x", policy), case("x", policy)) == [[], []]


# ------------------------------------------------------------------ the model


def test_a_score_holds_from_the_threshold_with_the_words_that_made_it(
    policy: Policy, model: WordModel
) -> None:
    judge = classifier.judge(model)
    (spam, abuse), (kind, _) = judge([case("cheap pills", policy), case("hello", policy)])
    assert (spam.code, spam.holds, spam.score) == ("spam", True, 0.999)
    assert spam.message == 'Reads like advertising: "pills".'
    assert spam.spans == (Span(6, 11, "pills", 2.5),)
    assert (abuse.code, abuse.holds, abuse.score, abuse.spans) == ("abuse", False, 0.01, ())
    assert (kind.holds, kind.score) == (False, 0.01)


def test_the_sites_promise_moves_the_threshold(policy: Policy, model: WordModel) -> None:
    judge = classifier.judge(model)
    for promise, holds in [(0.005, True), (0.0001, False)]:
        spam = judge([case("pills", replace(policy, promise=promise))])[0][0]
        assert spam.holds is holds


def test_a_hold_names_the_three_heaviest_things_once_and_cuts_long_ones(policy: Policy) -> None:
    class Wordy(WordModel):
        def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
            texts = [("light", 0.1), ("heavy", 9.0), ("heavy", 8.0), ("for it", -5.0)]
            texts += [("x" * 99, 3.0), ("two\n words", 2.0)]
            return tuple(Span(0, 1, text, weight) for text, weight in texts)

    spam = classifier.judge(Wordy())([case("pills", policy)])[0][0]
    assert spam.message == f'Reads like advertising: "heavy", "{"x" * 59}…", "two words".'


def test_a_hold_without_spans_is_still_a_sentence(policy: Policy) -> None:
    class Mute(WordModel):
        def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
            return ()

    _, abuse = classifier.judge(Mute())([case("idiot", policy)])[0]
    assert abuse.message == "Reads like an attack."


def test_a_language_the_model_does_not_know_gets_scores_that_hold_nothing(
    policy: Policy, model: WordModel
) -> None:
    foreign = case("привет pills", policy)
    assert [(f.score, f.holds) for f in classifier.judge(model)([foreign])[0]] == [
        (0.999, False),
        (0.01, False),
    ]
    ((said,),) = language.judge([foreign])
    assert (said.code, said.holds) == ("language", True)
    assert "(ru)" in said.message


def test_a_site_may_publish_what_was_not_evaluated(policy: Policy) -> None:
    open_site = replace(policy, on_unevaluated="publish")
    unclear = Assessment({"spam": 0.5, "abuse": 0.5}, Language("und", evaluated=False), frozenset())
    ((said,),) = language.judge([case("x", open_site, assessment=unclear)])
    assert not said.holds
    assert said.message == "The language of the text is not clear, so the model did not judge it."


def test_where_the_model_failed_its_checks_leave_the_word_to_the_moderator(
    policy: Policy, model: WordModel
) -> None:
    failed = case("x", policy, assessment=None)
    assert say(classifier.judge(model), failed) == [[]]
    assert say(language.judge, failed) == [[]]
