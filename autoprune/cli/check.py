"""`autoprune check`: whether a machine, a search space, a study or a method is correct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoprune.cli import complete
from autoprune.cli.options import import_option
from autoprune.cli.output import wrapped

if TYPE_CHECKING:
    from autoprune.config import Verdict


@click.command()
@click.argument("file", shell_complete=complete.anything)
@import_option
@click.option(
    "--recipe",
    is_flag=True,
    help="Of a study: train at its learning rates and around them; imports as `run` does.",
)
def check(file: str, *, imports: bool, recipe: bool) -> None:
    """Check what you wrote: a machine, a search space, a study, or a method to compress.

    A machine is tried on small workloads: every rule that machines obey is printed, with a
    counterexample where it is broken (autoprune.cost.contract). A machine of a class of your own
    (module:Class) is tried with --import alone, since importing a module runs it.
    The learning rates of a study's fine-tuning are tried with --recipe: the trainings by which a
    run chooses those that are left out, at its own rates and around them. One that is worse than
    the best outside both 95 % intervals is an error.
    A method, itself a module:Class, is tried on a small network: every law that methods obey is
    printed, and what breaks it (autoprune.trial.method_contract).

    \b
    autoprune check my_chip.toml
    autoprune check digits --recipe
    autoprune check wide_chip.toml --import
    autoprune check my_module:MyMethod
    """
    from autoprune import api

    found = api.check(file, imports=imports or recipe, watch=_print)
    for correct in found:
        click.echo(f"{correct.what}: a correct {correct.kind}")
    if recipe:
        studies = [correct.what for correct in found if correct.kind == "study"]
        if not studies:
            raise click.UsageError(f"--recipe of a study, which {file} is not")
        _try_rates(studies[0])


def _try_rates(study: str) -> None:
    """Print what trainings say of a study's learning rates; InputError where one is behind."""
    from autoprune import api
    from autoprune.cli.console import plain_console
    from autoprune.report.tables.recipe import recipe_table

    console = plain_console()
    with console.status("", spinner="line") as status:
        found = api.try_rates(
            study, watch=lambda done, total: status.update(f"training {done} of {total}")
        )
    console.print(recipe_table(found))
    found.refuse_behind(study)


def _print(verdict: Verdict) -> None:
    click.echo(wrapped(f"  {verdict.word:6}  {verdict.rule}", 8))
    if said := verdict.counterexample or verdict.note:
        click.echo(wrapped(f"{'':10}{said}", 0))
