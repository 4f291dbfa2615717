"""How much an energy and a front hang on each price, as a table for a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.report.front.sensitivity import Sensitivity
from autoprune.report.units import EnergyUnit, energy_words


def sensitivity_table(found: Sensitivity) -> RenderableType:
    """Total, and of a run the front, when each price is less and more."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    fronts, unit = found.of_front, EnergyUnit.of([found.energy_uj])
    names = ("front keeps", "joined", "order") if fronts is not None else ()
    table.add_column("price", overflow="fold")
    for name in ("x", unit.name, "change", *names):
        table.add_column(name, justify="right", no_wrap=True)
    for place, move in enumerate(found.moves):
        energy = move.energy_uj[0]
        change = f"{100 * (energy / found.energy_uj - 1):+.1f} %" if found.energy_uj else "-"
        cells = [move.price, f"{move.factor:g}", unit.digits(energy, 4), change]
        if fronts is not None:
            front = fronts[place]
            order = "-" if front.order is None else f"{front.order:.2f}"
            cells += [f"{front.kept} of {front.members}", str(front.joined), order]
        table.add_row(*cells)
    head = Text(f"{found.machine}: {energy_words(found.energy_uj, 4)} per inference", style="bold")
    if fronts is None:
        return Group(head, table)
    return Group(
        head,
        table,
        Text(
            "order: Kendall's tau of the energies of the front's members before and after; 1 "
            "where their order stays."
        ),
    )
