"""Outcomes of a run that never trained, and a machine that prices them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.measurement import Measurement, Score
from autoprune.outcome import FINE_TUNED, Outcome
from autoprune.plan import Effort
from autoprune.point import make_plan
from autoprune.shape import NetworkShape

MakeOutcome = Callable[..., Outcome]


@pytest.fixture
def outcome(
    shape: NetworkShape, effort: Effort, measured: Callable[..., Measurement]
) -> MakeOutcome:
    """Makes an outcome: `correct` of 100 right, and `zeros` of the weights save energy.

    `rounded` has what is right with fewer bits of a weight, by bits; `weight_bits` are the plan's.
    """

    def make(
        key: object,
        *,
        origin: str = "sampled",
        correct: int = 90,
        zeros: float = 0.0,
        rounded: Mapping[int, int] = MappingProxyType({}),
        weight_bits: int = 32,
        **fields: Any,
    ) -> Outcome:
        point = {"blocks.0.attention.l1p": zeros, "weight_bits": weight_bits}
        plan = make_plan(point, shape, effort)
        values = {
            "key": str(key),
            "origin": origin,
            "point": (),
            "plan": plan,
            "seed": 0,
            "state": "measured",
            "measurement": measured(plan, correct=correct, zeros=zeros, rounded=rounded),
        }
        return Outcome(**{**values, **fields})

    return make


@pytest.fixture
def baselines(outcome: MakeOutcome) -> dict[str, Outcome]:
    """The fine-tuned parent alone: 95 of 100 in validation, 93 in the test; 90 and 93 at 8 bits."""
    parent = outcome(FINE_TUNED, origin="baseline", correct=95, rounded={8: 90})
    found = parent.measurement
    assert found is not None
    test = Score(correct=93, total=100)
    precisions = tuple(replace(precision, test=test) for precision in found.precisions)
    return {FINE_TUNED: replace(parent, measurement=replace(found, precisions=precisions))}


@pytest.fixture
def model() -> CostModel:
    return load_machine("ops45_fp32")


@pytest.fixture
def int8() -> CostModel:
    """A machine with weights of 8 bits."""
    return load_machine("ops45_int8")
