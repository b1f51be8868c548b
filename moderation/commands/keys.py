"""moderation keys create | list | revoke."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from moderation.commands.options import configured, site_name
from moderation.store import Store
from moderation.store.keys import ROLES, Keys


@click.group()
def keys() -> None:
    """Create, list and revoke keys of the HTTP API."""


@keys.command()
@click.option("--site", required=True, help="The site that the key belongs to.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What it may do.")
@click.option("--name", default="", help="Whose it is; moderators see it beside what it decided.")
def create(site: str, role: str, name: str) -> None:
    """Create a key and print it: the only time that it is shown."""
    name_of_site = site_name(site)
    known = configured().sites
    with _opened() as stored:
        click.echo(stored.create(name_of_site, role, name))
    if len(known) > 1 and name_of_site not in known:
        click.echo(
            f"No [sites.{name_of_site}] is configured: the general settings apply to it. "
            f"Configured: {', '.join(known)}.",
            err=True,
        )


@keys.command("list")
def list_keys() -> None:
    """List all keys by their ids; the keys themselves are not stored."""
    with _opened() as stored:
        for record in stored.list():
            state = "revoked" if record.revoked else "active"
            when = f"{record.created:%Y-%m-%d}"
            click.echo(
                f"{record.id}  {when}  {state:7}  {record.role:8}  {record.site}  {record.name}"
            )


@keys.command()
@click.argument("which", metavar="ID_OR_KEY")
def revoke(which: str) -> None:
    """Stop a key, from now on."""
    with _opened() as stored:
        record = stored.revoke(which)
    click.echo(f"Revoked {record.id}: {record.role} of site {record.site}.", err=True)


@contextmanager
def _opened() -> Iterator[Keys]:

    store = Store.open(configured().database)
    try:
        yield store.keys
    finally:
        store.close()
