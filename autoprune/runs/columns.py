"""Price all recorded trials of a run on any machine, straight from the columns of their files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pyarrow as pa

from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome_file import by_workload, read_columns
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
    """

    machine: str
    trials: tuple[TrialKey, ...]
    accuracy: Column
    energy_uj: Column

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
        found = [read_columns(file) for file in folder.files(folder.trials)]
        self._found = [(table, meta) for table, meta in found if meta["state"] == "measured"]
        if not self._found:
            raise RecordError(f"{folder.path}: no trial was measured yet")
        self.keys = tuple(TrialKey.parse(meta["key"]) for _, meta in self._found)
        self._priced: dict[tuple[int, ...], tuple[Ops, Column]] = {}

    def on(self, model: CostModel) -> Priced:
        """The trials on a machine; UnknownCost where a rule of it fails."""
        ops, accuracy = self.at(model.machine.weight_bits)
        energy = model.price_all(ops).energy_uj
        return Priced(
            machine=model.machine.name, trials=self.keys, accuracy=accuracy, energy_uj=energy
        )

    def at(self, weight_bits: int) -> tuple[Ops, Column]:
        """Operations and validation accuracy, at the precision that a machine is paired with."""
        chosen = tuple(
            paired_bits([own["bits"] for own in meta["workloads"]], weight_bits)
            for _, meta in self._found
        )
        if chosen not in self._priced:
            self._priced[chosen] = self._columns(chosen)
        return self._priced[chosen]

    def _columns(self, chosen: tuple[int, ...]) -> tuple[Ops, Column]:
        tables, workloads, accuracy = [], [], []
        for (table, meta), bits in zip(self._found, chosen, strict=True):
            measured = zip(by_workload(table, meta), meta["measurement"]["precisions"], strict=True)
            (own, rows), precision = next(pair for pair in measured if pair[0][0]["bits"] == bits)
            workloads.append(own)
            tables.append(rows)
            score = precision["validation"]
            accuracy.append(score["correct"] / score["total"])
        whole = pa.concat_tables(tables)
        ops = Ops(
            lambda name: column(whole, name),
            np.repeat(np.arange(len(workloads)), [own["ops"] for own in workloads]),
            np.array([own["samples"] for own in workloads], dtype=np.int64),
            np.array([own["time_steps"] for own in workloads], dtype=np.int64),
            np.array([_uncounted(own) for own in workloads]),
        )
        return ops, np.array(accuracy)


def _uncounted(own: dict[str, Any]) -> float:
    macs: int = sum(item["dense_macs"] for item in own["uncounted"])
    return macs / int(own["samples"])
