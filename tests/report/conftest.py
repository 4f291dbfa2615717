"""Outcomes of a run that never trained, and a machine that prices them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from autoprune.runs.outcome import Outcome
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Score

MakeOutcome = Callable[..., Outcome]


@pytest.fixture
def baselines(outcome: MakeOutcome) -> dict[TrialKey, Outcome]:
    """The fine-tuned parent alone: 95 of 100 in validation, 93 in the test; 90 and 93 at 8 bits."""
    parent = outcome(FINE_TUNED, origin="baseline", correct=95, rounded={8: 90})
    found = parent.measurement
    assert found is not None
    test = Score(correct=93, total=100)
    precisions = tuple(replace(precision, test=test) for precision in found.precisions)
    return {FINE_TUNED: replace(parent, measurement=replace(found, precisions=precisions))}
