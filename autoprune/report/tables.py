"""Fronts and branches as tables for a terminal of 80 columns, readable without colour."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.measurement import Score
from autoprune.outcome import FINE_TUNED, PARENT, Outcome
from autoprune.report.front import MachineFront, Row


def front_table(front: MachineFront) -> RenderableType:
    """The front of a machine, with what has to be known to read it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    for name in ("trial", "val % [95 %]", "test % [95 %]", "µJ", "ratio", "kept %", "uniform"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in front.rows:
        table.add_row(*_cells(row))
    lines = [
        f"{front.machine}: front of {len(front.rows)} out of {len(front.points)} networks",
        front.title,
    ]
    # A plan is too wide for a column of a table that fits 80 characters: one line each, below.
    plans = [f"{_name(row):>6}  {row.plan}" for row in front.rows]
    return Group(
        Text("\n".join(lines), style="bold"),
        table,
        Text("\n".join((" trial  plan", *plans, ""))),
        Text("\n".join(_footer(front))),
    )


def branch_table(baselines: Mapping[str, Outcome]) -> RenderableType:
    """What the parent, and every branch of it, is worth."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="What each branch carries")
    table.title_justify = "left"
    table.add_column("fine-tuned, if not said otherwise")
    for name in ("val % [95 %]", "test % [95 %]", "points lost"):
        table.add_column(name, justify="right", no_wrap=True)
    tuned = baselines[FINE_TUNED].measurement
    for key, outcome in baselines.items():
        m = outcome.measurement
        if m is None or tuned is None:
            table.add_row(key, "failed", "", "")
            continue
        lost = 100 * (tuned.validation.accuracy - m.validation.accuracy)
        name = {PARENT: "parent, as trained", FINE_TUNED: "parent"}.get(key, key)
        table.add_row(name, _score(m.validation), _score(m.test), f"{lost:+.1f}")
    return table


def _name(row: Row) -> str:
    mark = {"baseline": "b", "uniform": "u", "sampled": ""}[row.origin]
    return f"{row.trial}{mark}"


def _cells(row: Row) -> tuple[str, ...]:
    uniform = f"{100 * row.uniform.accuracy:.1f}" if row.uniform else "-"
    return (
        _name(row),
        _score(row.validation),
        _score(row.test),
        f"{row.energy_uj:.3g}",
        f"{row.energy_ratio:.3f}",
        f"{100 * row.kept_weights:.1f}",
        uniform + ("*" if row.beats_uniform else ""),
    )


def _score(score: Score) -> str:
    low, high = score.interval
    return f"{100 * score.accuracy:.1f} [{100 * low:.0f} {100 * high:.0f}]"


def _footer(front: MachineFront) -> list[str]:
    parent = front.parent
    lines = [
        f"Fine-tuned parent: {_score(parent)} % at {front.parent_energy_uj:.3g} µJ. Accuracy at "
        f"{front.accuracy_bits} bits, energy priced at {front.priced_bits} bits.",
        f"Hypervolume {front.hypervolume:.4f}, of the uniform sweep "
        f"{front.uniform_hypervolume:.4f}. * {front.beating} of {len(front.rows)} beat uniform "
        f"compression at no more energy outside both intervals; {front.unmatched} are cheaper "
        "than all of it.",
        "uniform: best validation % of the uniform sweep at no more energy. u: of the uniform "
        "sweep; b: parent, or a branch or block removed.",
    ]
    lines += [f"Emulated: {rule}." for rule in front.emulated]
    if front.host:
        work = "; ".join(f"{h.name} ({100 * h.share:.1f} % of dense MACs)" for h in front.host)
        lines.append(f"On the host, outside the total: {work}.")
    if front.uncounted:
        work = "; ".join(f"{name} ({100 * share:.1f} %)" for name, share in front.uncounted)
        lines.append(f"Not counted, by share of dense MACs: {work}.")
    return lines
