"""What `autoprune run --dry-run` prints: what a run will do, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

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
    table = Table("parameter", "values", title="Search space")
    for name, values in found.parameters:
        table.add_row(name, ", ".join(values))
    console.print(table)
    machines = Table("machine", "family", "bits", "sources", title="Machines")
    for one in found.machines:
        machines.add_row(one.name, one.family, str(one.weight_bits), "\n".join(one.sources))
    console.print(machines)
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
        f"{found.trials} trials: uniform sweep of {found.uniform}, {found.probed} probes of "
        f"branches, then sampler {found.sampler}, out of {found.configurations:.3g} "
        f"configurations; {found.epochs} epochs of fine-tuning each; {found.workers} workers.\n"
        f"Measured with weights of {' and '.join(map(str, found.weight_bits))} bits"
        + (f", and in the integers of {' and '.join(found.integers)}." if found.integers else ".")
    )


def _channel_lines(found: Outlook) -> Iterator[str]:
    """Of how many neurons it is known that what they learn per channel lies along channels."""
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
    table = Table("trainings", "number", "seconds each", "minutes in all", title="Cost")
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
            f"time, as one of {found.timed} samples takes here now; a parent in the cache takes "
            "none, and removed branches less."
        )
    if found.unknown:
        console.print(f"Not known: {found.unknown}", style="yellow", highlight=False)
    for note in found.notes:
        console.print(note, style="yellow", highlight=False)
