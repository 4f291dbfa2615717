"""Fronts: everything that the fronts of a run say, machine by machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.report.front.branches import Removal, removals
from autoprune.report.front.front import MachineFront
from autoprune.report.front.run_fronts import RunFronts
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import on_each
from autoprune.runs.measured import MeasuredOn, read_all


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fronts:
    """The fronts of a run on some machines.

    Attributes:
        fronts: of the machines that have one. failed: why others have none.
        removals: what each branch loses, and saves on the machines, when it is removed.
        measured: what was timed for the run on computers at hand.
    """

    fronts: tuple[MachineFront, ...]
    failed: tuple[str, ...]
    removals: tuple[Removal, ...]
    measured: tuple[MeasuredOn, ...]

    def __repr__(self) -> str:
        """In a line: the machines."""
        return f"<fronts of {', '.join(front.machine for front in self.fronts)}>"


def read_fronts(folder: RunFolder, models: Sequence[CostModel]) -> Fronts:
    """The fronts of a run.

    Raises UnknownCost where no machine has one, and RecordError without a fine-tuned parent.
    """
    heads = folder.read_heads()
    fronts, failed = on_each(models, RunFronts(folder, heads).of)
    if not fronts:
        raise UnknownCost("; ".join(failed))
    return Fronts(
        fronts=tuple(fronts),
        failed=tuple(failed),
        removals=removals(folder.read_baselines(), models, folder.record.shape),
        measured=tuple(read_all(folder.path)),
    )
