"""`autoprune workload`: the workload of a recorded trial as a file."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli import complete
from autoprune.cli.options import FILE, PATH


@click.command()
@click.argument("run", type=PATH)
@click.argument("trial", shell_complete=complete.trials)
@click.option("--weight-bits", type=click.IntRange(2, 64), help="Default: as it is.")
@click.option("--out", type=FILE, required=True, help="JSON file to write.")
def workload(run: Path, trial: str, weight_bits: int | None, out: Path) -> None:
    """Write the workload of a recorded trial to a file.

    TRIAL is a number, or a baseline: parent, fine-tuned, "without blocks.0.mlp". Counted is the
    network as it is, or with --weight-bits as a machine with weights of so many bits has it.

    \b
    autoprune workload runs/digits 17 --weight-bits 8 --out w.json
    autoprune price w.json --machine loihi1
    """
    from autoprune.api import open_run
    from autoprune.files import write_text

    write_text(out, open_run(run).workload(trial, weight_bits).to_json())
    click.echo(f"{out}: workload of trial {trial}")
