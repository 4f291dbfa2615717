"""`autoprune front`: the fronts of a run, on its own machines or on one that it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from autoprune.cost.model import CostModel
    from autoprune.run_folder import RunFolder


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--machine", help="Name or TOML file; default: every machine of the run.")
@click.option("--json", "as_json", is_flag=True, help="For machines: everything.")
@click.option("--csv", "as_csv", is_flag=True, help="For machines: the rows of the front.")
def front(run: Path, machine: str | None, *, as_json: bool, as_csv: bool) -> None:
    """Print the front of a run, also on a machine that the run never saw.

    RUN is a run folder. Recorded workloads are priced anew; nothing is trained. A name means the
    run's own copy of that machine where it has one, else the bundled machine.

    With --machine, --json and --csv print what front.json and front.csv hold. Without it there
    is a front per machine: a JSON list, or CSV with the machine as its first column.

    \b
    autoprune front runs/digits
    autoprune front runs/digits --machine my_chip.toml --csv
    """
    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")
    from autoprune.report.front import machine_front
    from autoprune.run_folder import RunFolder

    folder = RunFolder(run)
    shape = folder.shape
    models = _models(folder, machine)
    outcomes, baselines = folder.read_trials(), folder.read_baselines()
    fronts = [machine_front(outcomes, baselines, model, shape, folder.data) for model in models]
    if as_json:
        from autoprune.report.files import to_document

        documents = [to_document(found) for found in fronts]
        click.echo(json.dumps(documents if machine is None else documents[0], indent=1))
    elif as_csv:
        from autoprune.report.files import to_csv

        click.echo(to_csv(fronts, with_machine=machine is None), nl=False)
    else:
        from rich.console import Console

        from autoprune.report.tables import front_table

        console = Console()
        for found in fronts:
            console.print(front_table(found))
            console.print()


def _models(folder: RunFolder, machine: str | None) -> list[CostModel]:
    """The machine that is asked for; or, where none is, all machines of the run."""
    from autoprune.cost.load import load_machine
    from autoprune.errors import RecordError

    copies = {file.stem: str(file) for file in sorted(folder.machines.glob("*.toml"))}
    if machine is not None:
        return [load_machine(copies.get(machine, machine))]
    if not copies:
        raise RecordError(f"{folder.machines}: no machine recorded; name one with --machine")
    return [load_machine(file) for file in copies.values()]
