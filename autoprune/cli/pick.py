"""`autoprune pick`: which network goes on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli.exits import NOTHING_FITS, end
from autoprune.cli.options import PATH, import_option, machine_option
from autoprune.cli.output import waiting

if TYPE_CHECKING:
    from autoprune.report.front.pick import Pick


@click.command()
@click.argument("run", type=PATH)
@machine_option
@click.option("--max-energy-uj", type=float, help="Most energy per inference there, in µJ.")
@click.option("--min-accuracy", type=float, help="Least validation accuracy or score, 0 to 1.")
@click.option("--max-parameters", type=int, help="Most parameters that are not zero.")
@click.option("--knee", is_flag=True, help="The knee of what keeps the limits.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: everything.")
@import_option
def pick(  # noqa: PLR0913 - the options of the command line
    run: Path,
    machine: str,
    max_energy_uj: float | None,
    min_accuracy: float | None,
    max_parameters: int | None,
    *,
    knee: bool,
    as_json: bool,
    imports: bool,
) -> None:
    """Pick one network of a run for a machine; say why, what comes next, how to export it.

    Without limits, or with --knee, the knee of the front: farthest above the line from its cheapest
    to its most accurate member, over the logarithm of energy. With --min-accuracy alone the
    cheapest trial that has it; with other limits the most accurate one that keeps them.

    Exit code 3 where nothing fits; then the limit that binds is named, by how much, and the
    nearest trial.

    \b
    autoprune pick runs/digits --machine loihi1
    autoprune pick runs/digits --machine loihi1 --min-accuracy 0.9
    autoprune pick runs/digits --machine my_chip.toml --max-energy-uj 0.8 --json
    """
    from autoprune.api import open_run

    with waiting("Reading the trials"):
        found = open_run(run, imports=imports).pick(
            machine,
            max_energy_uj=max_energy_uj,
            min_accuracy=min_accuracy,
            max_parameters=max_parameters,
            knee=knee,
        )
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1))
    else:
        _print(found)
    if found.row is None:
        end(NOTHING_FITS)


def _print(found: Pick) -> None:
    from autoprune.cli.console import plain_console
    from autoprune.report.tables.front import pick_table

    console = plain_console()
    if found.row is None:
        console.print(f"{found.machine}: nothing fits", style="bold")
        console.print(found.reason)
        if found.nearest is not None:
            console.print(pick_table([found.nearest]))
        return
    console.print(f"{found.machine}: trial {found.row.trial}", style="bold")
    console.print(f"Reason: {found.reason}")
    for remark in found.remarks:
        console.print(remark)
    if found.fits is not None:
        console.print("It fits." if found.fits == "yes" else f"It does not fit: {found.fits}.")
    console.print(pick_table([found.row]))
    if found.runners_up:
        console.print("Runners-up, nearest on the front first")
        console.print(pick_table(found.runners_up))
    console.print(f"Export: {found.export}", soft_wrap=True)
