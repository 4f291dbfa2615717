"""What a workload costs on a machine: lines and tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table

from autoprune.cost.cost import KIB, NO_PRICE, Cost
from autoprune.report.front.cost_report import CostReport
from autoprune.report.front.diagnostics import diagnostic_lines, range_words
from autoprune.report.units import EnergyUnit, energy_words


def head_lines(report: CostReport) -> Iterator[str]:
    """The total, then what it is of."""
    cost = report.cost
    if NO_PRICE in cost.unpriced:
        yield f"{cost.machine}: {NO_PRICE.action}"
    else:
        energy = "unknown" if cost.energy_uj is None else energy_words(cost.energy_uj, 4)
        yield f"{cost.machine}: {energy} per inference"
    counts = f"means over {report.samples} samples"
    counts += f" at {report.numbers}" if report.numbers else ""
    if report.assumed:
        counts = "as stated, and derived of that where a line below begins with Assumed"
    yield f"priced at {report.model.machine.weight_bits} bits; counts are {counts}"


def figure_lines(report: CostReport) -> Iterator[str]:
    """What the machine defines besides energy, and what helps to read the energy."""
    if (least := report.figures.least_uj) is not None:
        ranges = range_words(report.model.machine.prices)
        yield f"{energy_words(least, 4)} at the lower end of {ranges}"
    yield from _sizes(report.cost)
    yield from diagnostic_lines(report.figures)


def _sizes(cost: Cost) -> Iterator[str]:
    """What the machine defines besides energy."""
    if cost.latency_us is not None:
        yield f"latency {cost.latency_us:.4g} µs"
    if cost.cycles is not None:
        yield f"cycles {cost.cycles:.0f}"
    if cost.cores is not None:
        yield f"cores {cost.cores}"
    if cost.chips is not None:
        yield f"chips {cost.chips}"
    if cost.memory_kib is not None:
        held = [f"{bits / KIB:.4g} KiB weights held {name}" for name, bits in cost.weights]
        membranes = [f"{cost.state_bits / KIB:.4g} KiB membranes"] if cost.state_bits else []
        yield f"memory {cost.memory_kib:.4g} KiB: {', '.join([*held, *membranes]) or 'none'}"
    if cost.static_power_mw is not None:
        yield f"static power {cost.static_power_mw:.4g} mW, while it runs part of the energy"
    if cost.area_mm2 is not None:
        yield f"area {cost.area_mm2:.4g} mm2"


def share_tables(cost: Cost) -> Iterator[RenderableType]:
    """The energy by cause, and by operation."""
    for title, sums in (("cause", cost.by_cause()), ("operation", cost.by_op())):
        if not sums:  # as of a chip without a price
            continue
        table = Table(title, box=box.SIMPLE_HEAD, pad_edge=False)
        unit = EnergyUnit.of(1e-6 * value for value in sums.values())
        table.add_column(unit.name, justify="right")
        table.add_column("share", justify="right")
        whole = sum(sums.values())
        for name, value in sums.items():
            share = f"{100 * value / whole:.1f} %" if whole else "-"
            table.add_row(name, unit.digits(1e-6 * value, 4), share)
        yield table


def remark_lines(report: CostReport) -> Iterator[str]:
    """What the total assumes, does not hold, or holds by a rule of its own."""
    for text in report.assumed:
        yield f"Assumed: {text}"
    for item in report.cost.unpriced:
        if item != NO_PRICE:
            yield f"No price: {item.action} ({item.count:g} per inference)"
    for host in report.cost.host:
        share = f"{100 * host.share:.2f} % of dense MACs"
        place = "in" if host.counted else "outside"
        energy = "" if host.energy_pj is None else f", {energy_words(1e-6 * host.energy_pj, 4)}"
        yield f"On the host, {place} the total: {host.name} ({share}{energy})"
    for rule in report.cost.emulated:
        yield f"Emulated: {rule}"
    for missing in report.uncounted:
        if missing.share_of_dense_macs:
            share = f"{100 * missing.share_of_dense_macs:.2f} % of dense MACs"
            yield f"Not counted: {missing.name} ({share}): {missing.reason}"
    silent = [missing.name for missing in report.uncounted if not missing.share_of_dense_macs]
    if silent:
        yield f"Not counted, without MACs: {', '.join(silent)}"
    for line in report.model.machine.not_modelled:
        yield f"Not modelled: {line}"
