"""Whether the trials of a stored Optuna study can be a run's: a journal or database may be damaged.

Optuna takes most of what is stored as it is, and fails where it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from autoprune.errors import RecordError
from autoprune.search.block_response import GAIN

KEPT = "autoprune:kept"
"""System attribute of a trial: what its sampler left with the study; a run that goes on finds it.

It is written with the trial, all or nothing.
"""


def check_stored(
    trials: Iterable[FrozenTrial],
    space: Mapping[str, BaseDistribution],
    objectives: int,
    plans: Mapping[int, str],
) -> None:
    """RecordError for the first trial, by number, that the run has not stored.

    A run stores each with its parameters in the `space` and the hash of its plan, and tells them in
    their order: with so many finite `objectives`, or as failed. `plans` are the hashes of those
    whose outcomes lie in the run folder, by number.
    """
    open_before = False
    for trial in trials:
        wrong = next(_wrong(trial, space, objectives), "")
        if trial.state.is_finished() and open_before:
            wrong = wrong or "it has ended before an earlier one"
        given = trial.user_attrs.get("hash")
        if given != plans.get(trial.number, given):
            wrong = wrong or "the run folder has another plan"
        if wrong:
            raise RecordError(
                f"the Optuna study is damaged, or another run's (trial {trial.number}: {wrong}): "
                "remove it, and the same command makes it anew"
            )
        open_before = open_before or not trial.state.is_finished()


def _wrong(
    trial: FrozenTrial, space: Mapping[str, BaseDistribution], objectives: int
) -> Iterator[str]:
    """What a run would not have stored, in words."""
    attributes = trial.system_attrs
    if not isinstance(trial.user_attrs.get("hash"), str):
        yield "it names no plan"
    if trial.distributions != space or trial.params.keys() != space.keys():
        yield "its parameters are others than the search space's"
    elif not all(_holds(space[name], value) for name, value in trial.params.items()):
        yield f"its parameters are {trial.params!r:.200}"
    if trial.state not in (TrialState.RUNNING, TrialState.COMPLETE, TrialState.FAIL):
        yield f"its state is {trial.state.name}"
    told = trial.values if trial.state is TrialState.COMPLETE else [0.0] * objectives
    if not isinstance(told, list) or len(told) != objectives or not all(map(_is_number, told)):
        yield f"its values are {told!r:.200}"
    numbers = [value for name, value in attributes.items() if name.startswith("constraints:")]
    if not all(map(_is_number, [*numbers, attributes.get(GAIN, 0.0)])):
        yield "its attributes are no numbers"
    if not isinstance(attributes.get(KEPT, {}), dict):
        yield f"its sampler has left {attributes[KEPT]!r:.200}"


def _holds(distribution: BaseDistribution, value: object) -> bool:
    if not isinstance(value, str) and not _is_number(value):
        return False
    try:
        return distribution._contains(distribution.to_internal_repr(value))
    except (OverflowError, TypeError, ValueError):
        return False


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # as NaN is not, nor an integer that no float holds
