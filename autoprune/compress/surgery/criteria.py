"""Criteria by which DSP ranks the inner dimensions of a branch; a function each, chosen by name.

For a dimension u, tied through several layers:

    l1           sum over its layers of the L1 norm of the weights that it has there
    activity     sum over its neurons of the firing rate, spikes per step and position
    l1_activity  the product of both
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal, get_args

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.errors import InputError
from autoprune.networks.adapter import Branch, Cut
from autoprune.networks.inputs import present

Criterion = Literal["l1", "activity", "l1_activity"]
Significance = Callable[[tuple[Cut, ...], int], Tensor]
"""The scores [dimensions] of the tied dimensions of a branch; the largest stay."""


def significance(
    criterion: str, model: nn.Module, branches: list[Branch], calibration: Tensor
) -> Significance:
    """The criterion of that name for the branches of `model`.

    Args:
        criterion: its name.
        model: the network before surgery.
        branches: all of its branches.
        calibration: inputs [samples, ...] on which firing rates are measured.

    Raises InputError for an unknown name.
    """
    match criterion:
        case "l1":
            return l1
        case "activity":
            return _activity(model, branches, calibration)
        case "l1_activity":
            rate = _activity(model, branches, calibration)
            return lambda tie, dimensions: l1(tie, dimensions) * rate(tie, dimensions)
    raise InputError(
        "dsp_score", f"given {criterion!r}", name=str(criterion), candidates=get_args(Criterion)
    )


def l1(tie: tuple[Cut, ...], dimensions: int) -> Tensor:
    """L1 norm of the weights of each tied dimension in all its layers."""
    score = torch.zeros(dimensions, dtype=torch.float64, device=tie[0].module.weight.device)
    for cut in tie:
        weight = cut.module.weight.detach().flatten(1)
        rows = weight if cut.side == "out" else weight.T
        score += rows[cut.offset : cut.offset + dimensions].abs().double().sum(1)
    return score


def _activity(model: nn.Module, branches: list[Branch], calibration: Tensor) -> Significance:
    cuts = [cut for branch in branches for tie in branch.ties for cut in tie]
    neurons = {cut.neuron: cut.axis for cut in cuts if cut.neuron is not None}
    with _rates(neurons) as rates, torch.inference_mode():
        training = model.training
        model.eval()
        functional.reset_net(model)
        model(present(model, calibration))
        functional.reset_net(model)
        model.train(training)

    def score(tie: tuple[Cut, ...], dimensions: int) -> Tensor:
        total = torch.zeros(dimensions, dtype=torch.float64, device=tie[0].module.weight.device)
        for cut in tie:
            if cut.neuron is not None:
                total += rates[cut.neuron][cut.offset : cut.offset + dimensions]
        return total

    return score


@contextmanager
def _rates(neurons: dict[nn.Module, int]) -> Iterator[dict[nn.Module, Tensor]]:
    """While this lasts, the firing rate [C] of neurons, by their axis of channels, is noted."""
    rates: dict[nn.Module, Tensor] = {}

    def noting(axis: int) -> Callable[[nn.Module, object, Tensor], None]:
        def note(module: nn.Module, _: object, spikes: Tensor) -> None:
            rates[module] = spikes.double().movedim(axis, 0).flatten(1).mean(1)

        return note

    with ExitStack() as stack:
        for module, axis in neurons.items():
            stack.callback(module.register_forward_hook(noting(axis)).remove)
        yield rates
