"""What was measured on the computer at hand, beside what the models charge for these networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.report.front.order import kendall_tau
from autoprune.runs.measured import MeasuredOn
from autoprune.trial.key import TrialKey


def measured_table(found: MeasuredOn) -> RenderableType:
    """Latency with quartiles, and energy, of every network at every batch size."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    table.add_column("network")
    batches = sorted({timing.batch for timing in found.timings})
    for batch in batches:
        table.add_column(f"µs, batch {batch} [quartiles]", justify="right", no_wrap=True)
        if found.counter:
            table.add_column("µJ", justify="right", no_wrap=True)
    rows: dict[TrialKey, list[str]] = {}
    for timing in sorted(found.timings, key=lambda t: t.batch):
        cells = rows.setdefault(timing.key, [])
        quartiles = f"[{timing.low_us:.4g} {timing.high_us:.4g}]"
        cells.append(f"{timing.latency_us:.4g} {quartiles}")
        if found.counter:
            cells.append("-" if timing.energy_uj is None else f"{timing.energy_uj:.4g}")
    for key, cells in rows.items():
        table.add_row(str(key), *cells)
    head = (
        f"Measured on {found.name}: {found.device}, {found.threads} threads, "
        f"{found.rounds} rounds; per sample"
    )
    lines = [f"Energy: {found.counter}, whatever else ran included."] if found.counter else []
    lines += [f"Not measured: {line}." for line in found.missing]
    return Group(Text(head, style="bold"), table, Text("\n".join(lines)))


def agreement(
    found: MeasuredOn, energies: Mapping[str, Mapping[TrialKey, float]], batch: int = 1
) -> Iterator[str]:
    """How alike measured latency and each model's energy order the networks that both know.

    Args:
        found: what was measured.
        energies: by machine and trial.
        batch: samples at a time.
    """
    latency = found.latency(batch)
    for machine, own in energies.items():
        both = [key for key in latency if key in own]
        if len(both) < 2:
            yield f"{found.name} and {machine}: fewer than two networks in common"
            continue
        tau = kendall_tau([latency[k] for k in both], [own[k] for k in both])
        shown = "-" if tau is None else f"{tau:.2f}"
        yield (
            f"{found.name} (latency, batch {batch}) and {machine} (energy): order {shown} over "
            f"{len(both)} networks"
        )
