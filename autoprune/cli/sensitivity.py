"""What `autoprune price --sensitivity` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoprune.cli.output import waiting

if TYPE_CHECKING:
    from autoprune.cost.model import CostModel
    from autoprune.runs.folder import RunFolder
    from autoprune.workload.workload import Workload


def print_sensitivity(
    model: CostModel, workload: Workload, run: RunFolder | None, share: float
) -> None:
    """Total, and of a run the front, when each price is less and more by `share`."""
    import numpy as np
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from autoprune.cost.ops import Ops
    from autoprune.report.front.sensitivity import Moved, sensitivity
    from autoprune.runs.columns import TrialColumns

    console = Console(highlight=False)
    total = model.price_all(Ops.of([workload])).energy_uj[0]
    console.print(f"{model.machine.name}: {total:.4g} µJ per inference", style="bold")
    moves = list(sensitivity(model, Ops.of([workload]), np.zeros(1), share))
    fronts: list[Moved | None] = [None] * len(moves)
    if run is not None:
        with waiting("Reading the trials"):
            fronts = [*sensitivity(model, *TrialColumns(run).at(model.machine.weight_bits), share)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    of_front = ("front keeps", "joined", "order") if run is not None else ()
    for name in ("price", "x", "µJ", "change", *of_front):
        table.add_column(name, justify="left" if name == "price" else "right", no_wrap=True)
    for move, front in zip(moves, fronts, strict=True):
        energy = move.energy_uj[0]
        change = f"{100 * (energy / total - 1):+.1f} %" if total else "-"
        cells = [move.price, f"{move.factor:g}", f"{energy:.4g}", change]
        if front is not None:
            order = "-" if np.isnan(front.order) else f"{front.order:.2f}"
            cells += [f"{front.kept} of {front.members}", str(front.joined), order]
        table.add_row(*cells)
    console.print(table)
    if run is not None:
        console.print(
            "order: Kendall's tau of the energies of the front's members before and after; 1 "
            "where their order stays."
        )
