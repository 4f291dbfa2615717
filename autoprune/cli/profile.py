"""`autoprune profile`: the census of any network, without a run and without an adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from autoprune.workload.workload import Workload


@click.command()
@click.argument("model", metavar="MODULE:BUILD")
@click.option("--input", "shape", required=True, help="One sample: 3x32x32, or frames 16x2x64x64.")
@click.option("--samples", type=click.IntRange(1), default=4, show_default=True, help="Batch.")
@click.option(
    "--time-steps", type=click.IntRange(1), help="T; the network's attribute T if left out."
)
@click.option("--product-sparsity", is_flag=True, help="Count tiles, too: for `prosperity`.")
@click.option("--json", "as_json", is_flag=True, help="The workload, as `price` reads it.")
def profile(  # noqa: PLR0913 - the command line's
    model: str,
    shape: str,
    *,
    samples: int,
    time_steps: int | None,
    product_sparsity: bool,
    as_json: bool,
) -> None:
    """Count the operations of any network with spikingjelly's neurons.

    MODULE:BUILD is a function or class that is called without arguments. The inputs are random
    numbers from 0 to 1 (frames: 0 or 1). Batch norm is re-estimated on them, so that an untrained
    network fires; dense counts are the network's, spike counts those of noise. Trained networks on
    real data are counted in every trial of a run.

    \b
    autoprune profile my_module:build --input 3x32x32
    autoprune profile my_module:build --input 3x32x32 --json > w.json
    autoprune price w.json --machine loihi1
    """
    from pathlib import Path

    import torch

    from autoprune.compress.surgery.batch_norm import reestimate
    from autoprune.errors import InputError
    from autoprune.networks.build import build
    from autoprune.plugin import make_importable
    from autoprune.workload.census.profile import profile as profiled

    make_importable(Path())
    if ":" not in model:
        raise InputError("profile", f"given {model!r}", "module:function")
    sizes = _sizes(shape)
    torch.manual_seed(0)
    network = build(model, {}, {}).eval()
    inputs = torch.rand(samples, *sizes)
    inputs = inputs.round() if inputs.ndim == 5 else inputs
    try:
        reestimate(network, [inputs])
        workload = profiled(network, inputs, time_steps, product_sparsity=product_sparsity)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InputError(
            f"profile {model}", f"does not run on {shape} ({type(error).__name__}: {error})"
        ) from error
    if as_json:
        click.echo(workload.to_json())
    else:
        _print(workload)


def _sizes(shape: str) -> list[int]:
    from autoprune.errors import InputError

    parts = shape.lower().split("x")
    if not all(part.isdecimal() and int(part) for part in parts) or len(parts) not in (1, 2, 3, 4):
        raise InputError("--input", f"given {shape!r}", "sizes such as 3x32x32")
    return [int(part) for part in parts]


def _print(workload: Workload) -> None:
    from autoprune.cli.console import plain_console

    console = plain_console()
    console.print(_table(workload))
    samples = workload.samples
    for order in ("executed", "published"):
        console.print(
            f"{order}: {workload.per_sample('dense_macs', order):,.0f} dense MACs, "
            f"{workload.per_sample('fanout_sops', order):,.0f} fan-out and "
            f"{workload.per_sample('effective_sops', order):,.0f} effective synaptic operations, "
            f"{workload.per_sample('real_macs', order):,.0f} MACs of real inputs per sample."
        )
    console.print(_entries(workload))
    for line in _coverage(workload):
        console.print(line)
    console.print(
        f"MACs are dense, SOPs effective: event and weight not 0. Means over {samples} random "
        f"samples of T = {workload.time_steps} steps."
    )


def _table(workload: Workload) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("operation", overflow="fold")
    table.add_column("input")
    for name in ("MACs", "events", "SOPs", "neurons", "spikes"):
        table.add_column(name, justify="right", no_wrap=True)
    for op in workload.select("executed"):
        counts = (op.work.dense_macs, op.a.events, op.work.effective_sops)
        table.add_row(
            op.name,
            op.a.kind,
            *(_short(count / workload.samples) for count in counts),
            _short(op.neurons.count),
            _short(op.neurons.output_spikes / workload.samples),
        )
    return table


def _entries(workload: Workload) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("entry by entry")
    for name in ("places", "entries", "% of dense MACs"):
        table.add_column(name, justify="right")
    macs = {item.name: item.dense_macs for item in workload.uncounted}
    for item in workload.elementwise:
        share = workload.share_of_dense_macs(macs.get(item.kind, 0))
        table.add_row(
            item.kind.replace("_", " "),
            str(item.places),
            _short(item.entries / workload.samples),
            f"{100 * share:.2f}" if item.kind in macs else "none",
        )
    return table


def _coverage(workload: Workload) -> Iterator[str]:
    """What of fvcore's dense MACs is an operation's, what is named, and why."""
    parts = {"counted": workload.total("dense_macs")}
    parts |= {item.name: item.dense_macs for item in workload.uncounted if item.dense_macs}
    shares = {name: workload.share_of_dense_macs(macs) for name, macs in parts.items()}
    listed = ", ".join(f"{name} {100 * share:.2f} %" for name, share in shares.items())
    yield f"{100 * sum(shares.values()):.0f} % of fvcore's dense MACs counted or named: {listed}."
    for item in workload.uncounted:
        if item.dense_macs:
            yield f"{item.name}: {item.reason}."
    silent = [item for item in workload.uncounted if not item.dense_macs]
    yield f"Without MACs: {', '.join(item.name for item in silent)}."


def _short(value: float) -> str:
    """Three digits and a prefix: 151 M."""
    for size, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{prefix}"
    return f"{value:.3g}"
