"""L1P: scopes, ties, and the cubic schedule."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autoprune.compress.surgery.held import held_at_zero
from autoprune.compress.surgery.l1p import RAMP, Target, gradually, zero_lowest
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Matrix


def matrix(weight: torch.Tensor, name: str = "fc1") -> Matrix:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data.copy_(weight)
    return Matrix(name=name, module=layer)


def by_magnitude(matrix: Matrix) -> torch.Tensor:
    return matrix.weight.abs()


def test_matrices_that_are_thinned_together_share_one_threshold():
    small, large = matrix(torch.full((2, 3), 0.1)), matrix(torch.full((2, 3), -5.0), "fc2")
    zero_lowest(Target(matrices=(large, small), zeros=7), by_magnitude)
    assert int((small.weight == 0).sum()) == 6
    assert large.weight.flatten().tolist() == [0.0, *[-5.0] * 5]  # the first of equal ones


def test_a_fused_layer_is_thinned_per_matrix():
    layer = nn.Conv1d(4, 6, 1)
    rows = Matrix(name="k", module=layer, rows=slice(2, 4))
    before = layer.weight.detach().clone()
    zero_lowest(Target(matrices=(rows,), zeros=8), by_magnitude)
    assert (layer.weight[2:4] == 0).all()
    assert torch.equal(layer.weight[:2], before[:2])
    assert torch.equal(layer.weight[4:], before[4:])


def test_more_zeros_than_weights_are_refused():
    both = (matrix(torch.ones(1, 2)), matrix(torch.ones(1, 2), "fc2"))
    with pytest.raises(CompressionError, match="fc1, fc2: cannot zero 5 of 4 weights"):
        zero_lowest(Target(matrices=both, zeros=5), by_magnitude)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_schedule_is_cubic_and_zeros_never_return(optimizer):
    generator = torch.Generator().manual_seed(0)
    one = matrix(torch.randn(20, 10, generator=generator))
    two = matrix(torch.randn(20, 10, generator=generator), "fc2")
    targets = [Target(matrices=(one,), zeros=120), Target(matrices=(two,), zeros=33)]
    parameters = [one.module.weight, two.module.weight]
    make = {
        "adamw": lambda: torch.optim.AdamW(parameters, lr=0.05, weight_decay=0.1),
        "sgd": lambda: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=0.1),
    }[optimizer]
    stepper, steps, seen = make(), 24, [[], []]
    gone = [torch.zeros(20, 10, dtype=torch.bool) for _ in range(2)]
    target = torch.randn(20, 10, generator=generator)
    with gradually(targets, by_magnitude) as thin:
        for step in range(steps):
            stepper.zero_grad()
            sum((p - target).square().sum() for p in parameters).backward()
            stepper.step()
            thin((step + 1) / steps)
            for i, m in enumerate((one, two)):
                zero = m.weight == 0
                assert (zero | ~gone[i]).all()
                gone[i] = zero.clone()
                seen[i].append(int(zero.sum()))
    for total, counts in zip((120, 33), seen, strict=True):
        shares = [min(1.0, (i + 1) / steps / RAMP) for i in range(steps)]
        assert counts == [round(total * (1 - (1 - p) ** 3)) for p in shares]
        assert counts[steps // 2 - 1 :] == [total] * (steps // 2 + 1)
    # Outside nothing is held any more.
    stepper.zero_grad()
    sum((p - target).square().sum() for p in parameters).backward()
    stepper.step()
    assert int((one.weight == 0).sum()) < 120


def test_what_is_held_has_no_gradient():
    m = matrix(torch.tensor([[0.0, 1.0]]))
    with held_at_zero([m]):
        m.module.weight.sum().backward()
    assert m.module.weight.grad.tolist() == [[0.0, 1.0]]
