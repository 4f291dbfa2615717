"""Every method obeys the laws of methods on every family of networks."""

from __future__ import annotations

import pytest

from autoprune.compress.registry import OURS
from autoprune.trial.method_contract import verdicts
from autoprune.trial.method_laws import CHEAP, LAWS
from autoprune.trial.tried import Tried
from tests.networks.conftest import CASES

QUICK = ("own", "spikformer", "qkformer_token", "maxformer")
"""Networks of which the laws are tested by default: one of each kind of block."""


@pytest.fixture
def tried(case, images, device) -> Tried:
    network, adapter = case.make()
    return Tried(network=network.to(device), adapter=adapter, samples=images)


@pytest.mark.parametrize(
    "case",
    [pytest.param(n, marks=() if n in QUICK else pytest.mark.full) for n in CASES],
    indirect=True,
)
@pytest.mark.parametrize("method", OURS, ids=lambda method: method.name)
def test_laws_that_need_no_training(method, tried):
    assert [verdict for verdict in verdicts(method, tried, CHEAP) if verdict.counterexample] == []


@pytest.mark.full
@pytest.mark.parametrize("method", OURS, ids=lambda method: method.name)
def test_laws_that_need_training_or_a_process(method, tried):
    rest = {law: LAWS[law] for law in LAWS.keys() - CHEAP.keys()}
    assert [verdict for verdict in verdicts(method, tried, rest) if verdict.counterexample] == []
