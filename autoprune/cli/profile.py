"""`autoprune profile`: the census of any network, without a run and without an adapter."""

from __future__ import annotations

import re

import click

_DIMENSIONS = 4


@click.command()
@click.argument("model", metavar="MODULE:BUILD")
@click.option("--input", "shape", required=True, help="One sample: 3x32x32, or frames 16x2x64x64.")
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
def profile(  # noqa: PLR0913 - the command line's
    model: str,
    shape: str,
    *,
    samples: int,
    time_steps: int | None,
    time_axis: int | None,
    product_sparsity: bool,
    as_json: bool,
) -> None:
    """Count the operations of any network with spiking neurons.

    MODULE:BUILD is a function or class that is called without arguments. The inputs are random
    numbers from 0 to 1 (frames: 0 or 1). Batch norm is re-estimated on them, so that an untrained
    network fires; dense counts are the network's, spike counts those of noise. Trained networks on
    real data are counted in every trial of a run.

    \b
    autoprune profile my_module:build --input 3x32x32
    autoprune profile my_module:build --input 3x32x32 --json > w.json
    autoprune price w.json --machine loihi1
    """
    from autoprune import api

    sizes = _sizes(shape)
    workload = api.profile_untrained(
        model,
        sizes,
        samples=samples,
        time_steps=time_steps,
        time_axis=time_axis,
        product_sparsity=product_sparsity,
    )
    if as_json:
        click.echo(workload.to_json())
        return
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
        f"{workload.samples} random samples of T = {workload.time_steps} steps."
    )


def _sizes(shape: str) -> list[int]:
    from autoprune.errors import InputError

    parts = shape.lower().split("x")
    if not all(re.fullmatch("[1-9][0-9]{0,8}", p) for p in parts) or len(parts) > _DIMENSIONS:
        raise InputError("--input", f"given {shape!r}", "sizes such as 3x32x32")
    return [int(part) for part in parts]
