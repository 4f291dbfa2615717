"""`autoprune profile`: the census of any network, without a run and without an adapter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli import complete
from autoprune.cli.options import import_option

if TYPE_CHECKING:
    from autoprune.workload.workload import Workload

_DIMENSIONS = 4


@click.command()
@click.argument("model", metavar="MODULE:BUILD|GRAPH.nir")
@click.option("--input", "shape", help="One sample: 3x32x32, or frames 16x2x64x64.")
@click.option("--inputs", help="Real ones: an .npz, [samples, ...], or a data set's name.")
@click.option("--dt", type=click.FloatRange(0, min_open=True), help="Of a graph: seconds a step.")
@click.option(
    "--machine",
    metavar="MACHINE",
    shell_complete=complete.machines,
    help="Price it, too: name or TOML file.",
)
@click.option("--samples", type=click.IntRange(1), default=4, show_default=True, help="Batch.")
@click.option(
    "--time-steps", type=click.IntRange(1, 1024), help="T; the network's attribute T if left out."
)
@click.option(
    "--time-axis",
    type=click.IntRange(0, 1),
    help="Frames reach the network as [T, B, ...] (0) or [B, T, ...] (1); 0 unless it says.",
)
@click.option("--product-sparsity", is_flag=True, help="Count tiles, too: for `prosperity`.")
@click.option("--json", "as_json", is_flag=True, help="The workload, as `price` reads it.")
@import_option
def profile(  # noqa: PLR0913 - the command line's
    model: str,
    *,
    shape: str | None,
    inputs: str | None,
    dt: float | None,
    machine: str | None,
    samples: int,
    time_steps: int | None,
    time_axis: int | None,
    product_sparsity: bool,
    as_json: bool,
    imports: bool,
) -> None:
    """Count the operations of any network with spiking neurons.

    MODULE:BUILD is a function or class that is called without arguments. The inputs are random
    numbers from 0 to 1 (frames: 0 or 1). Batch norm is re-estimated on them, so that an untrained
    network fires; dense counts are the network's, spike counts those of noise. Trained networks on
    real data are counted in every trial of a run. With --inputs the network is counted on those, as
    BUILD returns it, which may load weights: nothing is re-estimated.

    GRAPH.nir is a graph of NIR (needs autoprune[nir]), counted on inputs of yours: what it does on
    them. A step takes --dt seconds, or what the graph says, or 1e-4 s.

    \b
    autoprune profile my_module:build --input 3x32x32
    autoprune profile my_module:build --input 3x32x32 --json > w.json
    autoprune profile my_module:build --inputs digits
    autoprune price w.json --machine loihi1
    autoprune profile graph.nir --inputs inputs.npz --machine loihi1
    """
    from autoprune import api

    is_graph, note = model.endswith(".nir"), ""
    if is_graph:
        _refuse(model, {"--input": shape, "--time-axis": time_axis}, needed=("--inputs", inputs))
        assert inputs is not None
        workload = api.profile_graph(
            model,
            Path(inputs),
            time_steps=time_steps,
            dt=dt,
            machine=machine,
            product_sparsity=product_sparsity,
            imports=imports,
        )
    elif inputs is not None:
        if shape is not None:
            raise click.UsageError("--input, which is noise, or --inputs")
        _refuse(model, {"--dt": dt}, needed=("--inputs", inputs))
        workload, note = api.profile_shown(
            model,
            inputs,
            samples=samples,
            time_steps=time_steps,
            time_axis=time_axis,
            product_sparsity=product_sparsity,
        )
    else:
        _refuse(model, {"--dt": dt}, needed=("--input", shape))
        assert shape is not None
        workload = api.profile_untrained(
            model,
            _sizes(shape),
            samples=samples,
            time_steps=time_steps,
            time_axis=time_axis,
            product_sparsity=product_sparsity,
        )
    if note:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        click.echo(workload.to_json())
        return
    _print(workload, "" if inputs is not None else "random ")
    if machine is not None:
        from autoprune.cli.price import print_report

        print_report(api.price_workload(workload, machine, imports=imports), explained=False)


def _refuse(what: str, others: dict[str, object], needed: tuple[str, object]) -> None:
    """UsageError where an option is of the other kind of network, or the needed one is missing."""
    for name, given in others.items():
        if given is not None:
            raise click.UsageError(f"{name} is not for {what}")
    if needed[1] is None:
        raise click.UsageError(f"Missing option '{needed[0]}'.")


def _print(workload: Workload, kind: str) -> None:
    from autoprune.cli.console import plain_console
    from autoprune.report.tables.workload import (
        coverage_lines,
        entry_table,
        operation_table,
        sum_lines,
    )

    console = plain_console()
    console.print(operation_table(workload))
    for line in sum_lines(workload):
        console.print(line)
    console.print(entry_table(workload))
    for line in coverage_lines(workload):
        console.print(line)
    console.print(
        "MACs are dense, SOPs effective: event and weight not 0. Means over "
        f"{workload.samples} {kind}samples of T = {workload.time_steps} steps."
    )


def _sizes(shape: str) -> list[int]:
    from autoprune.errors import InputError

    parts = shape.lower().split("x")
    if not all(re.fullmatch("[1-9][0-9]{0,8}", p) for p in parts) or len(parts) > _DIMENSIONS:
        raise InputError("--input", f"given {shape!r}", "sizes such as 3x32x32")
    return [int(part) for part in parts]
