"""The table [search] of a study, and the samplers that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, model_validator

from autoprune.config import STRICT, Count, Rate


@dataclass(frozen=True, slots=True)
class OptunaSampler:
    """A sampler of Optuna's.

    Attributes:
        class_name: in `optuna.samplers`. settings: what it is made with besides a seed.
        one_sequence: whether all trials are of the sequence of the study's seed; each has a seed of
            its own, else.
    """

    class_name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    one_sequence: bool = False


OWN = "block_response"
"""autoprune's own sampler."""

OPTUNA = {
    "random": OptunaSampler("RandomSampler"),
    "qmc": OptunaSampler("QMCSampler", {"scramble": True}, one_sequence=True),
    # Parameters one by one, which did better than the multivariate form with several objectives.
    "tpe": OptunaSampler("TPESampler"),
    # A population of 20 suits runs of some hundred trials.
    "nsga2": OptunaSampler("NSGAIISampler", {"population_size": 20}),
    "nsga3": OptunaSampler("NSGAIIISampler", {"population_size": 20}),
    "gp": OptunaSampler("GPSampler", {"deterministic_objective": False}),
}
"""Optuna's samplers by the names that studies use."""

if TYPE_CHECKING:
    Sampler: TypeAlias = str
else:
    Sampler = Literal[(*OPTUNA, OWN)]  # the names stand once, and a type checker reads no table


class SearchSpec(BaseModel):
    """How configurations are proposed.

    Attributes:
        sampler: those of Optuna, and autoprune's own ``block_response``.
        lag: proposal i sees the outcomes of the trials up to i - lag, whatever the number of
            workers; at most this many trials run at a time.
        stop_below: where it is given, the search ends once ten proposals in a row promise less:
            expected gain of hypervolume, as a share of the box between the best values and the
            reference, summed over fronts; of ``block_response`` only, which knows it.
    """

    model_config = STRICT
    sampler: Sampler
    lag: Count
    stop_below: Rate | None = None

    @model_validator(mode="after")
    def _knows_gain(self) -> SearchSpec:
        if self.stop_below is not None and self.sampler != OWN:
            raise ValueError(f"stop_below with sampler = {OWN!r}, not {self.sampler!r}")
        return self
