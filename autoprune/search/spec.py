"""The table [search] of a study, and the samplers that have a name."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, model_validator

from autoprune.config import STRICT, Count, Rate

Sampler = Literal["random", "qmc", "tpe", "nsga2", "nsga3", "gp", "block_response"]


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
        if self.stop_below is not None and self.sampler != "block_response":
            raise ValueError(f"stop_below with sampler = 'block_response', not {self.sampler!r}")
        return self
