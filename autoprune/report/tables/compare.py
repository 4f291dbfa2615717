"""Where machines disagree about the same trials, as a table for a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.report.front.compare import Comparison


def comparison_table(found: Comparison) -> RenderableType:
    """The fronts, what is on all of them, and how alike each pair of machines orders trials."""
    lines = [
        f"Front of {name}: {', '.join(map(str, front))}" for name, front in found.fronts.items()
    ]
    lines += [
        f"Infeasible on {name}, and left out: {', '.join(map(str, trials))}"
        for name, trials in found.infeasible.items()
    ]
    lines += [
        f"Left to the host of {name}, all or most of it, and left out: "
        + ", ".join(map(str, trials))
        for name, trials in found.apart.items()
    ]
    lines.append(f"On all fronts: {', '.join(map(str, found.shared)) or 'none'}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("machines")
    table.add_column("order", justify="right")
    table.add_column("disagree most about trial (place by energy on either)")
    for (a, b), tau in found.correlation.items():
        worst = found.disagreements[a, b]
        words = ", ".join(f"{d.trial} ({d.first}, {d.second})" for d in worst) or "none"
        table.add_row(f"{a}, {b}", "-" if tau is None else f"{tau:.2f}", words)
    head = f"{len(found.trials)} trials on {len(found.energy_uj)} machines"
    return Group(
        Text(head, style="bold"),
        *map(Text, lines),
        table,
        Text(
            "order: Kendall's tau-b of the energies of all trials; 1 where two machines order them "
            "alike, 0 where they have nothing to do with each other."
        ),
    )
