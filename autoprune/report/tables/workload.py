"""The census of a network: tables and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from autoprune.workload.workload import Found, Workload


def operation_table(workload: Workload) -> Table:
    """A row per operation, in the order in which they are executed; means over the samples."""
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


def sum_lines(workload: Workload) -> Iterator[str]:
    """The totals per sample, with attention as it is executed and as publications count it."""
    for order in ("executed", "published"):
        yield (
            f"{order}: {workload.per_sample('dense_macs', order):,.0f} dense MACs, "
            f"{workload.per_sample('fanout_sops', order):,.0f} fan-out and "
            f"{workload.per_sample('effective_sops', order):,.0f} effective synaptic operations, "
            f"{workload.per_sample('real_macs', order):,.0f} MACs of real inputs per sample."
        )


def entry_table(workload: Workload) -> Table:
    """What is done entry by entry, and its share of the dense MACs."""
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


def coverage_lines(workload: Workload) -> Iterator[str]:
    """What of the dense MACs is an operation's, what is named, and why; whose neurons these are."""
    parts = {"counted": workload.total("dense_macs")}
    parts |= {item.name: item.dense_macs for item in workload.uncounted if item.dense_macs}
    listed = ", ".join(
        f"{name} {100 * workload.share_of_dense_macs(macs):.2f} %" for name, macs in parts.items()
    )
    yield f"Dense MACs: {listed}."
    for item in workload.uncounted:
        if not item.is_free:
            yield f"{item.name}: {item.reason}."
    yield from neuron_lines(workload.found)
    if workload.folded:
        yield _folded(workload)
    if not any(op.neurons.count for op in workload.ops):
        yield "No spiking neuron was found: an event-driven machine charges next to nothing."
    if free := [item.name for item in workload.uncounted if item.is_free]:
        yield f"Without MACs: {', '.join(free)}."


def neuron_lines(found: Sequence[Found]) -> Iterator[str]:
    """Whose neurons nobody knows."""
    for one in found:
        yield (
            f"{one.module}: {one.neurons} neurons of no known class, found by what they emit; "
            "their updates are not known, and one a step is counted."
        )


def _folded(workload: Workload) -> str:
    """Which layers read spikes in what unit, and what they are where nothing folds it."""
    units: dict[float, list[str]] = {}
    for item in workload.folded:
        units.setdefault(item.unit, []).append(item.layer)
    listed = "; ".join(f"of {unit:.3g}: {', '.join(layers)}" for unit, layers in units.items())
    names = {item.layer for item in workload.folded}
    macs = sum(op.work.dense_macs for op in workload.ops if op.name in names) / workload.samples
    return (
        f"Whole multiples {listed}. They are counted as spikes, since the number folds into the "
        f"weights that read them; as real numbers they take {_short(macs)} MACs."
    )


def _short(value: float) -> str:
    """Three digits and a prefix: 151 M."""
    for size, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{prefix}"
    return f"{value:.3g}"
