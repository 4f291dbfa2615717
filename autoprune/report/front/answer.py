"""Answer: what a run says about one machine, in a line."""

from __future__ import annotations

from dataclasses import dataclass

from autoprune.report.front.front import MachineFront, Row
from autoprune.report.front.pick import Limits, pick
from autoprune.report.units import energy_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The network to take for a machine where nobody says more.

    Attributes:
        machine: its name.
        row: the trial, as `autoprune pick` takes it without limits; None where there is none.
        reason: why this one, or why none.
    """

    machine: str
    row: Row | None
    reason: str

    def __repr__(self) -> str:
        """In a line: the machine, the trial and what it needs."""
        if self.row is None:
            return f"<answer for {self.machine}: none>"
        energy = f"{energy_words(self.row.energy_uj)}, {self.less_than_parent:.1f} times less"
        return f"<answer for {self.machine}: trial {self.row.trial}, {energy}>"

    @property
    def less_than_parent(self) -> float | None:
        """How many times less energy than the fine-tuned parent needs."""
        return 1 / self.row.energy_ratio if self.row else None

    @property
    def less_than_uniform(self) -> float | None:
        """How many times less than the cheapest uniform trial that is at least as accurate.

        None where no uniform trial is.
        """
        if self.row is None or self.row.uniform_energy_uj is None:
            return None
        return self.row.uniform_energy_uj / self.row.energy_uj


def answer(front: MachineFront) -> Answer:
    """The answer that a front gives."""
    found = pick(front, Limits())
    return Answer(machine=front.machine, row=found.row, reason=found.reason)
