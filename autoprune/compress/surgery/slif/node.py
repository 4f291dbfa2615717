"""The sLIF: a LIF neuron whose threshold and time constant are learned together with the weights.

Synergistic leaky integrate-and-fire neuron of Sun et al., arXiv 2508.01992, in this project's
reading. With V the membrane potential and X the input, per time step t:

    H[t] = V[t-1] + (X[t] - (V[t-1] - V_reset)) * k        k = sigmoid(a0 + a), tau = 1 / k > 1
    S[t] = 1 where H[t] >= theta, else 0                   theta = theta0 * exp(w) > 0
    V[t] = H[t] (1 - S[t]) + V_reset S[t]

and, where the LIF in whose place it stands has it so:

    decay_input = False   H[t] = V[t-1] - (V[t-1] - V_reset) * k + X[t]
    soft reset            V[t] = H[t] - theta S[t], V_reset in H being 0

a and w start at 0. Where theta0 and a0 are those of the LIF, a fresh sLIF repeats its spikes; at
tau = 2 bit for bit, because dividing by 2 and multiplying by 0.5 round alike.

Thresholds that are learned one per neuron start apart, w being normal noise of standard deviation
0.01. That is the noise which the code of Sun et al., "A Synapse-Threshold Synergistic Learning
Approach for Spiking Neural Networks" (STL-SNN, arXiv 2206.06129), adds to thresholds, theirs being
of theta itself and a factor in it.
"""

from __future__ import annotations

import math
from typing import Any, final

import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from autoprune.compress.neurons import Learned
from autoprune.compress.surgery.slif.dynamics import Dynamics
from autoprune.compress.surgery.slif.function import run
from autoprune.errors import CompressionError

NOISE = 0.01
"""Standard deviation of w at its start where it is learned per neuron."""


@final
class SLIFNode(neuron.SimpleBaseNode):
    """The neuron of this module's docstring.

    Args:
        lif: the neuron that it takes over: tau, threshold, reset and surrogate gradient.
        threshold, tau: learned per layer, per channel, per neuron, or fixed.
        channels: shape of what is learned per channel, broadcastable to one time step of the input.
        neurons: shape of what is learned per neuron: that of the input of one sample in one step.
            None where it is not known; then it is that of what is loaded.
        random: draws the noise of thresholds per neuron; None: there is none.
        threshold_start, tau_start: multiples of the threshold and of tau - 1 to start from; these
            are learned as logarithms, so that theta > 0 and tau > 1 whatever is learned.

    Attributes:
        threshold_log, decay_logit: w and a; None where they are fixed.

    Shapes: [T, B, ...] -> spikes [T, B, ...].

    Raises CompressionError for a neuron that it cannot take over, and for a start that is not a
    positive number; when it runs, for inputs of another size than that of what is learned per
    neuron.
    """

    def __init__(  # noqa: PLR0913 - what is learned, where, and from which start
        self,
        lif: neuron.LIFNode | neuron.ParametricLIFNode,
        *,
        threshold: Learned = "fixed",
        tau: Learned = "fixed",
        channels: tuple[int, ...] = (),
        neurons: tuple[int, ...] | None = None,
        random: torch.Generator | None = None,
        threshold_start: float = 1.0,
        tau_start: float = 1.0,
    ) -> None:
        _check(lif)
        for key, start in (("threshold_start", threshold_start), ("tau_start", tau_start)):
            if not (start > 0 and math.isfinite(start)):
                raise CompressionError(f"sLIF: {key} is {start!r}; expected a number above 0")
        super().__init__(
            v_threshold=lif.v_threshold * threshold_start,
            v_reset=lif.v_reset,
            surrogate_function=lif.surrogate_function,
            detach_reset=lif.detach_reset,
            step_mode=lif.step_mode,
        )
        self.decay_input = lif.decay_input
        self.v: Any = self.v_start  # a tensor once a step was taken
        self.set_reset_value("v", self.v_start)
        # sigmoid(a0) = 1 / tau where exp(-a0) = tau - 1
        logit = -math.log(lif.tau - 1.0) if isinstance(lif, neuron.LIFNode) else lif.w.item()
        self.decay_start = logit - math.log(tau_start)
        shapes = {"layer": (), "channel": channels, "neuron": (0,) if neurons is None else neurons}
        self.single: tuple[str, ...] = ()
        for name, learned in (("threshold_log", threshold), ("decay_logit", tau)):
            self.register_parameter(
                name, None if learned == "fixed" else nn.Parameter(torch.zeros(shapes[learned]))
            )
            self.single += (name,) * (learned == "neuron")
        if random is not None and "threshold_log" in self.single:
            nn.init.normal_(self.threshold_log, std=NOISE, generator=random)

    @property
    def v_start(self) -> float:
        """V before the first step."""
        return self.v_reset or 0.0

    @property
    def dynamics(self) -> Dynamics:
        """Everything about this neuron that is not learned."""
        return Dynamics(
            threshold=self.v_threshold,
            logit=self.decay_start,
            reset=self.v_start,
            soft=self.v_reset is None,
            decay_input=self.decay_input,
            detach=self.detach_reset,
            surrogate=self.surrogate_function,
        )

    @property
    def threshold(self) -> Tensor | float:
        """Theta, positive."""
        return self.dynamics.theta(self.threshold_log)

    @property
    def decay(self) -> Tensor | float:
        """The factor k = 1 / tau, between 0 and 1."""
        return self.dynamics.k(self.decay_logit)

    def multi_step_forward(self, x_seq: Tensor) -> Tensor:
        """Spikes [T, B, ...] of the input [T, B, ...]; the state is kept until it is reset."""
        self._check_size(x_seq.shape[2:])
        v = self.v
        if not isinstance(v, Tensor):
            v = None if v == self.v_start else torch.full_like(x_seq[0], v)
        elif v.shape != x_seq.shape[1:]:  # another batch: it starts anew, as spikingjelly's does
            v = None
        else:
            v = v.to(x_seq)
        learnt = (self.threshold_log, self.decay_logit)
        spikes, self.v = run(x_seq, v, learnt, self.dynamics)
        return spikes

    def single_step_forward(self, x: Tensor) -> Tensor:
        """Spikes [B, ...] of one step."""
        return self.multi_step_forward(x.unsqueeze(0))[0]

    def _check_size(self, given: torch.Size) -> None:
        for name in self.single:
            known = getattr(self, name).shape
            if known != given:
                raise CompressionError(
                    f"sLIF: {name} is learned per neuron "
                    + (f"of inputs {list(known)}" if known != (0,) else "and no inputs were seen")
                    + f"; given {list(given)}; expected inputs of one size, seen at surgery"
                )

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        """As any module; what is learned per neuron of a number not known takes what is given."""
        for name in self.single:
            own, given = getattr(self, name), state_dict.get(prefix + name)
            if own.shape == (0,) and given is not None:
                own.data = own.data.new_zeros(given.shape)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _check(lif: Any) -> None:
    """Raise CompressionError where sLIF would not do what this neuron does."""
    if type(lif) not in (neuron.LIFNode, neuron.ParametricLIFNode):
        raise CompressionError(
            f"sLIF: given a {type(lif).__name__}; expected a LIFNode or ParametricLIFNode"
        )
    function, probe = lif.surrogate_function, torch.zeros(1)
    try:
        function.backward(probe, probe, **function._sg_params)
    except (AttributeError, TypeError) as error:
        raise CompressionError(
            f"sLIF: given surrogate {type(function).__name__}, whose gradient cannot be called; "
            "expected one with backward(grad, x, **parameters), as Sigmoid and ATan have it"
        ) from error
