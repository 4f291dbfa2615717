"""`autoprune trial`: one trial of a run, explained."""

from __future__ import annotations

import json
from pathlib import Path

import click

from autoprune.cli import complete
from autoprune.cli.options import PATH, import_option
from autoprune.cli.output import wrapped


@click.command()
@click.argument("run", type=PATH)
@click.argument("trial", shell_complete=complete.trials)
@click.option("--json", "as_json", is_flag=True, help="All of it, for scripts.")
@import_option
def trial(run: Path, trial: str, *, as_json: bool, imports: bool) -> None:
    """Explain one trial: its plan, scores, energies, how it was proposed, why it failed.

    TRIAL is a number, or a baseline: parent, fine-tuned, "without blocks.0.mlp".

    \b
    autoprune trial runs/digits 40
    autoprune trial runs/digits fine-tuned --json
    """
    from autoprune.api import open_run

    found = open_run(run, imports=imports).trial(trial)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1))
        return
    from autoprune.report.tables.trial import VERBATIM, trial_lines

    for line in trial_lines(found):
        click.echo(line if line.startswith(VERBATIM) else wrapped(line))
