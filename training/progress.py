"""The progress of long work, for whoever waits for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import click
from tqdm import tqdm


class Steps(Protocol):
    """Where the progress of long work is shown."""

    def __call__(self, name: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """A step of so many parts; what it gives is called with the parts done."""
        ...


@contextmanager
def steps(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows the progress of a step of long work."""
    # on a terminal a bar; else a line when the step begins
    if not sys.stderr.isatty():
        click.echo(f"{name} …", err=True)
    with tqdm(desc=name, total=total, disable=not sys.stderr.isatty(), file=sys.stderr) as bar:
        yield lambda done: bar.update(done) and None
