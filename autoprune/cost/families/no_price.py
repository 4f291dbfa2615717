"""no_price: a chip whose makers publish what it holds and does, and no energy that can be checked.

What a network needs there is known: operations that the chip leaves to a host, the bytes of weights
and membranes, limits that are exceeded, and, where the file says in which integers neurons compute,
the accuracy in them. Energy and time are not: no published price.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, final

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops


@final
class NoPrice(CostModel):
    """What stands in this module's docstring."""

    PRICED: ClassVar = False
    PRICES: ClassVar = {}
    CHOICES: ClassVar = {"attention_order": ("executed", "published")}
    CAPABILITIES: ClassVar = {"spike_sparsity": ("skip",), "neuron": ("native",)}

    def actions(self, ops: Ops) -> Iterator[Action]:
        """Nothing is charged."""
        yield from ()
