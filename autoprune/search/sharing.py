"""What many trials of an Optuna study share with each other and their copies: memory and time."""

from __future__ import annotations

import copy
import sys
from typing import Any, final

from optuna.trial import FrozenTrial


def intern(trial: FrozenTrial) -> None:
    """Let a stored trial have the words that the run has anyhow: a journal's are its own."""
    for attributes in (trial.user_attrs, trial.system_attrs):
        words = [
            (sys.intern(k), sys.intern(v) if isinstance(v, str) else v)
            for k, v in attributes.items()
        ]
        attributes.clear()
        attributes.update(words)


@final
class _Uncopied(dict[str, Any]):
    """A dictionary of which Optuna makes no copy, all the way down, where it takes over a trial."""

    def __deepcopy__(self, memo: object) -> _Uncopied:
        return self


def uncopied(trial: FrozenTrial) -> FrozenTrial:
    """A trial as it can be added quickly: its parameters are shared afterwards anyhow."""
    light = copy.copy(trial)
    light.params, light.distributions = _Uncopied(trial.params), _Uncopied(trial.distributions)
    return light
