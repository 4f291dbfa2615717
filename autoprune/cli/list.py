"""`autoprune list`: what ships with autoprune, and the families that packages add."""

from __future__ import annotations

import click

from autoprune.cli.output import wrapped
from autoprune.config import Folder, bundled_names, find_file, read_toml

_KINDS: tuple[tuple[Folder, str], ...] = (
    ("studies", "Studies (autoprune run NAME)"),
    ("search_spaces", "Search spaces"),
    ("cost_models", "Machines (--machine NAME)"),
)


@click.command("list")
def list() -> None:
    """List what is bundled, studies, search spaces, machines, and all families of machines.

    An installed package adds a family by the entry point group autoprune.cost_models.

    \b
    autoprune list
    autoprune show loihi1
    """
    from autoprune.cost.load import FAMILIES, families

    width = max(len(name) for kind, _ in _KINDS for name in bundled_names(kind))
    for kind, heading in _KINDS:
        click.echo(heading)
        for name in bundled_names(kind):
            title = read_toml(find_file(kind, name))["title"]
            click.echo(wrapped(f"  {name:{width}} {title}"))
    click.echo("Families of machines (family = NAME in a machine's file)")
    for name, place in families().items():
        click.echo(f"  {name:{width}} {place if name not in FAMILIES else 'shipped'}")
