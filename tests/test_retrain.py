"""A retrain is one at a time, survives whoever looks at it, and says how it ended."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from moderation import retrain
from moderation.classifier import HEADS, VERDICT_HEADS
from moderation.errors import AlreadyTraining
from moderation.features import WORDS, extract
from moderation.retrain import NotPossible
from moderation.settings import Policy
from moderation.shelf import ModelShelf
from moderation.store import Store, retrains
from moderation.store.retrains import Retrain
from moderation.text import read
from moderation.verdict import Comment, Verdict
from tests.serving import Served, configured
from tests.small_models import installed, zeros

HELD = Verdict("hold", (), {"spam": 0.9, "abuse": 0.1}, "x")
THINGS = (
    "sore back", "bad knee", "old dog", "migraine", "hay fever", "cold hands", "dry eyes",
    "bad sleep", "weak heart", "sour stomach", "stiff neck", "long flight",
)  # fmt: skip
HONEST = (
    "My doctor gave me pills for my {} and they helped at once",
    "Which pills do you take for a {}, and do they help?",
    "I stopped the pills for my {} after a week, they made me dizzy",
    "The pills that the article names did nothing for my {}",
)
ADVERT = "Casino bonus: win cash for your {} tonight, pills at half price, click my profile"


def wary_of_pills(folder: Path) -> None:
    """An active model that holds whatever speaks of pills."""
    arrays = zeros(-4.0)
    features = extract([read(Comment("pills"))])
    bucket = features.buckets[WORDS, features.word_at[0]]
    arrays["weights"][bucket, HEADS.index("spam")] = 127
    arrays["scale"][:] = 0.6
    thresholds = {head: [[0.0001, 0.9], [0.5, 0.5]] for head in VERDICT_HEADS}
    installed(folder, "wary-1", arrays, thresholds=thresholds)
    (folder / "active.json").write_text(json.dumps({"history": ["wary-1"]}), encoding="utf-8")


def ended(store: Store) -> Retrain:
    deadline = time.monotonic() + 240
    while (newest := store.retrains.newest()[0]).state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return newest


def label(store: Store, policy: Policy, *texts: str, label: Any = "ok") -> None:
    decision: Any = "publish" if label == "ok" else "reject"
    for text in texts:
        (kept,) = store.record(policy, [Comment(text)], [HELD])
        store.review("blog", kept.id, decision, label)


def test_what_moderators_publish_as_ok_is_published_after_a_retrain(
    tmp_path: Path, database_url: str
) -> None:
    """The loop: post → hold → publish as ok → retrain → the same kind of comment is published."""
    wary_of_pills(tmp_path / "models")
    texts = [line.format(thing) for line in HONEST for thing in THINGS]
    unseen, seen = texts[::9], [text for text in texts if text not in texts[::9]]
    with Served(tmp_path, database=database_url) as served:

        def post(text: str) -> Any:
            return served.call("POST", "/v1/comments", {"content": text}).json

        def review(comment_id: str, **word: str) -> None:
            path = f"/v1/comments/{comment_id}/review"
            assert served.call("POST", path, word).status == 200

        for text in seen:
            answer = post(text)
            assert answer["decision"] == "hold", text
            review(answer["id"], decision="publish", label="ok")
        for thing in THINGS:
            answer = post(ADVERT.format(thing))
            review(answer["id"], decision="reject", label="spam")

        store = Store.open(database_url)
        retrain.start(store.retrains, configured(tmp_path, database=database_url), "key-1")
        made = ended(store)
        assert (made.state, made.problem, made.by) == ("done", "", "key-1")
        assert made.labels == len(seen) + len(THINGS)
        assert "each judged by a model that did not see it" in made.report
        assert str(tmp_path) not in made.report
        assert made.version is not None
        assert store.retrains.lineages()[made.version].labels == made.labels
        assert post(unseen[0])["decision"] == "hold", "nothing changes until it is activated"

        assert served.call("POST", f"/v1/models/{made.version}/activate").status == 200
        for text in unseen[1:]:
            assert post(text)["decision"] == "publish", text
        store.close()


@pytest.fixture
def wary(tmp_path: Path) -> Path:
    wary_of_pills(tmp_path / "models")
    return tmp_path


def test_one_at_a_time_over_all_workers(database_url: str) -> None:
    stores = [Store.open(database_url) for _ in range(4)]

    def begin(store: Store) -> str:
        try:
            return store.retrains.begin("")
        except AlreadyTraining:
            return ""

    with ThreadPoolExecutor(len(stores)) as pool:
        begun = [one for one in pool.map(begin, stores) if one]
    assert len(begun) == 1
    stores[0].retrains.failed(begun[0], "enough")
    assert begin(stores[1])
    for store in stores:
        store.close()


def test_one_that_gives_no_sign_of_life_has_failed_and_another_may_begin(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = store.retrains.begin("")
    later = time.time() + retrains._DEAD + 1
    monkeypatch.setattr(retrains.time, "time", lambda: later)
    (found,) = store.retrains.newest()
    assert (found.state, "no sign of life" in found.problem) == ("failed", True)
    store.retrains.begin("")
    store.retrains.alive(begun, "Teaching")
    assert [one.state for one in store.retrains.newest()].count("running") == 2, "it was alive"


def test_a_killed_one_is_shown_as_failed_at_once(
    store: Store, policy: Policy, wary: Path, database_url: str
) -> None:
    label(store, policy, "a fine day")
    begun = retrain.start(store.retrains, configured(wary, database=database_url), "")
    folder = retrain._folder(begun)
    while not folder.exists():
        assert store.retrains.newest()[0].state == "running"
        time.sleep(0.01)
    (process,) = [p for p in psutil.Process().children() if begun in p.cmdline()]
    process.send_signal(signal.SIGKILL)
    found = ended(store)
    assert not folder.exists(), "the labels are not left lying about"
    assert (found.state, found.version) == ("failed", None)
    assert "signal 9" in found.problem
    store.retrains.begin("")


def test_what_training_refuses_is_told_without_a_word_of_a_comment(
    store: Store, policy: Policy, wary: Path, database_url: str
) -> None:
    label(store, policy, "my private words")
    retrain.start(store.retrains, configured(wary, database=database_url), "")
    found = ended(store)
    assert found.state == "failed"
    assert "every row is 'ok'" in found.problem
    assert "private" not in found.problem
    assert os.sep not in found.problem.replace("and/or", "")
    assert ModelShelf(wary / "models").active_version() == "wary-1"


def test_without_labels_there_is_nothing_to_learn(store: Store, wary: Path) -> None:
    with pytest.raises(NotPossible, match="nothing to learn"):
        retrain.start(store.retrains, configured(wary), "")


def test_where_training_is_not_installed_it_says_so(
    store: Store, wary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert retrain.impossible() == ""
    monkeypatch.setattr(retrain, "find_spec", lambda name: None)
    with pytest.raises(NotPossible, match="`training` is not installed"):
        retrain.start(store.retrains, configured(wary), "")
    assert store.retrains.newest() == []
