"""block_response: Optuna's own tests for samplers, and that it finds what adds up."""

from __future__ import annotations

import pytest
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from autoprune.search.block_response import BlockResponseSampler


class TestAsOptunaDoes(
    BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase
):
    """Optuna's tests for a sampler of any study."""

    @pytest.fixture
    def sampler(self):
        return lambda: BlockResponseSampler(startup_trials=1)
