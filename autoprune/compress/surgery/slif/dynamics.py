"""What a sLIF does besides what it learns, and how w and a become theta and k."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from spikingjelly.activation_based import surrogate
from torch import Tensor

Learnt = tuple[Tensor | None, Tensor | None]
"""w and a, each of a shape that broadcasts over the batch; None where it is not learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamics:
    """What is not learned.

    Attributes:
        threshold, logit: the starts theta0 and a0.
        reset: V_reset; 0 where reset is soft.
        soft: whether a spike takes theta off V, in place of setting it to V_reset.
        decay_input: whether k acts on the input, too.
        detach: whether no gradient goes through the spikes that reset V.
        surrogate: the spike, and its gradient.
    """

    threshold: float
    logit: float
    reset: float
    soft: bool
    decay_input: bool
    detach: bool
    surrogate: Any

    def theta(self, w: Tensor | None) -> Tensor | float:
        """Theta = theta0 * exp(w), of the shape of w."""
        return self.threshold if w is None else self.threshold * w.exp()

    def k(self, a: Tensor | None) -> Tensor | float:
        """The factor k = sigmoid(a0 + a), of the shape of a."""
        if a is None:
            return torch.tensor(self.logit, dtype=torch.float64).sigmoid().item()
        return (self.logit + a).sigmoid()

    def fire(self, h: Tensor, theta: Tensor, out: Tensor) -> None:
        """S of H; the surrogate's smooth primitive where its spiking is switched off."""
        if self.surrogate.spiking:
            torch.ge(h, theta, out=out)
        else:
            out.copy_(self.surrogate(h - theta))

    def slope(self, grad: Tensor, u: Tensor) -> Tensor:
        """The surrogate's gradient at u times `grad`; it may overwrite u."""
        function = self.surrogate
        if type(function) is surrogate.Sigmoid:  # these two: in place, for speed
            u.mul_(function.alpha).sigmoid_()
            backward = torch.ops.aten.sigmoid_backward.grad_input
            return backward(grad, u, grad_input=u).mul_(function.alpha)
        if type(function) is surrogate.ATan:
            scale = 2.0 / function.alpha
            u.mul_(u).mul_((math.pi / scale) ** 2 * scale).add_(scale)
            return torch.div(grad, u, out=u)
        return function.backward(grad, u, **function._sg_params)
