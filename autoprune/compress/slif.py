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
from typing import Any, final

import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from autoprune.errors import CompressionError
from autoprune.models.adapter import NeuronSite
from autoprune.plan import NeuronPlan


@final
class SLIFNode(neuron.SimpleBaseNode):
    """The neuron of this module's docstring.

    Args:
        lif: the LIF neuron that it takes over: tau, threshold, reset and surrogate gradient.
        learns: ``threshold``, ``tau`` or ``both``.
        channels: shape of the learned parameters, broadcastable to one time step of the input;
            () for one value per layer.

    Shapes: [T, B, ...] -> spikes [T, B, ...].
    """

    def __init__(self, lif: neuron.LIFNode, learns: str, channels: tuple[int, ...] = ()) -> None:
        if not lif.decay_input or lif.v_reset is None:
            raise CompressionError("sLIF takes over a LIF with decay_input and hard reset only")
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
        threshold, decay = self.threshold, self.decay
        v: Any = self.v  # type: ignore[has-type]  # a number after a reset
        v = v if isinstance(v, Tensor) else torch.full_like(x_seq[0], v)
        spikes = []
        for x in x_seq:
            v = v + (x - (v - self.v_reset)) * decay
            spike = self.surrogate_function(v - threshold)
            reset = spike.detach() if self.detach_reset else spike
            v = v * (1.0 - reset) + self.v_reset * reset
            spikes.append(spike)
        self.v = v
        return torch.stack(spikes)

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
