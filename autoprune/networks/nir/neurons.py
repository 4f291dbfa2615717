"""Neurons of NIR in discrete time, and its integrators, which emit their potential.

The equations are NIR's; a step of length dt is Euler's, with k = dt / tau, and V is what a spike
leaves behind. All start at V = V_reset, and at 0 where there is no reset.

    I[t] = I[t-1] (1 - k_syn) + w_in k_syn X[t]            of CubaLIF and CubaLI, else I = X
    H[t] = V[t-1] + (R I[t] + V_leak - V[t-1]) k           of LIF, LI, CubaLIF, CubaLI
    H[t] = V[t-1] + R I[t] dt                              of IF and I
    S[t] = 1 where H[t] > V_threshold, else 0              NIR's rule; ours is >=
    V[t] = V_reset where S[t] is 1, else H[t]

NIR leaves open whether a current of the same step counts (it does here, as in spikingjelly and
snnTorch), and the state before the first step.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from spikingjelly.activation_based.neuron import SimpleBaseNode
from torch import Tensor


@final
class NirNeuron(SimpleBaseNode):
    """The neurons of one node, or its integrators.

    Args:
        node: an IF, LIF, CubaLIF, I, LI or CubaLI of the package ``nir``.
        dt: seconds of a time step.

    Shapes: [T, B, ...] -> spikes [T, B, ...]; integrators give V.

    Raises ValueError where a time constant is shorter than a step.
    """

    v: Any
    current: Any
    k: Tensor | None
    gain: Tensor
    leak: Tensor | None
    threshold: Tensor | None
    rest: Tensor | None
    k_syn: Tensor | None
    gain_syn: Tensor | None

    def __init__(self, node: Any, dt: float) -> None:
        super().__init__(step_mode="m")
        tau = getattr(node, "tau", getattr(node, "tau_mem", None))
        tau_syn = getattr(node, "tau_syn", None)
        k = None if tau is None else _factor(dt, tau)
        k_syn = None if tau_syn is None else _factor(dt, tau_syn)
        r = np.asarray(node.r, dtype=np.float64)
        self.register_buffer("k", _tensor(k))
        self.register_buffer("gain", _tensor(r * (dt if k is None else k)))
        self.register_buffer("leak", _tensor(getattr(node, "v_leak", None)))
        self.register_buffer("threshold", _tensor(getattr(node, "v_threshold", None)))
        self.register_buffer("rest", _tensor(getattr(node, "v_reset", None)))
        self.register_buffer("k_syn", _tensor(k_syn))
        self.register_buffer("gain_syn", _tensor(None if k_syn is None else node.w_in * k_syn))
        self.plain = bool((r == 1).all())
        self.register_memory("current", 0.0)

    @property
    def shape(self) -> torch.Size:
        """Shape of the signal that it takes."""
        return self.gain.shape

    def multi_step_forward(self, x_seq: Tensor) -> Tensor:
        """All steps, from the state that was left."""
        steps = [self.single_step_forward(x) for x in x_seq]
        return torch.stack(steps)

    def single_step_forward(self, x: Tensor) -> Tensor:
        """One step: [B, ...]."""
        v = self.v
        if not isinstance(v, Tensor):
            v = torch.zeros_like(x) if self.rest is None else self.rest.expand_as(x)
        h = self._charged(v, self._current(x))
        if self.threshold is None:
            self.v = h
            return h
        fired = (h > self.threshold).to(x.dtype)
        self.v = torch.where(fired > 0, self.rest if self.rest is not None else h, h)
        return fired

    def _current(self, x: Tensor) -> Tensor:
        if self.k_syn is None or self.gain_syn is None:
            return x
        self.current = self.current - self.current * self.k_syn + self.gain_syn * x
        return self.current

    def _charged(self, v: Tensor, i: Tensor) -> Tensor:
        if self.k is None or self.leak is None:
            return v + self.gain * i
        if self.plain:  # in the order of spikingjelly's LIF, so that both round alike
            return v + ((i + self.leak) - v) * self.k
        return v - (v - self.leak) * self.k + self.gain * i


def _factor(dt: float, tau: Any) -> Any:
    """Dt / tau, at most 1."""
    k = dt / np.asarray(tau, dtype=np.float64)
    if (k > 1 + 1e-9).any():
        raise ValueError(
            f"a time constant of {dt / k.max():.6g} s for steps of {dt:.6g} s; expected steps that "
            "are no longer, see --dt"
        )
    return k


def _tensor(values: Any) -> Tensor | None:
    return None if values is None else torch.as_tensor(np.asarray(values), dtype=torch.float32)
