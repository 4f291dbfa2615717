"""`autoprune front`: the fronts of a run, on its own machines or on one that it never saw."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--machine", help="Name or TOML file; default: every machine of the run.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document each.")
@click.option("--csv", "as_csv", is_flag=True, help="For machines: the front's rows.")
def front(run: Path, machine: str | None, *, as_json: bool, as_csv: bool) -> None:
    """Print the front of a run, also on a machine that the run never saw.

    RUN is a run folder. Recorded workloads are priced anew; nothing is trained.

    \b
    autoprune front runs/digits
    autoprune front runs/digits --machine my_chip.toml --csv
    """
    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")
    from rich.console import Console

    from autoprune.cost.load import load_machine
    from autoprune.report.files import to_csv, to_json
    from autoprune.report.front import machine_front
    from autoprune.report.tables import front_table
    from autoprune.run_folder import RunFolder

    folder = RunFolder(run)
    shape = folder.shape
    if machine is None:
        models = [load_machine(str(file)) for file in sorted(folder.machines.glob("*.toml"))]
    else:
        models = [load_machine(machine)]
    outcomes, baselines = folder.read_trials(), folder.read_baselines()
    console = Console()
    for model in models:
        found = machine_front(outcomes, baselines, model, shape)
        if as_json:
            click.echo(to_json(found))
        elif as_csv:
            click.echo(to_csv(found), nl=False)
        else:
            console.print(front_table(found))
            console.print()
