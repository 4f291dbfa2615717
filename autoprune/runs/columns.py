"""Price all recorded trials of a run on any machine, straight from the columns of their files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
import pyarrow as pa

from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome_file import read_columns
from autoprune.runs.own_work import own_work
from autoprune.runs.pareto import non_dominated
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import paired_bits
from autoprune.workload.columns import Column
from autoprune.workload.table import column


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The measured trials of a run on one machine.

    Attributes:
        machine: its name.
        trials: their keys. accuracy: of validation, at the precision that the machine is paired
            with. energy_uj: per inference; not a number where a trial is infeasible there.
        answers: whether each is one there; see `autoprune.runs.own_work`.
    """

    machine: str
    trials: tuple[TrialKey, ...]
    accuracy: Column
    energy_uj: Column
    answers: Column

    @property
    def feasible(self) -> Column:
        """Whether the machine can run each trial."""
        return ~np.isnan(self.energy_uj)

    def only(self, kept: Column) -> Priced:
        """Those trials where `kept` is true."""
        return replace(
            self,
            trials=tuple(t for t, keep in zip(self.trials, kept.tolist(), strict=True) if keep),
            accuracy=self.accuracy[kept],
            energy_uj=self.energy_uj[kept],
            answers=self.answers[kept],
        )

    @property
    def front(self) -> list[TrialKey]:
        """Trials that no other dominates, by ascending energy."""
        pairs = list(zip(self.accuracy.tolist(), self.energy_uj.tolist(), strict=True))
        return [self.trials[place] for place in non_dominated(pairs)]

    @property
    def ranks(self) -> dict[TrialKey, int]:
        """Place of every trial by ascending energy, from 1; equal energies share the first."""
        energies = sorted(self.energy_uj.tolist())
        first = {energy: place for place, energy in reversed(list(enumerate(energies, start=1)))}
        return {
            trial: first[energy]
            for trial, energy in zip(self.trials, self.energy_uj.tolist(), strict=True)
        }


@final
class TrialColumns:
    """The measured trials of a run as columns; no operation becomes an object.

    Args:
        folder: the run.

    Attributes:
        keys: of the trials.

    Raises RecordError where nothing was measured, or a file is damaged.
    """

    def __init__(self, folder: RunFolder) -> None:
        found = map(read_columns, folder.files(folder.trials))
        self._found = [trial for trial in found if trial.state == "measured"]
        if not self._found:
            raise RecordError(f"{folder.path}: no trial was measured yet")
        self.keys = tuple(trial.key for trial in self._found)
        self._priced: dict[tuple[int, ...], tuple[Ops, Column]] = {}

    def on(self, model: CostModel) -> Priced:
        """The trials on a machine; UnknownCost where a rule of it fails."""
        ops, accuracy = self.at(model.machine.weight_bits)
        costs = model.price_all(ops)
        return Priced(
            machine=model.machine.name,
            trials=self.keys,
            accuracy=accuracy,
            energy_uj=costs.energy_uj,
            answers=own_work(model, costs.energy_uj, costs.host_share),
        )

    def at(self, weight_bits: int) -> tuple[Ops, Column]:
        """Operations and validation accuracy, at the precision that a machine is paired with."""
        chosen = tuple(
            paired_bits([counted.bits for counted in trial.counted], weight_bits)
            for trial in self._found
        )
        if chosen not in self._priced:
            self._priced[chosen] = self._columns(chosen)
        return self._priced[chosen]

    def _columns(self, chosen: tuple[int, ...]) -> tuple[Ops, Column]:
        found = [
            next(counted for counted in trial.counted if counted.bits == bits)
            for trial, bits in zip(self._found, chosen, strict=True)
        ]
        whole = pa.concat_tables([counted.rows for counted in found])
        ops = Ops(
            lambda name: column(whole, name),
            np.repeat(np.arange(len(found)), [len(counted.rows) for counted in found]),
            np.array([counted.samples for counted in found], dtype=np.int64),
            np.array([counted.time_steps for counted in found], dtype=np.int64),
            np.array([counted.uncounted_macs for counted in found]),
        )
        return ops, np.array([counted.validation.accuracy for counted in found])
