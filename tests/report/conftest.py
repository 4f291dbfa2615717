"""Outcomes of a run that never trained, and a machine that prices them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
    """Makes an outcome: `correct` of 100 right, and `zeros` of the weights save energy."""

    def make(
        key: object,
        *,
        origin: str = "sampled",
        correct: int = 90,
        zeros: float = 0.0,
        **fields: Any,
    ) -> Outcome:
        plan = make_plan({"blocks.0.attention.l1p": zeros}, shape, effort)
        values = {
            "key": str(key),
            "origin": origin,
            "point": (),
            "plan": plan,
            "seed": 0,
            "state": "measured",
            "measurement": measured(plan, correct=correct, zeros=zeros),
        }
        return Outcome(**{**values, **fields})

    return make


@pytest.fixture
def baselines(outcome: MakeOutcome) -> dict[str, Outcome]:
    """The fine-tuned parent alone: 95 of 100 in validation, 93 in the test."""
    parent = outcome(FINE_TUNED, origin="baseline", correct=95)
    measurement = replace(parent.measurement, test=Score(correct=93, total=100))
    return {FINE_TUNED: replace(parent, measurement=measurement)}


@pytest.fixture
def model() -> CostModel:
    return load_machine("ops45_fp32")
