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

from autoprune.compress.surgery.slif.grid import Grid


class Views(NamedTuple):
    """What the backward pass reads and writes, as [T, rows, width] and [rows, width]."""

    h: Tensor
    v: Tensor | None
    grad_s: Tensor
    grad_end: Tensor | None
    grad_x: Tensor
    grad_v: Tensor


class Backward:
    """The backward pass of a block, with its memory and the sums over all blocks."""

    def __init__(self, h: Tensor, grid: Grid, *, learns_w: bool, learns_a: bool) -> None:
        self.grid, self.learns_w, self.learns_a = grid, learns_w, learns_a
        self.memory = h.new_empty(5, grid.block, grid.width)
        self.rest = 1.0 - grid.k
        self.totals = h.new_zeros(2, grid.width, dtype=grid.precise)

    def run(self, views: Views, rows: slice) -> None:
        """All steps of these rows, from the last one to the first."""
        grid, dynamics = self.grid, self.grid.dynamics
        u, kept, flow, centred, grad = self.memory[:, : rows.stop - rows.start].unbind()
        # At the last step `flow` is the gradient of V itself, before it that of the next step's H.
        if views.grad_end is None:
            flow.zero_()
        else:
            flow.copy_(views.grad_end[rows])
        passed, is_last = torch.ones_like(grid.k), True
        steps = (x[:, rows].unbind()[::-1] for x in (views.h, views.grad_s, views.grad_x))
        for h, grad_s, grad_x in zip(*steps, strict=True):
            c = torch.sub(h, dynamics.reset, out=centred) if dynamics.reset else h
            if not dynamics.detach:
                torch.mul(flow, grid.theta if dynamics.soft else c, out=grad)
                grad_s = torch.addcmul(grad_s, grad, passed, value=-1, out=grad)
            p = dynamics.slope(grad_s, torch.sub(h, grid.theta, out=u))
            grid.fire(h, kept)
            if dynamics.soft:
                if self.learns_w or self.learns_a:
                    self._add_soft(self._dot(flow, kept), passed, is_last=is_last)
                kept.copy_(flow)
            else:
                torch.addcmul(flow, flow, kept, value=-1, out=kept)
            torch.addcmul(p, kept, passed, out=flow)
            if dynamics.decay_input:
                torch.mul(flow, grid.k, out=grad_x)
            else:
                grad_x.copy_(flow)
            if self.learns_w:
                self.totals[0] -= self._sum(p)
            if self.learns_a:
                self._add_decay(flow, kept, c, is_last=is_last)
            passed, is_last = self.rest, False
        if views.v is not None:
            torch.mul(flow, passed, out=views.grad_v[rows])
            self.totals[1] -= self._dot(flow, views.v[rows] - dynamics.reset)

    def _add_soft(self, spent: Tensor, passed: Tensor, *, is_last: bool) -> None:
        """What the theta in V = H - theta S adds, `spent` being the sum of the flow at spikes."""
        self.totals[0] -= spent * passed
        if not is_last:
            self.totals[1] += spent * self.grid.theta

    def _add_decay(self, flow: Tensor, kept: Tensor, c: Tensor, *, is_last: bool) -> None:
        """A step's share of dL/da; it may overwrite `kept`."""
        if self.grid.dynamics.decay_input:
            self.totals[1] += self._dot(flow if is_last else torch.sub(flow, kept, out=kept), c)
        elif not is_last:
            self.totals[1] -= self._dot(kept, c)

    def _sum(self, x: Tensor) -> Tensor:
        """Over the rows, [width]."""
        precise = self.grid.precise
        return x.sum(dtype=precise) if self.grid.width == 1 else x.sum(0, dtype=precise)

    def _dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Sum of products over the rows, [width]."""
        x, y = x.to(self.grid.precise), y.to(self.grid.precise)
        return torch.dot(x.view(-1), y.view(-1)) if self.grid.width == 1 else (x * y).sum(0)

    def gradients(self, w: Tensor | None, a: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """The gradients of w and a, in their dtypes."""
        dynamics, precise = self.grid.dynamics, self.grid.precise
        by_w, by_a = self.totals
        if w is not None:
            to_w = self.grid.gathered(by_w, w) * dynamics.theta(w.to(precise))
        if a is not None:
            k = dynamics.k(a.to(precise))
            to_a = self.grid.gathered(by_a, a) * (1.0 - k)
            to_a = to_a if dynamics.decay_input else to_a * k
        return None if w is None else to_w.to(w.dtype), None if a is None else to_a.to(a.dtype)
