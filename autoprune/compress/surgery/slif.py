"""sLIF: a LIF neuron whose threshold and time constant are learned together with the weights.

Synergistic leaky integrate-and-fire neuron of Sun et al., arXiv 2508.01992, in this project's
reading. With V the membrane potential and X the input, per time step t:

    H[t] = V[t-1] + (X[t] - (V[t-1] - V_reset)) * k        k = sigmoid(a0 + a), tau = 1 / k > 1
    S[t] = 1 where H[t] >= theta, else 0                   theta = theta0 * exp(w) > 0
    V[t] = H[t] (1 - S[t]) + V_reset S[t]

a and w start at 0. Where theta0 and a0 are those of the LIF, a fresh sLIF repeats its spikes; at
tau = 2 bit for bit, because dividing by 2 and multiplying by 0.5 round alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from autoprune.compress.neurons import Learned, Neurons
from autoprune.compress.part import Part
from autoprune.compress.surgery.slif_function import Dynamics, run
from autoprune.compress.surgery.slif_plain import PlainSLIF
from autoprune.compress.surgery.surgery import Subject, Surgery
from autoprune.errors import CompressionError, InputError
from autoprune.networks.adapter import NeuronSite
from autoprune.networks.place import Place


@final
class SLIFNode(neuron.SimpleBaseNode):
    """The neuron of this module's docstring.

    Args:
        lif: the neuron that it takes over: tau, threshold, reset and surrogate gradient.
        threshold, tau: learned per layer, per channel, or fixed.
        channels: shape of what is learned per channel, broadcastable to one time step of the input.
        threshold_start, tau_start: multiples of the threshold and of tau - 1 to start from; these
            are learned as logarithms, so that theta > 0 and tau > 1 whatever is learned.

    Attributes:
        threshold_log, decay_logit: w and a; None where they are fixed.

    Shapes: [T, B, ...] -> spikes [T, B, ...].

    Raises CompressionError for a neuron that it cannot take over, and for a start that is not a
    positive number.
    """

    def __init__(  # noqa: PLR0913 - what is learned, where, and from which start
        self,
        lif: neuron.LIFNode | neuron.ParametricLIFNode,
        *,
        threshold: Learned = "fixed",
        tau: Learned = "fixed",
        channels: tuple[int, ...] = (),
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
        self.v: Any = self.v_reset  # a tensor once a step was taken
        self.set_reset_value("v", self.v_reset)
        # sigmoid(a0) = 1 / tau where exp(-a0) = tau - 1
        logit = -math.log(lif.tau - 1.0) if isinstance(lif, neuron.LIFNode) else lif.w.item()
        self.decay_start = logit - math.log(tau_start)
        for name, learned in (("threshold_log", threshold), ("decay_logit", tau)):
            shape = channels if learned == "channel" else ()
            self.register_parameter(
                name, None if learned == "fixed" else nn.Parameter(torch.zeros(shape))
            )

    @property
    def dynamics(self) -> Dynamics:
        """Everything about this neuron that is not learned."""
        return Dynamics(
            threshold=self.v_threshold,
            logit=self.decay_start,
            reset=self.v_reset,
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
        v = self.v
        if not isinstance(v, Tensor):
            v = None if v == self.v_reset else torch.full_like(x_seq[0], v)
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


@final
class SLIFSurgery(Surgery):
    """Puts sLIF in place of the neurons of every block that the part names."""

    def reshape(self, subject: Subject, part: Part) -> None:
        """Exchange the neurons."""
        for index, branches in enumerate(subject.adapter.branches(subject.network)):
            neurons = Neurons.of(part.at(Place(index, "neuron")))
            for branch in branches:
                swap(branch.neurons, neurons)

    def learned(self, network: nn.Module) -> int:
        """What neurons learn begins at zero and may stay there."""
        nodes = _nodes(network).values()
        return sum(p.numel() for node in nodes for p in node.parameters(recurse=False))

    def starts(self, network: nn.Module) -> dict[str, dict[str, float]]:
        """What neurons start from, which may come from a parent's learned neurons."""
        return {
            path: {"v_threshold": node.v_threshold, "decay_start": node.decay_start}
            for path, node in _nodes(network).items()
        }

    def restart(self, network: nn.Module, starts: Mapping[str, Mapping[str, float]]) -> None:
        """Let neurons start from what `starts` gave."""
        nodes = _nodes(network)
        for path, start in starts.items():
            if path not in nodes:
                raise InputError("starts", f"{path} is no sLIF", candidates=nodes)
            nodes[path].v_threshold = start["v_threshold"]
            nodes[path].decay_start = start["decay_start"]

    def plain(self, module: Any) -> nn.Module | None:
        """The loop over the steps of a neuron, as plain operations."""
        if not isinstance(module, SLIFNode):
            return None
        return PlainSLIF(module.threshold, module.decay, float(module.v_reset or 0.0))


def _nodes(network: nn.Module) -> dict[str, SLIFNode]:
    return {p: node for p, node in network.named_modules() if isinstance(node, SLIFNode)}


def _check(lif: Any) -> None:
    """Raise CompressionError where sLIF would not do what this neuron does."""
    if type(lif) not in (neuron.LIFNode, neuron.ParametricLIFNode):
        raise CompressionError(
            f"sLIF: given a {type(lif).__name__}; expected a LIFNode or ParametricLIFNode"
        )
    if lif.v_reset is None:
        raise CompressionError("sLIF: given soft reset (v_reset None); expected hard reset")
    if not lif.decay_input:
        raise CompressionError("sLIF: given decay_input=False; expected decay_input")
    function, probe = lif.surrogate_function, torch.zeros(1)
    try:
        function.backward(probe, probe, **function._sg_params)
    except (AttributeError, TypeError) as error:
        raise CompressionError(
            f"sLIF: given surrogate {type(function).__name__}, whose gradient cannot be called; "
            "expected one with backward(grad, x, **parameters), as Sigmoid and ATan have it"
        ) from error


def swap(sites: tuple[NeuronSite, ...], plan: Neurons) -> None:
    """Put sLIF in place of the neurons at `sites`, in place; nothing where the plan keeps them.

    The caller invalidates spikingjelly's list of modules to reset.
    """
    if plan.is_lif:
        return
    for site in sites:
        node = SLIFNode(
            getattr(site.owner, site.name),
            threshold=plan.threshold,
            tau=plan.tau,
            channels=site.channels,
            threshold_start=plan.threshold_start,
            tau_start=plan.tau_start,
        )
        setattr(site.owner, site.name, node)
