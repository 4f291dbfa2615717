"""CostReport: what one inference of a workload costs on a machine, and what helps to read that."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from autoprune.cost.cost import Cost
from autoprune.cost.machine import settled
from autoprune.cost.model import CostModel
from autoprune.report.front.diagnostics import Diagnostics, diagnose
from autoprune.report.rows import SCHEMA
from autoprune.workload.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class UncountedShare:
    """An operation that a workload does not count: its share of the dense MACs, and why."""

    name: str
    share_of_dense_macs: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """A workload priced on a machine.

    Attributes:
        model: the machine. samples: of which the counts are means. numbers: in which they were
            counted, such as ``8 bits, in integers of 24``; empty where nothing says so.
        cost: term by term. figures: what helps to read the energy.
        uncounted: what the workload does not count.
        assumed: what was derived of a stated workload, and how.
    """

    model: CostModel
    samples: int
    numbers: str
    cost: Cost
    figures: Diagnostics
    uncounted: tuple[UncountedShare, ...]
    assumed: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """It as JSON values."""
        machine = self.model.machine
        return {
            "schema": SCHEMA,
            **asdict(self.cost),
            "energy_uj": self.cost.energy_uj,
            **asdict(self.figures),
            "prices": {price.name: settled(price) for price in machine.charged},
            "energy_pj_by_cause": self.cost.by_cause(),
            "energy_pj_by_op": self.cost.by_op(),
            "priced_bits": machine.weight_bits,
            "counted": self.numbers,
            "not_modelled": machine.not_modelled,
            "uncounted": [asdict(item) for item in self.uncounted],
            "assumed": list(self.assumed),
        }


def report_cost(model: CostModel, workload: Workload, numbers: str = "") -> CostReport:
    """The report of a workload on a machine, counted in such numbers.

    Raises UnknownCost where a rule of the machine fails.
    """
    cost = model.price(workload)
    return CostReport(
        model=model,
        samples=workload.samples,
        numbers=numbers,
        cost=cost,
        figures=diagnose(workload, cost, model.machine.prices),
        uncounted=tuple(
            UncountedShare(
                name=item.name,
                share_of_dense_macs=workload.share_of_dense_macs(item.dense_macs),
                reason=item.reason,
            )
            for item in workload.uncounted
        ),
        assumed=tuple(item.text for item in workload.assumed),
    )
