"""`autoprune pick`: which network goes on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoprune.cli.options import import_option
from autoprune.cli.output import waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from autoprune.report.front.front import Row
    from autoprune.report.front.pick import Pick

NOTHING_FITS = 3
"""Exit code where no trial keeps the limits."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--machine", metavar="MACHINE", required=True, help="Name or TOML file.")
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
        click.echo(json.dumps(_document(found, run), indent=1))
    else:
        _print(found, run)
    if found.row is None:
        raise click.exceptions.Exit(NOTHING_FITS)


def _export(run: Path, row: Row) -> str:
    """The command that exports a trial."""
    from autoprune.report.front.trial import export_command

    return export_command(run, str(row.trial))


def _document(found: Pick, run: Path) -> dict[str, Any]:
    return {
        "machine": found.machine,
        "trial": found.row and found.row.trial,
        "reason": found.reason,
        "pick": found.row and _values(found.row),
        "export": _export(run, found.row) if found.row else None,
        "runners_up": [_values(row) for row in found.runners_up],
        "binding": found.binding or None,
        "beyond_fraction": found.beyond if found.binding else None,
        "nearest": found.nearest and _values(found.nearest),
    }


def _values(row: Row) -> dict[str, Any]:
    return {
        "trial": row.trial,
        f"val_{row.validation.name}": row.validation.accuracy,
        "val_interval": row.validation.interval,
        f"test_{row.test.name}": row.test.accuracy,
        "energy_uj": row.energy_uj,
        "energy_ratio": row.energy_ratio,
        "parameters": row.parameters,
        "kept_weights": row.kept_weights,
        "plan": row.plan,
    }


def _print(found: Pick, run: Path) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if found.row is None:
        console.print(f"{found.machine}: nothing fits", style="bold")
        console.print(found.reason, markup=False)
        if found.nearest is not None:
            console.print(_table([found.nearest]))
        return
    console.print(f"{found.machine}: trial {found.row.trial}", style="bold")
    console.print(f"Reason: {found.reason}", markup=False)
    console.print(_table([found.row]))
    if found.runners_up:
        console.print("Runners-up, nearest on the front first")
        console.print(_table(found.runners_up))
    console.print(f"Export: {_export(run, found.row)}", markup=False, soft_wrap=True)


def _table(rows: Sequence[Row]) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("trial", "val % [95 %]", "test %", "µJ", "ratio", "parameters", "kept %"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        low, high = row.validation.interval
        table.add_row(
            str(row.trial),
            f"{100 * row.validation.accuracy:.1f} [{100 * low:.0f} {100 * high:.0f}]",
            f"{100 * row.test.accuracy:.1f}",
            f"{row.energy_uj:.3g}",
            f"{row.energy_ratio:.3f}",
            str(row.parameters),
            f"{100 * row.kept_weights:.1f}",
        )
    plans = "\n".join(f"{row.trial:>5}  {row.plan}" for row in rows)
    return Group(table, Text(plans))
