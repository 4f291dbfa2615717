"""`autoprune clean`: remove from a run folder what no front needs."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.options import PATH, import_option
from autoprune.cli.output import megabytes


@click.command()
@click.argument("run", type=PATH)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@import_option
def clean(run: Path, *, dry_run: bool, imports: bool) -> None:
    """Remove from a run folder what no front needs, and say what that frees.

    That is weights of networks off every front, which a run that was killed may leave, and files
    that were being written then, or exports that were. Trials, fronts and the Optuna study stay.

    \b
    autoprune clean runs/digits --dry-run
    """
    from autoprune.api import open_run

    opened = open_run(run, imports=imports)
    found = opened.clean(dry_run=dry_run)
    for file, size in found:
        click.echo(f"{file}  {megabytes(size)}")
    word = "would be freed" if dry_run else "freed"
    freed, left = sum(size for _, size in found), opened.folder.bytes
    click.echo(f"{megabytes(freed)} {word}, {len(found)} files; {run} takes {megabytes(left)}.")
