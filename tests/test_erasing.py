"""Erasing: an author is gone with everything, and models that learned from them say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from moderation.settings import Policy
from moderation.store import Store
from moderation.store.lineage import Lineage, record
from moderation.store.tables import metadata
from moderation.verdict import Author, Comment, Verdict
from tests.serving import Served, write_model

ANN = Author("Ann Ö'Hara", "Ann@Example.org", "https://ann.example", "192.0.2.7", id='us"er%7')
HELD = Verdict("hold", (), {"spam": 0.9, "abuse": 0.1}, "x")

Keep = Callable[..., str]


@pytest.fixture
def keep(store: Store, policy: Policy) -> Keep:
    def kept(text: str, author: Author = ANN) -> str:
        return store.record(policy, [Comment(text, author)], [HELD])[0].id

    return kept


def everything(database_url: str) -> str:
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        found = {t.name: connection.execute(sa.select(t)).all() for t in metadata.sorted_tables}
    engine.dispose()
    return repr(found)


def left(store: Store) -> list[str]:
    return [one.comment.content for one in store.queue("blog", order="oldest").comments]


@pytest.mark.parametrize(
    "known",
    [Author(id='us"er%7'), Author(email=" ann@example.ORG"), Author(name="ann ö'hara")],
    ids=["id", "email", "name"],
)
def test_an_author_is_erased_by_one_fact(
    store: Store, keep: Keep, database_url: str, known: Author
) -> None:
    mine = [keep(f"number {n} of mine") for n in range(3)]
    keep("another's", Author("Ann O'Hara", "joann@example.org", id="user%7"))
    keep("no name", Author())
    store.review("blog", mine[0], "reject", "spam", note="about Ann")
    assert store.erasing.author("blog", known) == 3
    assert left(store) == ["another's", "no name"]
    told = everything(database_url)
    for trace in ("of mine", "Hara's", "Ann@Example.org", "about Ann", mine[0]):
        assert trace not in told
    assert list(store.labels()) == []
    assert store.erasing.author("blog", known) == 0


def test_an_address_finds_those_of_whom_nothing_surer_is_known(store: Store, keep: Keep) -> None:
    keep("only an address", Author("Bob", ip="192.0.2.9"))
    keep("an address and more", Author("Bob", "bob@example.org", ip="192.0.2.9"))
    assert store.erasing.author("blog", Author(ip="192.0.2.9")) == 1
    assert left(store) == ["an address and more"]


def test_an_author_of_another_site_stays(store: Store, keep: Keep) -> None:
    keep("mine")
    assert store.erasing.author("news", ANN.__class__(id=ANN.id)) == 0
    assert left(store) == ["mine"]


def test_erasing_marks_the_models_that_learned_from_the_comment(store: Store, keep: Keep) -> None:
    first, second, third = keep("first"), keep("second"), keep("third")
    record(store._database, "m1", "shipped", [first, second])
    record(store._database, "m2", "m1", [second, third])
    record(store._database, "m3", "shipped", [third])
    assert store.retrains.lineages() == {
        "m1": Lineage("m1", 2, 0),
        "m2": Lineage("m2", 3, 0),
        "m3": Lineage("m3", 1, 0),
    }
    store.erase("blog", first)
    marked = {v: lineage.erased for v, lineage in store.retrains.lineages().items()}
    assert marked == {"m1": 1, "m2": 1, "m3": 0}, "m2 knows it by way of m1"
    record(store._database, "m4", "m2", [second, third])
    assert store.retrains.lineages()["m4"] == Lineage("m4", 3, 1)


def test_what_was_erased_while_a_model_was_trained_on_it_marks_it_too(
    store: Store, keep: Keep
) -> None:
    first, second = keep("first"), keep("second")
    store.erase("blog", first)
    record(store._database, "m1", None, [first, second])
    assert store.retrains.lineages()["m1"] == Lineage("m1", 2, 1)
    record(store._database, "m1", None, [second])
    assert store.retrains.lineages()["m1"] == Lineage("m1", 2, 1), "the same model again"


def test_over_http_an_author_is_named_in_the_body(tmp_path: Path) -> None:
    write_model(tmp_path / "models")
    with Served(tmp_path) as served:
        for text in ("cheap pills", "a fine day"):
            sent = {"content": text, "author": {"email": "ann@example.org"}}
            assert served.call("POST", "/v1/comments", sent).status == 200
        for wrong in ({}, {"email": ""}, {"email": "a@b.c", "id": "7"}, {"url": "x"}):
            refused = served.call("DELETE", "/v1/authors", wrong)
            assert refused.status == 422, refused.body
        found = served.call("DELETE", "/v1/authors", {"email": "Ann@example.org"})
        assert (found.status, found.json) == (200, {"erased": 2})
        assert served.call("GET", "/v1/comments").json["comments"] == []
        assert "ann@" not in served.log().lower()
