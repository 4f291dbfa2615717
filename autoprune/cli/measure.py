"""`autoprune measure`: time the networks of a run on the computer at hand."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.options import PATH, import_option


@click.command()
@click.argument("run", type=PATH)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--rounds", type=click.IntRange(min=3), default=30, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--name", help="Folder in RUN/measured. Default: the device.")
@import_option
def measure(  # noqa: PLR0913 - the options of the command line
    run: Path, device: str, rounds: int, threads: int, name: str | None, *, imports: bool
) -> None:
    """Time the networks of a run's fronts, and the fine-tuned parent, on the computer at hand.

    Every network has its turn in every round, after a warm-up, one sample at a time and 32; printed
    are medians and quartiles per sample. Where the system shows an energy counter (RAPL of a CPU,
    NVML of a GPU) the energy is measured, too; else it is said why not. The table is kept in
    RUN/measured, and shown by `autoprune front` and `autoprune compare`.

    \b
    autoprune measure runs/digits
    autoprune measure runs/digits --device cuda --name my_gpu
    """
    from rich.progress import Progress

    from autoprune.api import open_run
    from autoprune.cli.console import plain_console
    from autoprune.deploy.measure import Conditions

    console = plain_console()
    conditions = Conditions(device=device, rounds=rounds, threads=threads, name=name)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Measuring", total=None)
        found, folder = open_run(run, imports=imports).measure(
            conditions,
            say=lambda line: console.print(line),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    from autoprune.report.tables.measured import measured_table

    console.print(measured_table(found))
    console.print(f"Saved in {folder}: measured.csv, measured.json", soft_wrap=True)
