"""Price all recorded trials of a run on any machine, straight from the columns of their files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from typing import final

import numpy as np
import pyarrow as pa

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.plan import Plan
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.errors import RecordError
from autoprune.networks.shape import NetworkShape
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome_file import read_columns
from autoprune.runs.own_work import own_work
from autoprune.runs.pareto import non_dominated
from autoprune.runs.posterior import features, posteriors, worth
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score, paired
from autoprune.workload.columns import Column
from autoprune.workload.table import column


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The measured trials of a run on one machine.

    Attributes:
        machine: its name.
        shape: of the network.
        trials: their keys. plans: what they are. scores: of validation, at the precision that the
            machine is paired with.
        energy_uj: per inference; not a number where a trial is infeasible there.
        answers: whether each is one there; see `autoprune.runs.own_work`.
    """

    machine: str
    shape: NetworkShape
    trials: tuple[TrialKey, ...]
    plans: tuple[Plan, ...]
    scores: tuple[Score, ...]
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
            trials=tuple(compress(self.trials, kept)),
            plans=tuple(compress(self.plans, kept)),
            scores=tuple(compress(self.scores, kept)),
            energy_uj=self.energy_uj[kept],
            answers=self.answers[kept],
        )

    @property
    def front(self) -> list[TrialKey]:
        """Answers that no other dominates, by ascending energy."""
        places = np.flatnonzero(~np.isnan(self.worth))
        pairs = zip(self.worth[places].tolist(), self.energy_uj[places].tolist(), strict=True)
        return [self.trials[places[member]] for member in non_dominated([*pairs])]

    @property
    def worth(self) -> Column:
        """The score that all answers lead one to expect of each; see `autoprune.runs.posterior`.

        Not a number of what is no answer, or too far below the front to be judged.
        """
        places = np.flatnonzero(self.answers)
        plans = [self.plans[place] for place in places]
        found = posteriors(
            [self.scores[place] for place in places],
            self.energy_uj[places].tolist(),
            lambda i: features(plans[i], self.shape, plans[i].effort.time_steps),
        )
        judged = any(found)
        column = np.full(len(self.scores), np.nan)
        for place, posterior in zip(places, found, strict=True):
            if posterior is not None or not judged:
                column[place] = worth(self.scores[place], posterior)
        return column

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
        self._plans = tuple(trial.plan for trial in self._found)
        self._shape = folder.record.shape
        self._priced: dict[tuple[int, ...], tuple[Ops, tuple[Score, ...]]] = {}

    def on(self, model: CostModel) -> Priced:
        """The trials on a machine; UnknownCost where a rule of it fails."""
        ops, scores = self.at(*model.machine.precision)
        costs = model.price_all(ops)
        return Priced(
            machine=model.machine.name,
            shape=self._shape,
            trials=self.keys,
            plans=self._plans,
            scores=scores,
            energy_uj=costs.energy_uj,
            answers=own_work(model, costs.energy_uj, costs.host_share),
        )

    def at(
        self, weight_bits: int, arithmetic: Arithmetic | None = None
    ) -> tuple[Ops, tuple[Score, ...]]:
        """Operations and validation scores, at the precision that a machine is paired with."""
        chosen = tuple(
            paired([(one.bits, one.arithmetic) for one in trial.counted], weight_bits, arithmetic)
            for trial in self._found
        )
        if chosen not in self._priced:
            self._priced[chosen] = self._columns(chosen)
        return self._priced[chosen]

    def _columns(self, chosen: tuple[int, ...]) -> tuple[Ops, tuple[Score, ...]]:
        found = [trial.counted[place] for trial, place in zip(self._found, chosen, strict=True)]
        whole = pa.concat_tables([counted.rows for counted in found])
        ops = Ops(
            lambda name: column(whole, name),
            np.repeat(np.arange(len(found)), [len(counted.rows) for counted in found]),
            np.array([counted.samples for counted in found], dtype=np.int64),
            np.array([counted.time_steps for counted in found], dtype=np.int64),
            np.array([counted.uncounted_macs for counted in found]),
        )
        return ops, tuple(counted.validation for counted in found)
