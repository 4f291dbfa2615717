"""What `autoprune run --dry-run` prints: what a run will do, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from autoprune.report.tables.workload import neuron_lines

if TYPE_CHECKING:
    from autoprune.sweep.forecast import Forecast
    from autoprune.sweep.outlook import Outlook


def print_outlook(console: Console, found: Outlook) -> None:
    """Print what a run will do."""
    console.print(found.title, style="bold")
    console.print(f"Data: {found.data}. Network: {found.network}.")
    table = Table("parameter", "values", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, values in _alike(found.parameters):
        table.add_row(name, ", ".join(values))
    console.print(table)
    machines = Table("machine", "family", "bits", "sources", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in found.machines:
        sources = "; ".join(_works(one.sources))
        machines.add_row(one.name, one.family, str(one.weight_bits), sources)
    console.print(machines)
    console.print("Sources number by number: autoprune show MACHINE")
    for one in found.machines:
        if one.unknown:
            hold = " and ".join(one.unknown)
            console.print(f"Not known: whether neurons of {one.name} hold {hold}.")
    for line in (*_channel_lines(found), *neuron_lines(found.found)):
        console.print(line)
    if found.recipe:
        console.print(
            f"Learning rates: chosen first, by {found.recipe} trainings, and more where the best "
            "rate is an edge of those tried."
        )
    console.print(
        f"Objectives: {', '.join(found.objectives)}.\n"
        f"{found.trials} trials: uniform sweep of {found.uniform}, then sampler {found.sampler}, "
        f"out of {found.configurations:.3g} configurations; {found.epochs} epochs of fine-tuning "
        f"each; {found.workers} workers.\n"
        f"Measured with weights of {' and '.join(map(str, found.weight_bits))} bits"
        + (f", and in the integers of {' and '.join(found.integers)}." if found.integers else ".")
    )


def _alike(
    parameters: Iterable[tuple[str, tuple[str, ...]]],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Parameters, those of blocks that have the same values as one: ``blocks.0,1.mlp.l1p``."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, values in parameters:
        kind, _, rest = name.partition(".")
        block, _, own = rest.partition(".")
        key = (own, values) if kind == "blocks" else (name, values)
        found.setdefault(key, []).append(block if kind == "blocks" else "")
    for (own, values), blocks in found.items():
        yield (f"blocks.{','.join(blocks)}.{own}" if any(blocks) else own), values


def _works(sources: Iterable[str]) -> list[str]:
    """The publications among sources, without the places in them."""
    found = dict.fromkeys(source.partition(":")[0] for source in sources)
    return [one for one in found if not any(one.startswith(f"{other},") for other in found)]


def _channel_lines(found: Outlook) -> Iterator[str]:
    """How many neurons are known to learn along channels what they learn per channel."""
    if found.channels is None:
        return
    answered, silent = found.channels.answered, found.channels.silent
    also = f", in {found.channels.alike} although another axis is as long"
    if answered:
        yield (
            f"What neurons learn per channel lies along channels: of {len(answered)} layers"
            f"{also * bool(found.channels.alike)}."
        )
    if silent:
        yield f"Not known where it lies: {', '.join(silent)}."


def print_forecast(console: Console, found: Forecast) -> None:
    """Print what a run costs from its beginning."""
    heads = ("trainings", "number", "seconds each", "minutes in all")
    table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in found.expenses:
        took = one.seconds
        known = ("?", "?") if took is None else (f"{took:.3g}", f"{one.number * took / 60:.3g}")
        table.add_row(one.what, str(one.number), *known)
    console.print(table)
    console.print(f"Parameters: {found.parameters:,}.")
    if found.samples:
        console.print("Samples: " + ", ".join(f"{n:,} {part}" for part, n in found.samples) + ".")
    if found.seconds is not None:
        console.print(
            f"Some {found.seconds / 60:.2g} minutes in all, {max(1, found.workers)} trials at a "
            f"time, as one of {found.timed} samples takes here where nothing else computes; a "
            "parent in the cache takes none, and removed branches less."
        )
    for name, why in found.not_held:
        console.print(
            f"{name} does not hold the parent in its integers, so that it is measured with weights "
            f"of its bits alone: {why}.",
            style="yellow",
            highlight=False,
        )
    if found.unknown:
        console.print(f"Not known: {found.unknown}", style="yellow", highlight=False)
    for note in found.notes:
        console.print(note, style="yellow", highlight=False)
