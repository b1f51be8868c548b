"""What each row can teach, head by head.

A row teaches only what its corpus was labelled for. In corpora of hate "ok" means "not hate",
and plain insults stand there as ok; in corpora of spam "ok" says nothing of abuse. Corpora of
unknown name, a site's own among them, teach by their labels alone.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moderation.classifier import ABUSE, FINE_LABELS, JUDGING_HEADS
from moderation.weights import HEADS
from training.dataset import Corpus, Row, key

F64 = npt.NDArray[np.float64]

NOTHING = math.nan
"""The target of a head that a row doesn't speak of."""

_HATE = frozenset(
    [
        "dynahate_en",
        "hatexplain",
        "hatemoji_build",
        "toxigen_human_prompts",
        "edos_sexism",
        "gab_hate_corpus",
        "stormfront_vicomtech",
        "de_gahd_adversarial",
        "it_haspeede2020",
        "pt_fortuna2019",
        "zh_cold",
    ]
)
_ALONE_IN_LANGUAGE = frozenset(["it_haspeede2020", "zh_cold"])
"""Of hate, and no corpus of toxicity is in their language: they teach both heads, since one that
never saw a language says anything of it."""
_TRUST = {
    "davidson_tweets": 0.3,
    "fr_mlma": 0.75,
    "goemotions_weak_ok": 0.5,
    "convabuse": 0.5,
    "sms_four_fifths": 0.3,
}
"""Weights below 1 for labels that were seen to be poor or far from comments."""

_NO_SPAM_SEEN = frozenset(
    [
        "nyt_room_for_debate_ok",
        "goemotions_weak_ok",
        "wikipedia_context_toxicity",
        "cmv_ad_hominem",
        "de_germeval2018",
        "es_detoxis_news",
        "pt_toldbr",
        "it_haspeede2020",
        "fr_mlma",
        "zh_cold",
        "ko_korean_hate_speech",
    ]
)
"""Corpora of abuse whose ok rows without a link pass for ham, so that "not English" isn't spam."""
_BORROWED_HAM = 1500
_BORROWED_WEIGHT = 0.5

_FINE: dict[str, str] = {
    # as the corpora write them → ours
    "insult": "insult", "Insult": "insult", "INSULT": "insult", "insult:2/3": "insult",
    "insult:3/3": "insult", "intellectual": "insult", "name_calling": "insult",
    "threat": "threat", "Threat": "threat", "call_for_violence": "threat",
    "identity_attack": "identity_attack", "Identity based Attack": "identity_attack",
    "identity_hate": "identity_attack", "IdentityDirectedAbuse": "identity_attack",
    "racist_homophobic": "identity_attack", "hatespeech": "identity_attack",
    "profanity": "profanity", "Profane/Obscene": "profanity", "obscene": "profanity",
    "PROFANITY": "profanity", "obscene:2/3": "profanity", "obscene:3/3": "profanity",
    "sexual": "sexual", "sex_harassment": "sexual",
}  # fmt: skip
_FINE_CORPORA: Mapping[str, tuple[str, ...]] = {
    # corpora where the absence of a label says that it is not there
    "civil_comments_toxic_spans": ("insult", "threat", "identity_attack", "profanity"),
    "jigsaw_wikipedia_fragments": ("insult", "threat", "identity_attack", "profanity"),
    "pt_toldbr": ("insult", "profanity"),
    "de_germeval2018": ("insult", "profanity"),
    "convabuse": ("sexual",),
    "comments": FINE_LABELS,
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """Targets by head, 0 or 1 or NOTHING, and how much the row weighs."""

    weight: float
    targets: Mapping[str, float] = field(default_factory=dict)

    def target(self, head: str) -> float:
        """0, 1 or NOTHING."""
        return self.targets.get(head, NOTHING)


@cache
def _reviewed() -> dict[str, str]:
    """Rows that stand as ok in a corpus and, read one by one, are spam or abuse after all: their
    keys (hashes of the text) and what they are. They teach that head nothing."""
    with Path(__file__).with_name("reviewed_labels.csv").open(encoding="utf-8") as lines:
        return {line["key"]: line["label"] for line in csv.DictReader(lines)}


def subjects(corpus: Corpus) -> frozenset[str]:
    """What the corpus speaks of: `spam`, `abuse` or both. Its folder says it, else its labels."""
    found = frozenset(corpus.labels) - {"ok"}
    folder = frozenset((corpus.path.parent.name,))
    if folder <= {"spam", "abuse"} and found <= folder:
        return folder
    return found or frozenset(("spam", "abuse"))


def lessons(corpus: Corpus) -> list[Lesson]:
    """What each row of the corpus teaches, in order."""
    about = subjects(corpus)
    borrowed = 0
    taught = []
    reviewed = _reviewed()
    for row in corpus.rows:
        targets = _targets(row, about)
        if row.label == "ok" and (wrong := reviewed.get(key(row.text))):
            targets = {
                head: y for head, y in targets.items() if (head == "spam") != (wrong == "spam")
            }
        lends = corpus.name in _NO_SPAM_SEEN and row.label == "ok" and not has_link(row)
        if lends and borrowed < _BORROWED_HAM:
            targets["spam"] = 0.0
            borrowed += 1
        trust = _TRUST.get(corpus.name, 1.0) * (
            _BORROWED_WEIGHT if "spam" in targets and about == {"abuse"} else 1
        )
        taught.append(Lesson(row.weight * trust, targets))
    return taught


def taught(found: Sequence[Corpus]) -> tuple[list[Row], list[Lesson]]:
    """The rows of all corpora, and what each teaches."""
    return (
        [row for corpus in found for row in corpus.rows],
        [lesson for corpus in found for lesson in lessons(corpus)],
    )


def all_targets(lessons: Sequence[Lesson]) -> F64:
    """For every head: 1, 0, or NaN where the lesson doesn't say. Shape (lessons, heads)."""
    table = [[lesson.target(head) for head in HEADS] for lesson in lessons]
    return np.array(table, np.float64).reshape(-1, len(HEADS))


def verdict_targets(lessons: Sequence[Lesson]) -> dict[str, F64]:
    """For spam and abuse: 1, 0, or NaN where the lesson doesn't say."""
    by_head = {h: np.array([lesson.target(h) for lesson in lessons]) for h in JUDGING_HEADS}
    either = np.fmax(by_head["toxicity"], by_head["hate"])
    return {"spam": by_head["spam"], "abuse": either}


def has_link(row: Row) -> bool:
    """Whether the text holds an address."""
    return "http" in row.text or "www." in row.text


def _targets(row: Row, about: frozenset[str]) -> dict[str, float]:
    targets: dict[str, float] = {}
    if "spam" in about and row.label != "abuse":
        targets["spam"] = float(row.label == "spam")
    if "abuse" in about and row.label != "spam":
        targets.update(_abuse(row))
        targets.update(_fine(row))
    return targets


def _abuse(row: Row) -> dict[str, float]:  # noqa: PLR0911  # a table of corpora
    """Targets of the two heads of abuse: what is rude need not be hateful, nor the reverse."""
    if row.corpus in _HATE:
        heads = ABUSE if row.corpus in _ALONE_IN_LANGUAGE else ("hate",)
        return dict.fromkeys(heads, float(row.label != "ok"))
    if row.label == "ok":
        return dict.fromkeys(ABUSE, 0.0)
    fine = {_FINE.get(label, label) for label in row.fine_labels}
    if row.corpus == "davidson_tweets":
        return {"hate": 1.0} if "hate" in fine else {}
    if row.corpus == "cad_reddit":
        hateful = "identity_attack" in fine
        personal = "PersonDirectedAbuse" in fine
        return {"hate": 1.0} if hateful and not personal else {"toxicity": 1.0}
    if row.corpus == "pt_toldbr" and not {label.split(":")[0] for label in row.fine_labels} - {
        "obscene"
    }:
        return {}  # obscene joking between friends
    if row.corpus == "fr_mlma" and not fine & {"hateful", "abusive", "disrespectful"}:
        return {}
    if row.corpus == "ko_korean_hate_speech":
        return {"toxicity": 1.0, "hate": 1.0} if "hate" in fine else {"toxicity": 1.0}
    identity = "identity_attack" in fine or "hateful" in fine
    others = fine & (set(FINE_LABELS) - {"identity_attack"})
    if identity and not others and row.corpus not in ("civil_comments_toxic_spans",):
        return {"hate": 1.0}
    return {"toxicity": 1.0, "hate": 1.0} if identity else {"toxicity": 1.0}


def _fine(row: Row) -> dict[str, float]:
    if row.label == "ok":
        # hate-only "ok" may be rude: it says nothing of insults or profanity
        heads = ("identity_attack",) if row.corpus in _HATE else FINE_LABELS
        return dict.fromkeys(heads, 0.0)
    present = {_FINE[label] for label in row.fine_labels if label in _FINE}
    if row.corpus in _HATE:
        present.add("identity_attack")
    absent = set(_FINE_CORPORA.get(row.corpus, ())) - present
    return {head: float(head in present) for head in HEADS if head in present | absent}


_RELATED = {
    # copies and samples of the same talk pages; topics cut from other corpora
    "wikipedia": [
        "jigsaw_wikipedia_20k",
        "jigsaw_wikipedia_5k_lower",
        "jigsaw_wikipedia_fragments",
        "wikipedia_context_toxicity",
    ],
    "topics": ["cad_reddit", "goemotions_weak_ok", "hard_negatives_topics"],
    "news": ["civil_comments_toxic_spans", "nyt_room_for_debate_ok", "cmv_ad_hominem"],
    "demos": ["demo_popcorn_unmoderated", "demo_hugoplus_unmoderated"],
    "gahd": ["dynahate_en", "de_gahd_adversarial"],
}
_FAMILY = {name: family for family, names in _RELATED.items() for name in names}
_OURS = frozenset(("comments",))
SEEDS_OF_SPAM = 2.0
"""How much more our own seeds weigh for spam: they hold the kinds that no corpus of spam has."""
_RUDE_OK = frozenset(
    # where rudeness is the tone, or "ok" was never asked of abuse: no measure of honest readers
    [
        "reddit_removed_by_mods",
        "convabuse",
        "davidson_tweets",
        "fr_mlma",
        "cad_reddit",
        "cmv_ad_hominem",
        "goemotions_weak_ok",
        "pt_toldbr",
        # read: most of its ok rows that score highest attack women, Muslims or politicians
        "de_uniwue_comments",
    ]
)


def related(corpus: str) -> str | None:
    """The name that related corpora share, so that they are left out together; None for our own
    seeds, whose kinds are by design in no other corpus, so that they are split by rows."""
    return None if corpus in _OURS else _FAMILY.get(corpus, corpus)


def is_ours(corpus: str) -> bool:
    """Whether the corpus is our own seeds."""
    return corpus in _OURS


def is_rude(corpus: str) -> bool:
    """Whether rudeness is the tone of the corpus, or "ok" was never asked of abuse there."""
    return corpus in _RUDE_OK


def honest_for(corpus: str, head: str) -> bool:
    """Whether the ok rows of the corpus are honest comments, to count false holds of a head by."""
    return head == "spam" or (corpus not in _HATE and corpus not in _RUDE_OK)
