"""Own work: a network is an answer for a machine where the machine itself does most of it.

What a host does is outside a machine's energy. A network that leaves a machine nothing to do, or of
which a host does more than the machine, is cheap there because it is not there: it is named apart,
and is on no front, in no count, in no hypervolume and never picked. Where a host does more than
half of every network, that is what the machine is for these networks, and none stands apart; nor
does any where the host is priced, since then its energy is in the total.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from autoprune.cost.host import REASONS
from autoprune.cost.model import CostModel
from autoprune.runs.outcome import Charge
from autoprune.workload.columns import Column

MOST = 0.5
"""A host does more than a machine beyond this share of a network's dense MACs."""


def is_idle(energy_uj: float, host_share: float) -> bool:
    """Whether a network of that energy and host's share leaves the machine nothing to do."""
    return energy_uj == 0 or host_share == 1


def most_there(model: CostModel, host_shares: Iterable[float]) -> float:
    """The most of a network that a host may do, by the shares of all networks with work there."""
    if model.machine.price_host:
        return 1.0
    return MOST if any(share <= MOST for share in host_shares) else 1.0


def beyond(model: CostModel, network: Charge, parent: Charge) -> float | None:
    """How far a network is from an answer, above 0 where it is none.

    It is what a host does of it beyond what it may, and 1 where the machine has nothing to do. A
    search has to say it of each network when it is measured: there the parent's share stands for
    those of all networks. None where a charge is unknown, or no host does any part of networks.
    """
    energy, share = network.energy_uj, network.host_share
    words = model.machine.capabilities.model_dump()
    if not any(words[name] == "host" for name in REASONS):
        return None
    if energy is None or share is None or parent.host_share is None:
        return None
    return 1.0 if is_idle(energy, share) else share - most_there(model, [parent.host_share])


def own_work(model: CostModel, energy_uj: Column, host_share: Column) -> Column:
    """Which of some networks are answers; one without an energy is none."""
    pairs = zip(energy_uj.tolist(), host_share.tolist(), strict=True)
    working = np.array([energy > 0 and not is_idle(energy, share) for energy, share in pairs])
    return working & (host_share <= most_there(model, host_share[working].tolist()))
