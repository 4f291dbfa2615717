"""Chips without a published price: what a network needs there is known, and energy is not."""

from __future__ import annotations

import pytest

from autoprune.cost.cost import NO_PRICE, UnknownCost
from autoprune.cost.limits import fit_words
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.runs.metrics import energy_uj, memory_kib, over_limits
from tests.operations import PRICED

WORK = sample_workload()


@pytest.mark.parametrize("name", ["loihi2", "speck", "xylo"])
def test_bytes_and_what_fits_are_known_without_a_price(name):
    assert name not in PRICED
    model = load_machine(name)
    cost = model.price(WORK)
    assert (cost.energy_uj, cost.unpriced) == (None, (NO_PRICE,))
    with pytest.raises(UnknownCost, match=f"{name}: defines no energy: no published price"):
        energy_uj(cost)
    assert memory_kib(cost) == model.price_all(Ops.of([WORK])).memory_kib[0] > 0
    assert over_limits(cost) == 0 and fit_words(cost.misfits) == "yes"
    assert cost.host_share > 0  # pixels, and products of activations
    assert model.machine.arithmetic is not None


def test_what_does_not_fit_is_said():
    (misfit,) = load_machine("xylo").price(sample_workload(width=256)).misfits
    assert str(misfit) == "2304 neurons, at most 1008"
