"""The front of a machine over outcomes in memory, and all fronts of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import final

from autoprune.cost.model import CostModel
from autoprune.networks.shape import NetworkShape
from autoprune.report.front.candidates import Candidate, Candidates
from autoprune.report.front.front import MachineFront
from autoprune.report.front.priced import AT_A_TIME
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Head, Outcome
from autoprune.trial.key import TrialKey


def machine_front(
    outcomes: Iterable[Outcome],
    baselines: Mapping[TrialKey, Outcome],
    model: CostModel,
    shape: NetworkShape,
    data: str = "",
) -> MachineFront:
    """The front of a machine over outcomes in memory; see `Candidates`.

    Raises what `Candidates.add` and `Candidates.front` raise.
    """
    found = {outcome.key: outcome for outcome in outcomes}
    candidates = Candidates(model, shape, lambda key: found[key.whole].after(key.after))
    candidates.add(outcome.head for outcome in found.values())
    return candidates.front(baselines, data)


@final
class RunFronts:
    """The fronts of a run; what machines share is read once.

    Args:
        folder: of the run. heads: its trials.
    """

    def __init__(self, folder: RunFolder, heads: Sequence[Head]) -> None:
        self._folder, self._heads, self._shape = folder, heads, folder.record.shape
        self._read = lru_cache(AT_A_TIME)(folder.read)
        self._baselines = folder.read_baselines()
        self._words = {head.key: head.plan.short(self._shape) for head in heads}

    def of(self, model: CostModel) -> MachineFront:
        """The front of a machine.

        Raises what `Candidates.add` and `Candidates.front` raise, and RecordError where a file is
        damaged.
        """
        return self.candidates(model).front(self._baselines, self._folder.record.data)

    def members(self, model: CostModel) -> list[Candidate]:
        """The trials that no other dominates on a machine, by ascending energy; raises likewise."""
        return self.candidates(model).members

    def candidates(self, model: CostModel) -> Candidates:
        """All trials on a machine; raises likewise."""
        candidates = Candidates(model, self._shape, self._read)
        candidates.add(self._heads, self._words)
        return candidates
