"""The sLIF's backward pass, through all time steps of a block of neurons.

S and V follow from H, which alone is kept. With G[t] = dL/dH[t], C[t] = H[t] - V_reset, F[t] =
dL/dV[t], which is (1 - k) G[t+1], and sg the surrogate gradient at H[t] - theta:

    hard reset    P[t] = sg (dL/dS[t] - F[t] C[t])      G[t] = P[t] + (1 - S[t]) F[t]
    soft reset    P[t] = sg (dL/dS[t] - F[t] theta)     G[t] = P[t] + F[t]
    dL/dX[t] = k G[t]                                   G[t] where the input does not decay

The second term of P only if reset is not detached. What is learned, with V centred at V_reset:

    dL/dw = -theta sum P[t]                             - theta sum F[t] S[t] if reset is soft
    dL/da = (1 - k) sum (G[t] C[t] - G[t+1] V[t])       -k (1 - k) sum G[t+1] V[t] where the input
                                                        does not decay

The last line is dL/dk times dk/da = k (1 - k). Where the input decays, dL/dk is the sum of G[t]
(X[t] - V[t-1]) = G[t] (C[t] - V[t-1]) / k: k, which may round to 0, cancels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from autoprune.compress.surgery.slif.grid import Cut, Grid


class Views(NamedTuple):
    """What the backward pass reads and writes, as [T, rows, width] and [rows, width]."""

    h: Tensor
    v: Tensor | None
    grad_s: Tensor
    grad_end: Tensor | None
    grad_x: Tensor
    grad_v: Tensor | None


class Backward:
    """The backward pass of a block, with its memory and the sums over all blocks."""

    def __init__(self, h: Tensor, grid: Grid, *, learns_w: bool, learns_a: bool) -> None:
        self.grid, self.learns_w, self.learns_a = grid, learns_w, learns_a
        self.memory = h.new_empty(5, *grid.block)
        self.rest, self.one = 1.0 - grid.k, h.new_ones(())
        self.by_w, self.by_a = h.new_zeros(2, grid.width, dtype=grid.precise).unbind()

    def run(self, views: Views, cut: Cut) -> None:
        """All steps of this block, from the last one to the first."""
        grid, dynamics = self.grid, self.grid.dynamics
        theta, k, rest = (grid.at(x, cut) for x in (grid.theta, grid.k, self.rest))
        sums = _Sums(self, theta, cut)
        height, width = (part.stop - part.start for part in cut)
        u, kept, flow, centred, grad = self.memory[:, :height, :width].unbind()
        # At the last step `flow` is the gradient of V itself, before it that of the next step's H.
        flows, passed, is_last = views.grad_end is not None, self.one, True
        if views.grad_end is not None:
            flow.copy_(views.grad_end[cut])
        steps = (x[:, *cut].unbind()[::-1] for x in (views.h, views.grad_s, views.grad_x))
        for h, grad_s, grad_x in zip(*steps, strict=True):
            c = torch.sub(h, dynamics.reset, out=centred) if dynamics.reset else h
            if flows and not dynamics.detach:
                torch.mul(flow, theta if dynamics.soft else c, out=grad)
                grad_s = torch.addcmul(grad_s, grad, passed, value=-1, out=grad)
            p = dynamics.slope(grad_s, torch.sub(h, theta, out=u))
            if flows:
                dynamics.fire(h, theta, kept)
                if dynamics.soft:
                    sums.add_soft(flow, kept, passed, is_last=is_last)
                    kept.copy_(flow)
                else:
                    torch.addcmul(flow, flow, kept, value=-1, out=kept)
                torch.addcmul(p, kept, passed, out=flow)
            else:
                flow.copy_(p)
            if dynamics.decay_input:
                torch.mul(flow, k, out=grad_x)
            else:
                grad_x.copy_(flow)
            sums.add_threshold(p)
            sums.add_decay(flow, None if is_last else kept, c)
            passed, flows, is_last = rest, True, False
        if views.v is not None and views.grad_v is not None:
            torch.mul(flow, passed, out=views.grad_v[cut])
            sums.add_start(flow, views.v[cut] - dynamics.reset)

    def gradients(self, w: Tensor | None, a: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """The gradients of w and a, in their dtypes."""
        dynamics, precise = self.grid.dynamics, self.grid.precise
        if w is not None:
            to_w = self.grid.gathered(self.by_w, w) * dynamics.theta(w.to(precise))
        if a is not None:
            k = dynamics.k(a.to(precise))
            to_a = self.grid.gathered(self.by_a, a) * (1.0 - k)
            to_a = to_a if dynamics.decay_input else to_a * k
        return None if w is None else to_w.to(w.dtype), None if a is None else to_a.to(a.dtype)


class _Sums:
    """What a block adds to dL/dw by theta, and to dL/da by 1 - k (and by k, see above)."""

    def __init__(self, of: Backward, theta: Tensor, cut: Cut) -> None:
        self.grid, self.theta = of.grid, theta
        self.by_w = of.by_w[cut[1]] if of.learns_w else None
        self.by_a = of.by_a[cut[1]] if of.learns_a else None

    def add_threshold(self, p: Tensor) -> None:
        """A step's share of dL/dw."""
        if self.by_w is None:
            return
        if len(p) > 1:
            precise = self.grid.precise
            p = p.sum(dtype=precise) if self.grid.width == 1 else p.sum(0, dtype=precise)
        self.by_w.sub_(p.reshape_as(self.by_w))

    def add_decay(self, flow: Tensor, kept: Tensor | None, c: Tensor) -> None:
        """A step's share of dL/da, `kept` being what flows from the next one; it is overwritten."""
        if self.by_a is None:
            return
        if self.grid.dynamics.decay_input:
            self._add_dot(self.by_a, flow if kept is None else torch.sub(flow, kept, out=kept), c)
        elif kept is not None:
            self._add_dot(self.by_a, kept, c, -1)

    def add_soft(self, flow: Tensor, s: Tensor, passed: Tensor, *, is_last: bool) -> None:
        """What the theta in V = H - theta S adds."""
        learnt = self.by_a if self.by_w is None else self.by_w
        if learnt is None:
            return
        spent = torch.zeros_like(learnt)
        self._add_dot(spent, flow, s)
        if self.by_w is not None:
            self.by_w.sub_(spent * passed)
        if self.by_a is not None and not is_last:
            self.by_a.add_(spent * self.theta)

    def add_start(self, flow: Tensor, v: Tensor) -> None:
        """What the state before the first step adds to dL/da."""
        if self.by_a is not None:
            self._add_dot(self.by_a, flow, v, -1)

    def _add_dot(self, total: Tensor, x: Tensor, y: Tensor, sign: int = 1) -> None:
        """Add the sum of products over the rows, [width]."""
        x, y = x.to(self.grid.precise), y.to(self.grid.precise)
        if self.grid.width == 1:
            total.add_(torch.dot(x.view(-1), y.view(-1)), alpha=sign)
        elif len(x) == 1:
            total.addcmul_(x[0], y[0], value=sign)
        else:
            total.add_((x * y).sum(0), alpha=sign)
