"""Shared fixtures: real settings, a real database file, and a model small enough to foresee."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import hypothesis
import pytest
import sqlalchemy as sa

from moderation import settings
from moderation.classifier import Assessment
from moderation.settings import Policy
from moderation.store import Store
from moderation.store.tables import metadata
from moderation.verdict import Comment, Language, Span
from tests import postgres
from tests.browser import browser
from tests.serving import write_model

__all__ = ["browser"]  # a fixture for all tests

# How fast an example runs is the machine's affair, not the code's.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("here")


def pytest_configure() -> None:
    """Tests that are run in the background ignore Ctrl-C, and so would what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class WordModel:
    """Reads "pills" as spam, "idiot" as abuse, and no Cyrillic."""

    version = "words-1"
    words: ClassVar = {"spam": "pills", "abuse": "idiot"}

    def assess(self, comments: Sequence[Comment]) -> list[Assessment]:
        return [self._assess(comment.content) for comment in comments]

    def explain(self, comment: Comment, head: str) -> tuple[Span, ...]:
        word = self.words[head]
        start = comment.content.find(word)
        return (Span(start, start + len(word), word, 2.5),) if start >= 0 else ()

    def threshold(self, head: str, promise: float) -> float:
        return 1 - promise

    def _assess(self, content: str) -> Assessment:
        scores = {head: 0.999 if word in content else 0.01 for head, word in self.words.items()}
        foreign = any("а" <= letter <= "я" for letter in content)
        judged = frozenset() if foreign else frozenset(self.words)
        language = Language("ru" if foreign else "en", evaluated=not foreign)
        return Assessment(scores, language, judged)


@pytest.fixture
def model() -> WordModel:
    return WordModel()


@pytest.fixture
def policy() -> Policy:
    """The rules of a site that has set nothing."""
    return settings.load({}).policy("blog")


@contextmanager
def behind(database_url: str) -> Iterator[sa.Connection]:
    """The database, behind the store's back."""
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model, the active one, for those that only read it."""
    folder = tmp_path_factory.mktemp("models")
    write_model(folder)
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole run."""
    with postgres.server(postgres.programs()) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'new' / 'comments.db').as_posix()}"
    url: str = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store.open(database_url)
    yield opened
    opened.close()
