"""`autoprune list`: what ships with autoprune, and the families that packages add."""

from __future__ import annotations

import click

from autoprune.cli.output import wrapped

_HEADINGS = {
    "study": "Studies (autoprune run NAME)",
    "search space": "Search spaces",
    "machine": "Machines (--machine NAME)",
}


@click.command("list")
def list() -> None:
    """List what is bundled, studies, search spaces, machines, and all families of machines.

    An installed package adds a family by the entry point group autoprune.cost_models.

    \b
    autoprune list
    autoprune show loihi1
    """
    from autoprune import api

    shipped = api.shipped()
    width = max(len(name) for titles in shipped.titles.values() for name in titles)
    for kind, titles in shipped.titles.items():
        click.echo(_HEADINGS[kind])
        for name, title in titles.items():
            click.echo(wrapped(f"  {name:{width}} {title}", width + 1))
    click.echo("Families of machines (family = NAME in a machine's file)")
    for name, place in shipped.families.items():
        click.echo(f"  {name:{width}} {place or 'shipped'}")
