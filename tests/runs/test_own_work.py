"""Which networks are answers for a machine, as a search is told of one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.runs.outcome import Charge
from autoprune.runs.own_work import beyond

LOIHI = load_machine("loihi1")
PRICED = type(LOIHI)(replace(LOIHI.machine, price_host=True))


@pytest.mark.parametrize(
    ("model", "energy_uj", "share", "of_parent", "expected"),
    [
        (LOIHI, 2.0, 0.3, 0.1, -0.2),
        (LOIHI, 2.0, 0.8, 0.1, 0.3),  # a host does more than half
        (LOIHI, 2.0, 0.8, 0.6, -0.2),  # as it does of the parent: that is what the machine is for
        (LOIHI, 0.0, 0.3, 0.1, 1.0),  # nothing to do
        (LOIHI, 2.0, 1.0, 0.6, 1.0),
        (PRICED, 2.0, 0.8, 0.1, -0.2),  # the host's energy is in the total
        (LOIHI, None, None, 0.1, None),
        (load_machine("ops45_fp32"), 2.0, 0.0, 0.0, None),  # leaves nothing to a host
    ],
)
def test_how_far_a_network_is_from_an_answer(model, energy_uj, share, of_parent, expected):
    network = Charge(energy_uj=energy_uj, host_share=share)
    found = beyond(model, network, Charge(energy_uj=9.0, host_share=of_parent))
    assert found == (None if expected is None else pytest.approx(expected))
