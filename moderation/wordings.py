"""How the reasons are put to the author of a comment: polite, plain, and without a score, a limit
or a blocked word, which would only tell a spammer what to change."""

from __future__ import annotations

from typing import NamedTuple


class Wording(NamedTuple):
    """How a reason is put to the author, and the rule of the site that it rests on."""

    message: str
    rule: str


_FROM_PEOPLE = Wording(
    "Our form could not tell whether a person sent it.",
    "comments are written by people, not by programs",
)
WORDINGS = {
    "spam": Wording(
        "To our automatic check it reads like advertising.",
        "advertising and scams are not published",
    ),
    "abuse": Wording(
        "To our automatic check it reads like an attack on a person or a group.",
        "attacks on a person or a group are not published",
    ),
    "html": Wording(
        "Something in its HTML may not show as you meant it.", "only some HTML is published"
    ),
    "links": Wording(
        "It has more links than we publish unseen.", "comments with many links are looked at first"
    ),
    "off_topic": Wording(
        "It has a link, and we do not see what it has to do with the article.",
        "comments whose links seem to have nothing to do with the article are looked at first",
    ),
    "blocklist": Wording(
        "It has something in it that we always look at first.",
        "some words, names and addresses are looked at first",
    ),
    "duplicate": Wording(
        "We have the same text already; there is no need to send it again.",
        "the same text is published once",
    ),
    "flood": Wording(
        "Several comments came in a short time.",
        "comments that come in quick succession are looked at first",
    ),
    "honeypot": _FROM_PEOPLE,
    "too_fast": _FROM_PEOPLE,
    "language": Wording(
        "Our automatic check does not know its language.",
        "comments that could not be checked are looked at first",
    ),
    "degraded": Wording(
        "Our automatic check was not working when it came.",
        "comments that could not be checked are looked at first",
    ),
}
# What a moderator's label says of a rejected comment.
FOUND = {
    "spam": "A moderator read it and found that it is advertising.",
    "abuse": "A moderator read it and found that it attacks a person or a group.",
}
AGAINST_THE_RULES = "A moderator read it and found that it does not fit our rules."
UNLABELLED = "comments that do not fit the article or this site are not published"
