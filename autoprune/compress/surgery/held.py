"""Zeros that stay zero while a network is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from autoprune.networks.adapter import Matrix


@contextmanager
def held_at_zero(held: Sequence[Matrix]) -> Iterator[None]:
    """While this lasts, weights of `held` that are 0 stay exactly 0 under any optimiser.

    Their gradient is multiplied by 0 before the optimiser sees it. Hence momentum and moments of
    a zero weight stay 0, and weight decay, being proportional to the weight, moves nothing.
    Nothing is added to the modules, so that copying and pickling stay as they were.
    """
    with masked_gradients(held, lambda module, mask: None):
        yield


@contextmanager
def masked_gradients(
    held: Sequence[Matrix], note: Callable[[nn.Module, Tensor], None]
) -> Iterator[None]:
    """While this lasts, what is zero now has no gradient; `note` is told of every module's mask."""
    modules = {id(matrix.module): matrix.module for matrix in held}
    handles = []
    for module in modules.values():
        mask = module.weight.detach() != 0
        note(module, mask)
        if not module.weight.requires_grad:  # frozen: nothing moves it
            continue
        handles.append(module.weight.register_post_accumulate_grad_hook(_masked(mask)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _masked(mask: Tensor) -> Callable[[Tensor], None]:
    def hook(parameter: Tensor) -> None:
        if parameter.grad is not None:
            parameter.grad.mul_(mask)

    return hook
