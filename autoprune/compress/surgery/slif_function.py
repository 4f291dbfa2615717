"""The sLIF's pass over all time steps, forward and backward, as one function of autograd.

Neurons do not see each other, so that a block of them, small enough for the processor's cache, runs
through all steps before the next block starts. Only H is kept for the backward pass; S and V follow
from it. With G[t] = dL/dH[t], C[t] = H[t] - V_reset, K[t] = G[t+1] (1 - S[t]) and sg the surrogate
gradient at H[t] - theta:

    P[t] = sg (dL/dS[t] - (1 - k) G[t+1] C[t])       the second term only if reset is not detached
    G[t] = P[t] + (1 - k) K[t]                       dL/dX[t] = k G[t]
    dL/dw = -theta sum P[t]
    dL/da = (1 - k) sum (G[t] - K[t]) C[t]

The last line is dL/dk = sum G[t] (X[t] - (V[t-1] - V_reset)) times dk/da = k (1 - k), where the
bracket is (C[t] - C[t-1] (1 - S[t-1])) / k: k, which may round to 0, cancels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from spikingjelly.activation_based import surrogate
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 65_536
"""Neurons per block and thread: 256 KiB per tensor of float32, a handful of which fit an L2."""

Learnt = tuple[Tensor | None, Tensor | None]
"""w and a, each of a shape that broadcasts over the batch; None where it is not learned."""


@dataclass(frozen=True, slots=True)
class Dynamics:
    """What is not learned: the starts theta0 and a0, V_reset, and what a spike does."""

    threshold: float
    logit: float
    reset: float
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


def run(x: Tensor, v: Tensor | None, learnt: Learnt, dynamics: Dynamics) -> tuple[Tensor, Tensor]:
    """Spikes [T, B, ...] and the last V [B, ...] of the input [T, B, ...].

    `v` is the state before the first step, None where that is V_reset.
    """
    tensors = (x, v, *learnt)
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        return _Function.apply(*tensors, dynamics)  # type: ignore[no-untyped-call]
    spikes, end, _ = _forward(x, v, _Grid(x, learnt, dynamics), keep=False)
    return spikes, end


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor]:
        x, v, w, a, ctx.dynamics = inputs
        spikes, end, h = _forward(x, v, _Grid(x, (w, a), ctx.dynamics), keep=True)
        ctx.save_for_backward(h, v, w, a)
        ctx.set_materialize_grads(False)
        return spikes, end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_s: Tensor | None, grad_end: Tensor | None) -> tuple[Any, ...]:
        h, v, w, a = ctx.saved_tensors
        grid = _Grid(h, (w, a), ctx.dynamics)
        grad_x, grad_v = torch.empty_like(h), torch.empty_like(h[0])
        views = _Views(
            h=grid.steps(h),
            v=None if v is None else grid.step(v),
            grad_s=grid.steps(h.new_zeros(()).expand_as(h) if grad_s is None else grad_s),
            grad_end=None if grad_end is None else grid.step(grad_end),
            grad_x=grid.steps(grad_x),
            grad_v=grid.step(grad_v),
        )
        _, _, learns_w, learns_a, _ = ctx.needs_input_grad
        block = _Backward(h, grid, learns_w=learns_w, learns_a=learns_a)
        for rows in grid.blocks():
            block.run(views, rows)
        return grad_x, None if v is None else grad_v, *block.gradients(w, a), None


class _Grid:
    """Tensors [T, B, ...] and [B, ...] seen as [T, rows, width] and [rows, width], in blocks.

    The width is 1 where theta and k are one per layer, else the size of a sample. Theta and k are
    [] or [width], in x's dtype.
    """

    def __init__(self, x: Tensor, learnt: Learnt, dynamics: Dynamics) -> None:
        self.dynamics = dynamics
        per_layer = all(p is None or p.numel() == 1 for p in learnt)
        self.sample = (1,) if per_layer else (1, *x.shape[2:])
        self.width = math.prod(self.sample)
        self.rows = x[0].numel() // self.width
        # Off the CPU, starting a kernel costs more than a cache gains.
        wanted = BLOCK * torch.get_num_threads() if x.device.type == "cpu" else x.numel()
        self.block = max(1, min(wanted // self.width, self.rows))
        self.precise = torch.promote_types(x.dtype, torch.float32)
        w, a = (None if p is None else p.detach().to(self.precise) for p in learnt)
        self.theta, self.k = self._spread(dynamics.theta(w), x), self._spread(dynamics.k(a), x)

    def _spread(self, value: Tensor | float, x: Tensor) -> Tensor:
        if not isinstance(value, Tensor):
            return x.new_full((), value)
        value = value.to(x.dtype)
        return value.reshape(()) if value.numel() == 1 else value.expand(self.sample).reshape(-1)

    def gathered(self, total: Tensor, parameter: Tensor) -> Tensor:
        """The sum of `total`, [width], over everything that shares a parameter."""
        if parameter.numel() == 1:
            return total.sum().reshape(parameter.shape)
        return total.reshape(self.sample).sum_to_size(parameter.shape)

    def steps(self, x: Tensor) -> Tensor:
        """[T, B, ...] as [T, rows, width]."""
        return x.reshape(len(x), self.rows, self.width)

    def step(self, x: Tensor) -> Tensor:
        """[B, ...] as [rows, width]."""
        return x.reshape(self.rows, self.width)

    def blocks(self) -> Iterator[slice]:
        """The rows of each block."""
        for start in range(0, self.rows, self.block):
            yield slice(start, min(start + self.block, self.rows))

    def fire(self, h: Tensor, out: Tensor) -> None:
        """S of H; the surrogate's smooth primitive where its spiking is switched off."""
        if self.dynamics.surrogate.spiking:
            torch.ge(h, self.theta, out=out)
        else:
            out.copy_(self.dynamics.surrogate(h - self.theta))


def _forward(
    x: Tensor, v: Tensor | None, grid: _Grid, *, keep: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Spikes, the last V, and H where it is to be kept (else the memory for a step of a block).

    Every operation rounds as spikingjelly's does, which a fused multiply and add would not.
    """
    x = x.contiguous()
    spikes, end = torch.empty_like(x), torch.empty_like(x[0])
    h_kept = torch.empty_like(x) if keep else x.new_empty(1, grid.block, grid.width)
    h_all = grid.steps(h_kept) if keep else h_kept.expand(len(x), -1, -1)
    x_all, s_all, end_all = grid.steps(x), grid.steps(spikes), grid.step(end)
    v_all = None if v is None else grid.step(v)
    reset = grid.dynamics.reset
    for rows in grid.blocks():
        h_rows = rows if keep else slice(rows.stop - rows.start)
        before, after = None if v_all is None else v_all[rows], end_all[rows]
        steps = (x_all[:, rows].unbind(), h_all[:, h_rows].unbind(), s_all[:, rows].unbind())
        for now, h, s in zip(*steps, strict=True):
            if before is None:  # V_reset
                torch.mul(now, grid.k, out=h).add_(reset)
            else:
                leak = torch.sub(before, reset, out=h) if reset else before
                torch.sub(now, leak, out=h).mul_(grid.k).add_(before)
            grid.fire(h, s)
            torch.addcmul(h, h, s, value=-1, out=after)  # exact where S is 0 or 1
            if reset:
                after.add_(s, alpha=reset)
            before = after
    return spikes, end, h_kept


class _Views(NamedTuple):
    """What the backward pass reads and writes, as [T, rows, width] and [rows, width]."""

    h: Tensor
    v: Tensor | None
    grad_s: Tensor
    grad_end: Tensor | None
    grad_x: Tensor
    grad_v: Tensor


class _Backward:
    """The backward pass of a block, with its memory and the sums over all blocks."""

    def __init__(self, h: Tensor, grid: _Grid, *, learns_w: bool, learns_a: bool) -> None:
        self.grid, self.learns_w, self.learns_a = grid, learns_w, learns_a
        self.memory = h.new_empty(5, grid.block, grid.width)
        self.rest = 1.0 - grid.k
        self.totals = h.new_zeros(2, grid.width, dtype=grid.precise)

    def run(self, views: _Views, rows: slice) -> None:
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
                torch.mul(flow, c, out=grad)
                grad_s = torch.addcmul(grad_s, grad, passed, value=-1, out=grad)
            p = dynamics.slope(grad_s, torch.sub(h, grid.theta, out=u))
            grid.fire(h, kept)
            torch.addcmul(flow, flow, kept, value=-1, out=kept)
            torch.addcmul(p, kept, passed, out=flow)
            torch.mul(flow, grid.k, out=grad_x)
            if self.learns_w:
                self.totals[0] -= self._sum(p)
            if self.learns_a:
                self.totals[1] += self._dot(flow if is_last else torch.sub(flow, kept, out=kept), c)
            passed, is_last = self.rest, False
        if views.v is not None:
            torch.mul(flow, passed, out=views.grad_v[rows])
            self.totals[1] -= self._dot(flow, views.v[rows] - dynamics.reset)

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
            to_a = self.grid.gathered(by_a, a) * (1.0 - dynamics.k(a.to(precise)))
        return None if w is None else to_w.to(w.dtype), None if a is None else to_a.to(a.dtype)
