"""The sLIF's pass over all time steps, forward and backward, as one function of autograd.

Neurons do not see each other, so that a block of them, small enough for the processor's caches,
runs through all steps before the next block starts. Only H is kept for the backward pass.
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
        x, v, w, a, dynamics = inputs
        ctx.grid = Grid(x, (w, a), dynamics)
        spikes, end, h = _forward(x, v, ctx.grid, keep=True)
        ctx.save_for_backward(h, v, w, a)
        ctx.set_materialize_grads(False)
        return spikes, end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_s: Tensor | None, grad_end: Tensor | None) -> tuple[Any, ...]:
        h, v, w, a = ctx.saved_tensors
        grid = ctx.grid
        grad_x, grad_v = torch.empty_like(h), None if v is None else torch.empty_like(v)
        views = Views(
            h=grid.steps(h),
            v=None if v is None else grid.step(v),
            grad_s=grid.steps(torch.zeros_like(h) if grad_s is None else grad_s),
            grad_end=None if grad_end is None else grid.step(grad_end),
            grad_x=grid.steps(grad_x),
            grad_v=None if grad_v is None else grid.step(grad_v),
        )
        _, _, learns_w, learns_a, _ = ctx.needs_input_grad
        block = Backward(h, grid, learns_w=learns_w, learns_a=learns_a)
        for cut in grid.blocks():
            block.run(views, cut)
        return grad_x, grad_v, *block.gradients(w, a), None


def _forward(
    x: Tensor, v: Tensor | None, grid: Grid, *, keep: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Spikes, the last V, and H where it is to be kept (else the memory for a step of a block)."""
    x = x.contiguous()
    spikes, end = torch.empty_like(x), torch.empty_like(x[0])
    h_kept = torch.empty_like(x) if keep else x.new_empty(1, *grid.block)
    h_all = grid.steps(h_kept) if keep else h_kept.expand(len(x), -1, -1)
    x_all, s_all, end_all = grid.steps(x), grid.steps(spikes), grid.step(end)
    v_all = None if v is None else grid.step(v)
    for cut in grid.blocks():
        rows, columns = cut
        kept = cut if keep else (slice(rows.stop - rows.start), slice(columns.stop - columns.start))
        before, after = None if v_all is None else v_all[cut], end_all[cut]
        theta, k = grid.at(grid.theta, cut), grid.at(grid.k, cut)
        steps = (x_all[:, *cut].unbind(), h_all[:, *kept].unbind(), s_all[:, *cut].unbind())
        for now, h, s in zip(*steps, strict=True):
            _charge(now, before, k, grid.dynamics, h)
            grid.dynamics.fire(h, theta, s)
            _reset(h, s, theta, grid.dynamics, after)
            before = after
    return spikes, end, h_kept


def _charge(now: Tensor, before: Tensor | None, k: Tensor, dynamics: Dynamics, h: Tensor) -> None:
    """H, into `h`, of X and the V before; that is V_reset where it is None.

    Every operation rounds as spikingjelly's does, which a fused multiply and add would not.
    """
    reset = dynamics.reset
    if before is None:
        if dynamics.decay_input:
            torch.mul(now, k, out=h)
            if reset:
                h.add_(reset)
        else:
            torch.add(now, reset, out=h)
        return
    leak = torch.sub(before, reset, out=h) if reset else before
    if dynamics.decay_input:
        torch.sub(now, leak, out=h).mul_(k).add_(before)
    else:
        torch.sub(before, torch.mul(leak, k, out=h), out=h).add_(now)


def _reset(h: Tensor, s: Tensor, theta: Tensor, dynamics: Dynamics, after: Tensor) -> None:
    """V, into `after`, of H and S; exact but for one rounding where S is 0 or 1."""
    torch.addcmul(h, theta if dynamics.soft else h, s, value=-1, out=after)
    if dynamics.reset:
        after.add_(s, alpha=dynamics.reset)
