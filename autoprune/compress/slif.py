"""sLIF: a LIF neuron whose threshold and time constant are learned together with the weights.

Synergistic leaky integrate-and-fire neuron of Sun et al., arXiv 2508.01992, in this project's
reading. With V the membrane potential and X the input, per time step t:

    H[t] = V[t-1] + (X[t] - (V[t-1] - V_reset)) * k        k = sigmoid(a0 + a), tau = 1 / k > 1
    S[t] = 1 where H[t] >= theta, else 0                   theta = theta0 * exp(w) > 0
    V[t] = H[t] (1 - S[t]) + V_reset S[t]

a and w start at 0, so that a fresh sLIF repeats the LIF's spikes; at tau = 2 bit for bit, because
dividing by 2 and multiplying by 0.5 round alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import torch
from spikingjelly.activation_based import neuron, surrogate
from torch import Tensor, nn

from autoprune.errors import CompressionError
from autoprune.models.adapter import NeuronSite
from autoprune.plan import NeuronPlan


class _Dynamics(torch.autograd.Function):
    """All time steps of the neuron in one function, with the backward pass written out.

    With L the loss, g the gradient of a spike, sigma' the surrogate's derivative and u = dL/dV[t]:

        dL/dS[t] = g[t] + (V_reset - H[t]) u, the second part only where the reset is not detached
        dL/dH[t] = sigma'[t] dL/dS[t] + (1 - S[t]) u
        dL/dX[t] = k dL/dH[t]             dL/dV[t-1] = (1 - k) dL/dH[t]
        dL/dtheta = - sum sigma'[t] dL/dS[t]
        dL/dk = sum (X[t] - V[t-1] + V_reset) dL/dH[t]

    Recorded operation by operation, as autograd would, the pass takes half as long again.
    """

    @staticmethod
    def forward(  # noqa: PLR0913 - the inputs of the equations
        ctx: Any, x: Tensor, v: Tensor, theta: Tensor, k: Tensor, rule: _Rule
    ) -> Any:
        before, charged, spikes = [torch.empty_like(x) for _ in range(3)]
        for t in range(len(x)):
            before[t] = v
            h = torch.sub(x[t], v - rule.v_reset if rule.v_reset else v, out=charged[t])
            h.mul_(k).add_(v)
            if rule.spiking:
                torch.ge(h, theta, out=spikes[t])
            else:
                torch.sigmoid(rule.alpha * (h - theta), out=spikes[t])
            v = h * (1.0 - spikes[t])
            if rule.v_reset:
                v = v + rule.v_reset * spikes[t]
        ctx.save_for_backward(x, before, charged, spikes, theta, k)
        ctx.rule = rule
        return spikes, v

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        g, u = gradients
        x, before, charged, spikes, theta, k = ctx.saved_tensors
        rule: _Rule = ctx.rule
        smooth = torch.sigmoid(rule.alpha * (charged - theta))
        slope = rule.alpha * smooth * (1.0 - smooth)
        by_spike = slope * g
        by_charge = torch.empty_like(x)
        for t in range(len(x) - 1, -1, -1):
            if not rule.detach_reset:
                by_spike[t] += slope[t] * (rule.v_reset - charged[t]) * u
            torch.addcmul(by_spike[t], 1.0 - spikes[t], u, out=by_charge[t])
            u = by_charge[t] * (1.0 - k)
        by_theta = -by_spike.sum_to_size(theta.shape) if ctx.needs_input_grad[2] else None
        by_k = None
        if ctx.needs_input_grad[3]:
            by_k = (by_charge * (x - before + rule.v_reset)).sum_to_size(k.shape)
        return by_charge * k, u, by_theta, by_k, None


@dataclass(frozen=True, slots=True)
class _Rule:
    """What of the LIF neuron stays as it was."""

    v_reset: float
    alpha: float
    spiking: bool
    detach_reset: bool


@final
class SLIFNode(neuron.SimpleBaseNode):
    """The neuron of this module's docstring.

    Args:
        lif: the LIF neuron that it takes over: tau, threshold, reset and surrogate gradient.
        learns: ``threshold``, ``tau`` or ``both``.
        channels: shape of the learned parameters, broadcastable to one time step of the input;
            () for one value per layer.

    Raises CompressionError for a LIF without decay_input, hard reset or sigmoid surrogate.

    Shapes: [T, B, ...] -> spikes [T, B, ...].
    """

    def __init__(self, lif: neuron.LIFNode, learns: str, channels: tuple[int, ...] = ()) -> None:
        if not lif.decay_input or lif.v_reset is None:
            raise CompressionError("sLIF takes over a LIF with decay_input and hard reset only")
        if not isinstance(lif.surrogate_function, surrogate.Sigmoid):
            raise CompressionError("sLIF takes over a LIF with a sigmoid surrogate only")
        super().__init__(
            v_threshold=lif.v_threshold,
            v_reset=lif.v_reset,
            surrogate_function=lif.surrogate_function,
            detach_reset=lif.detach_reset,
            step_mode=lif.step_mode,
        )
        self.decay_start = -math.log(lif.tau - 1.0)
        self.threshold_log = nn.Parameter(
            torch.zeros(channels), requires_grad=learns in ("threshold", "both")
        )
        self.decay_logit = nn.Parameter(
            torch.zeros(channels), requires_grad=learns in ("tau", "both")
        )

    @property
    def threshold(self) -> Tensor:
        """Theta, positive."""
        return self.v_threshold * self.threshold_log.exp()

    @property
    def decay(self) -> Tensor:
        """The factor k = 1 / tau, between 0 and 1."""
        return torch.sigmoid(self.decay_start + self.decay_logit)

    def multi_step_forward(self, x_seq: Tensor) -> Tensor:
        """Spikes [T, B, ...] of the input [T, B, ...]; the state is kept until it is reset."""
        rule = _Rule(
            v_reset=self.v_reset,
            alpha=self.surrogate_function.alpha,
            spiking=self.surrogate_function.spiking,
            detach_reset=self.detach_reset,
        )
        v: Any = self.v  # type: ignore[has-type]  # a number after a reset
        v = v if isinstance(v, Tensor) else torch.full_like(x_seq[0], v)
        run: Any = _Dynamics.apply
        spikes, self.v = run(x_seq, v, self.threshold, self.decay, rule)
        return spikes

    def single_step_forward(self, x: Tensor) -> Tensor:
        """Spikes [B, ...] of one step."""
        return self.multi_step_forward(x.unsqueeze(0))[0]


def swap(sites: tuple[NeuronSite, ...], plan: NeuronPlan) -> None:
    """Put sLIF in place of the LIF neurons at `sites`, in place; nothing where the plan is LIF.

    The caller invalidates spikingjelly's list of modules to reset.
    """
    if plan.kind == "lif":
        return
    for site in sites:
        channels = site.channels if plan.granularity == "channel" else ()
        lif = getattr(site.owner, site.name)
        setattr(site.owner, site.name, SLIFNode(lif, plan.learns, channels))
