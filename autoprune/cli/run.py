"""`autoprune run`: search compressions of a network and print the front of every machine."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli.options import Duration

if TYPE_CHECKING:
    from rich.console import Console

    from autoprune.sweep.prepare import Prepared
    from autoprune.sweep.progress import Finished

_INTERRUPTED = 130
"""Exit code of a command that Ctrl-C or --time-limit ended before its time, as shells have it."""

_GO_ON = "Interrupted. The same command goes on where it stopped."


@click.command()
@click.argument("study")
@click.option("--trials", type=click.IntRange(min=1), help="Plans to train. Default: the study's.")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Trials at a time; 0 runs in this process, without Ray. Default: the study's.",
)
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Ray cluster to run on. Default: RAY_ADDRESS, else a Ray of its own.",
)
@click.option(
    "--time-limit",
    type=Duration(),
    metavar="TIME",
    help="Begin no more trials after 90s, 30m or 2h; those that run are finished.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Run folder. Default: runs/STUDY.")
@click.option("--dry-run", is_flag=True, help="Check everything, print it, train nothing.")
@click.option("--quiet", is_flag=True, help="Only errors, and at the end one line.")
@click.option("--json-lines", is_flag=True, help="Events for scripts on stdout; words on stderr.")
def run(  # noqa: PLR0913 - the options of the command line
    study: str,
    trials: int | None,
    workers: int | None,
    address: str | None,
    time_limit: float | None,
    out: Path | None,
    *,
    dry_run: bool,
    quiet: bool,
    json_lines: bool,
) -> None:
    """Search compressions of a network; print and save the front of every machine.

    STUDY is the name of a bundled study or a TOML file. The parent network is trained once and
    cached. Running the command again goes on where it stopped; a larger --trials adds more.
    Ctrl-C lets the running trials finish and writes the fronts; once more, it stops at once.

    \b
    autoprune run digits                    the bundled study, results in runs/digits
    autoprune run my_study.toml --out r1    your own
    autoprune run digits --json-lines       events for a script, one JSON object a line
    autoprune run digits --trials 96        48 more, once 48 are done
    autoprune run my_study.toml --address 10.0.0.1:6379     on a Ray cluster that runs
    """
    if quiet and dry_run:
        raise click.UsageError("--quiet or --dry-run, which does nothing but print")
    from rich.console import Console

    console = Console(quiet=quiet, stderr=json_lines)
    with console.status("Asking the cluster", spinner="line"):
        from autoprune.sweep.ray.address import find_address

        address = find_address(address, workers)
    with console.status("Reading the study", spinner="line"):
        from autoprune.sweep.prepare import prepare

        prepared = prepare(study, trials, workers, address)
    for note in prepared.notes:
        console.print(f"Note: {note}", style="yellow", markup=False)
    if prepared.warm is not None:
        console.print(str(prepared.warm), markup=False)
    if dry_run:
        _print_plan(console, prepared)
        return
    from autoprune.cli.json_lines import JsonLines, write_event
    from autoprune.cli.progress import Terminal
    from autoprune.sweep.driver import run as run_study
    from autoprune.sweep.stop import Stop

    folder = out or Path("runs") / Path(study).stem
    _say_what_changed(console, prepared, folder)
    stop = Stop(time_limit, say=lambda text: console.print(text, style="yellow"))
    try:
        if json_lines:
            finished = run_study(prepared, folder, JsonLines(), stop)
        else:
            with Terminal(console) as terminal:
                finished = run_study(prepared, folder, terminal, stop)
    except KeyboardInterrupt as interrupt:
        console.print(_GO_ON, style="yellow")
        raise click.exceptions.Exit(_INTERRUPTED) from interrupt
    _print_result(console, finished, folder)
    if json_lines:
        write_event("finished", folder=str(folder), interrupted=finished.interrupted)
    elif quiet:
        click.echo(f"{folder}: {next(_summary(finished))}")
    if finished.interrupted:
        raise click.exceptions.Exit(_INTERRUPTED)


def _say_what_changed(console: Console, prepared: Prepared, folder: Path) -> None:
    """Of versions, processor, threads and files since the run was last started."""
    from autoprune.runs.folder import RunFolder
    from autoprune.sweep.environment import what_changed

    changed = what_changed(prepared, RunFolder(folder))
    if changed:
        text = "Note: the run goes on under another environment: " + "; ".join(changed) + "."
        console.print(text, style="yellow", markup=False)


def _print_plan(console: Console, prepared: Prepared) -> None:
    from rich.table import Table

    from autoprune.compress.plan import FULL_BITS
    from autoprune.search.baselines import probes

    built = prepared.built
    console.print(f"[bold]{built.title}[/bold]")
    console.print(f"Data: {built.parts.about}. Network: {built.parts.network.model}.")
    table = Table("parameter", "values", title="Search space")
    for parameter, domain in built.space.parameters(built.shape).items():
        table.add_row(str(parameter), ", ".join(str(value) for value in domain.all))
    console.print(table)
    machines = Table("machine", "family", "bits", "sources", title="Machines")
    for name, model in built.machines.items():
        machine = model.machine
        sources = {price.source for price in machine.prices}
        sources |= {quantity.source for quantity in machine.parameters}
        machines.add_row(name, machine.family, str(machine.weight_bits), "\n".join(sorted(sources)))
    console.print(machines)
    sizes = sorted({FULL_BITS, *built.weight_bits}, reverse=True)
    bits = " and ".join(str(size) for size in sizes)
    uniform = len(built.space.uniform_sweep(built.shape, built.effort))
    probed = len(probes(built.space, built.shape))
    console.print(
        f"Objectives: {', '.join(built.objectives)}.\n"
        f"{built.trials} trials: uniform sweep of {uniform}, {probed} probes of branches, then "
        f"sampler {built.search.sampler}, out of {built.configurations:.3g} configurations; "
        f"{built.effort.epochs} epochs of fine-tuning each; {built.parts.workers} workers.\n"
        f"Measured with weights of {bits} bits."
    )


def _summary(finished: Finished) -> Iterator[str]:
    """How many trials ended in which way, and why there are no more."""
    from autoprune.report.tables.budgets import budget_lines

    states = [ended.state for ended in finished.trials if ended.origin != "baseline"]
    large = [o.peak_gib for o in finished.trials if o.state == "infeasible" and o.peak_gib]
    short = sum(o.state == "infeasible" and o.peak_gib is not None for o in finished.trials)
    over = states.count("infeasible") - short
    yield (
        f"{states.count('measured')} plans measured, {states.count('duplicate')} duplicates, "
        f"{states.count('failed')} failed" + (f", {over} that break a budget." if over else ".")
    )
    if short:
        most = f", which had taken up to {max(large):.3g} GiB" if large else ""
        yield f"Infeasible by memory: {short} plans{most}."
    yield from budget_lines(finished.trials)
    for ended in finished.trials:
        if ended.state == "failed":
            yield f"  trial {ended.key} failed: {ended.cause.splitlines()[-1]}"
    if finished.exhausted:
        yield "The space is exhausted: the sampler proposed nothing new any more."
    if finished.saved:
        took = [ended.seconds for ended in finished.trials if ended.seconds]
        minutes = finished.saved * statistics.mean(took) / 60
        yield (
            "Stopped, since what is left promises too little (search.stop_below): "
            f"{finished.saved} trainings saved, some {minutes:.2g} minutes of one worker."
        )


def _record(folder: Path) -> dict[str, str]:
    """Where the Optuna study is."""
    from autoprune.runs.folder import RunFolder

    name = RunFolder(folder).record.places.study
    if name is None:
        return {"optuna.journal": "the Optuna study"}
    return {"study.json": f"the Optuna study is {name} in the database"}


def _print_result(console: Console, finished: Finished, folder: Path) -> None:
    from autoprune.cli.output import megabytes
    from autoprune.report.tables.branches import probe_table
    from autoprune.report.tables.front import front_table
    from autoprune.runs.folder import RunFolder

    if finished.probes:
        console.print()
        console.print(probe_table(finished.probes))
    for front in finished.fronts.values():
        console.print()
        console.print(front_table(front))
    console.print()
    for line in _summary(finished):
        console.print(line, markup=False)
    for warning in finished.warnings:
        console.print(f"Warning: {warning}", style="yellow", markup=False)
    if finished.interrupted:
        console.print(_GO_ON, style="yellow")
    saved = {
        "environments.json": "versions, processor, seed, hashes of files",
        "branches.csv": "what each branch loses and saves",
        "trials/": "every trial: plan, measurement, workload",
        **_record(folder),
        "checkpoints/": "weights of the networks on the fronts",
        **{f"fronts/{name}/": "front.csv, front.json, front.png" for name in finished.fronts},
    }
    tracks = {"tensorboard/": "the trials for TensorBoard", "mlflow.db": "the trials for MLflow"}
    saved |= {name: what for name, what in tracks.items() if (folder / name).exists()}
    console.print(f"\nSaved in {folder}, {megabytes(RunFolder(folder).bytes)}:", soft_wrap=True)
    width = max(map(len, saved))
    for name, what in saved.items():
        console.print(f"  {name:{width}}  {what}", soft_wrap=True, highlight=False)
