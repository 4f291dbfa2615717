"""`autoprune check`: whether a machine, a search space, a study or a method is correct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoprune.cli.options import import_option

if TYPE_CHECKING:
    from autoprune.config import Verdict


@click.command()
@click.argument("file")
@import_option
def check(file: str, *, imports: bool) -> None:
    """Check what you wrote: a machine, a search space, a study, or a method to compress.

    A machine is tried on small workloads: every rule that machines obey is printed, with a
    counterexample where it is broken (autoprune.cost.contract). A machine of a class of your own
    (module:Class) is tried with --import alone, since importing a module runs it.
    A method, itself a module:Class, is tried on a small network: every law that methods obey is
    printed, and what breaks it (autoprune.trial.method_contract).

    \b
    autoprune check my_chip.toml
    autoprune check wide_chip.toml --import
    autoprune check my_module:MyMethod
    """
    from autoprune import api

    for correct in api.check(file, imports=imports, watch=_print):
        click.echo(f"{correct.what}: a correct {correct.kind}")


def _print(verdict: Verdict) -> None:
    click.echo(f"  {verdict.word:6}  {verdict.rule}")
    if verdict.counterexample or verdict.note:
        click.echo(f"          {verdict.counterexample or verdict.note}")
