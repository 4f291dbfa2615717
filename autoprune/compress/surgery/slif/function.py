"""The sLIF's pass over all time steps, forward and backward, as one function of autograd.

Neurons do not see each other, so that a block of them, small enough for the processor's cache, runs
through all steps before the next block starts. Only H is kept for the backward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from autoprune.compress.surgery.slif.backward import Backward, Views
from autoprune.compress.surgery.slif.dynamics import Dynamics, Learnt
from autoprune.compress.surgery.slif.grid import Grid


def run(x: Tensor, v: Tensor | None, learnt: Learnt, dynamics: Dynamics) -> tuple[Tensor, Tensor]:
    """Spikes [T, B, ...] and the last V [B, ...] of the input [T, B, ...].

    `v` is the state before the first step, None where that is V_reset.
    """
    tensors = (x, v, *learnt)
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        return _Function.apply(*tensors, dynamics)  # type: ignore[no-untyped-call, unused-ignore]
    spikes, end, _ = _forward(x, v, Grid(x, learnt, dynamics), keep=False)
    return spikes, end


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor]:
        x, v, w, a, ctx.dynamics = inputs
        spikes, end, h = _forward(x, v, Grid(x, (w, a), ctx.dynamics), keep=True)
        ctx.save_for_backward(h, v, w, a)
        ctx.set_materialize_grads(False)
        return spikes, end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_s: Tensor | None, grad_end: Tensor | None) -> tuple[Any, ...]:
        h, v, w, a = ctx.saved_tensors
        grid = Grid(h, (w, a), ctx.dynamics)
        grad_x, grad_v = torch.empty_like(h), torch.empty_like(h[0])
        views = Views(
            h=grid.steps(h),
            v=None if v is None else grid.step(v),
            grad_s=grid.steps(h.new_zeros(()).expand_as(h) if grad_s is None else grad_s),
            grad_end=None if grad_end is None else grid.step(grad_end),
            grad_x=grid.steps(grad_x),
            grad_v=grid.step(grad_v),
        )
        _, _, learns_w, learns_a, _ = ctx.needs_input_grad
        block = Backward(h, grid, learns_w=learns_w, learns_a=learns_a)
        for rows in grid.blocks():
            block.run(views, rows)
        return grad_x, None if v is None else grad_v, *block.gradients(w, a), None


def _forward(
    x: Tensor, v: Tensor | None, grid: Grid, *, keep: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Spikes, the last V, and H where it is to be kept (else the memory for a step of a block)."""
    x = x.contiguous()
    spikes, end = torch.empty_like(x), torch.empty_like(x[0])
    h_kept = torch.empty_like(x) if keep else x.new_empty(1, grid.block, grid.width)
    h_all = grid.steps(h_kept) if keep else h_kept.expand(len(x), -1, -1)
    x_all, s_all, end_all = grid.steps(x), grid.steps(spikes), grid.step(end)
    v_all = None if v is None else grid.step(v)
    for rows in grid.blocks():
        h_rows = rows if keep else slice(rows.stop - rows.start)
        before, after = None if v_all is None else v_all[rows], end_all[rows]
        steps = (x_all[:, rows].unbind(), h_all[:, h_rows].unbind(), s_all[:, rows].unbind())
        for now, h, s in zip(*steps, strict=True):
            _charge(now, before, grid, h)
            grid.fire(h, s)
            _reset(h, s, grid, after)
            before = after
    return spikes, end, h_kept


def _charge(now: Tensor, before: Tensor | None, grid: Grid, h: Tensor) -> None:
    """H, into `h`, of X and the V before; that is V_reset where it is None.

    Every operation rounds as spikingjelly's does, which a fused multiply and add would not.
    """
    reset = grid.dynamics.reset
    if before is None:
        if grid.dynamics.decay_input:
            torch.mul(now, grid.k, out=h).add_(reset)
        else:
            torch.add(now, reset, out=h)
        return
    leak = torch.sub(before, reset, out=h) if reset else before
    if grid.dynamics.decay_input:
        torch.sub(now, leak, out=h).mul_(grid.k).add_(before)
    else:
        torch.sub(before, torch.mul(leak, grid.k, out=h), out=h).add_(now)


def _reset(h: Tensor, s: Tensor, grid: Grid, after: Tensor) -> None:
    """V, into `after`, of H and S; exact but for one rounding where S is 0 or 1."""
    dynamics = grid.dynamics
    torch.addcmul(h, grid.theta if dynamics.soft else h, s, value=-1, out=after)
    if dynamics.reset:
        after.add_(s, alpha=dynamics.reset)
