"""Neurons: who emitted spikes, and which operation drives them."""

from __future__ import annotations

import torch
from torch import Tensor

from autoprune.workload.census.axes import Axes
from autoprune.workload.census.entry import Entry
from autoprune.workload.census.ledger import Ledger
from autoprune.workload.census.operand import Raw
from autoprune.workload.census.shown import Shown
from autoprune.workload.census.touched import count
from autoprune.workload.census.trace import Emission, Trace, Traced
from autoprune.workload.census.values import REAL, Values, counted, examine, spikes, version


class Neurons:
    """Assigns neurons to the operations of a ledger.

    Args:
        ledger: of the pass.
        shown: what the network is shown.
    """

    def __init__(self, ledger: Ledger, shown: Shown) -> None:
        self._ledger, self._shown = ledger, shown

    def fired(self, path: str, x: Traced, out: Tensor, owner: Entry | None) -> Trace:
        """Neurons took `x`, which `owner` made, and emitted `out` of that shape; its trace."""
        tensor, trace = x
        updates = tensor.numel()
        self._ledger.note("neuron_update", updates)
        active = count(trace.touched, updates)
        values = examine(out)
        self._drive(path, owner, (counted(out, values), values), trace.axes, active)
        return Trace(
            producers=(owner,) if owner else trace.producers or ("input",),
            axes=trace.axes,
            unit=None if values == REAL else values.unit,
            held=(values, version(out)),
        )

    def read(self, trace: Trace, raw: Raw) -> None:
        """Count neurons of no known class that emitted what is read, if spikes are read.

        Nothing but spikes went into it, as into their rates; or its data are spikes.
        """
        waiting = [emission for emission in trace.emitted if not emission.is_counted]
        if waiting and (trace.is_spikes or (not raw.real and raw.operand().values != REAL)):
            for emission in waiting:
                self.emitted(emission)

    def emitted(self, emission: Emission) -> None:
        """Something reads spikes that were made without a module known for its neurons."""
        while emission.whole is not None:
            emission.is_counted, emission = True, emission.whole
        if emission.is_counted:
            return
        spiked, emission.is_counted = emission.spikes, True
        values, updates = examine(spiked), spiked.numel()
        self._ledger.note("neuron_update", updates)
        held = counted(spiked, values), values
        fired = self._drive(emission.path, emission.owner, held, emission.axes, updates)
        self._ledger.find(emission.path, emission.owner, *fired)

    def _drive(
        self, path: str, owner: Entry | None, held: tuple[Tensor, Values], axes: Axes, active: int
    ) -> tuple[int, int]:
        """Assign neurons that emitted `held` to what drives them: how many, how many steps."""
        spiked, values = held
        by_step = self._shown.by_step(spiked, axes, path)
        steps, samples = by_step.shape[:2]
        neurons = spiked.numel() // (steps * samples)
        if owner is None:
            self._ledger.unowned[path or "the network itself"] = neurons
        else:
            emitted = spikes(by_step, values).flatten(2).sum(2).sum(0, dtype=torch.float64)
            owner.fired[path, neurons, steps] += 1
            owner.updates += spiked.numel()
            owner.active += active
            owner.spikes = owner.spikes + emitted
        return neurons, steps
