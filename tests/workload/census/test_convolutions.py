"""Transposed and three-dimensional convolutions against a loop over every single synapse."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from autoprune.workload.census.count import count

STEPS, SAMPLES = 2, 3
LAYERS = [
    (nn.ConvTranspose1d(2, 3, 3, stride=2), (5,)),
    (nn.ConvTranspose1d(4, 2, 2, stride=3, padding=1, output_padding=2, groups=2), (4,)),
    (nn.ConvTranspose2d(2, 2, 3, padding=1), (3, 4)),
    (nn.ConvTranspose2d(2, 4, (2, 3), stride=(2, 1), dilation=(1, 2), groups=2), (3, 4)),
    (nn.ConvTranspose3d(2, 2, 2, stride=2, padding=1), (2, 3, 2)),
    (nn.Conv3d(2, 3, 2, padding=1), (2, 3, 3)),
    (nn.Conv3d(2, 4, (1, 2, 3), stride=(1, 2, 1), dilation=(1, 1, 2), groups=2), (2, 4, 6)),
]


class Alone(nn.Module):
    """The layer, a step after the other in the batch, of samples [C, positions]."""

    def __init__(self, layer: nn.Module, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.T, self.layer, self.sizes = STEPS, layer, sizes

    def forward(self, x: Tensor) -> Tensor:
        x = x.expand(STEPS, *x.shape).unflatten(-1, self.sizes).flatten(0, 1)
        return self.layer(x).unflatten(0, (STEPS, SAMPLES))


def synapses(layer: nn.Module, sizes: torch.Size, reached: torch.Size) -> Iterator[tuple]:
    """Every synapse: input channel and position, and where in the weight it has its number."""
    transposed = isinstance(layer, nn.modules.conv._ConvTransposeNd)
    outputs = layer.out_channels // layer.groups
    inputs = layer.in_channels // layer.groups
    taps = [range(k) for k in layer.kernel_size]
    # the image whose every position meets all taps, and the one on which they land
    walked, met = (sizes, reached) if transposed else (reached, sizes)
    for group, o, i in itertools.product(range(layer.groups), range(outputs), range(inputs)):
        for place, tap in itertools.product(
            itertools.product(*map(range, walked)), itertools.product(*taps)
        ):
            lands = tuple(
                p * s - pad + t * d
                for p, s, pad, t, d in zip(
                    place, layer.stride, layer.padding, tap, layer.dilation, strict=True
                )
            )
            if all(0 <= q < n for q, n in zip(lands, met, strict=True)):
                channel = group * inputs + i
                entry = (channel, o) if transposed else (group * outputs + o, i)
                yield (channel, *(place if transposed else lands)), (*entry, *tap)


@pytest.mark.parametrize(("layer", "sizes"), LAYERS, ids=lambda value: type(value).__name__)
def test_synaptic_operations_equal_the_loop(layer, sizes):
    generator = torch.Generator().manual_seed(0)
    layer.weight.data *= torch.rand(layer.weight.shape, generator=generator) < 0.6
    x = (torch.rand(SAMPLES, layer.in_channels, *sizes, generator=generator) < 0.4).float()
    reached = layer(x).shape[2:]
    (op,) = count(Alone(layer, sizes).eval(), None, x.flatten(2)).ops
    fanout = effective = 0
    for source, entry in synapses(layer, torch.Size(sizes), reached):
        events = STEPS * int(x[(slice(None), *source)].sum())
        fanout += events
        effective += events * bool(layer.weight[entry] != 0)
    transposed = isinstance(layer, nn.modules.conv._ConvTransposeNd)
    positions = sizes if transposed else reached
    dense = STEPS * SAMPLES * torch.Size(positions).numel() * layer.weight.numel()
    assert (op.work.fanout_sops, op.work.effective_sops) == (fanout, effective)
    assert op.work.dense_macs == dense
    assert op.a.events == STEPS * int(x.sum())
    assert op.sizes.m * op.sizes.k * op.sizes.n * op.sizes.groups * STEPS * SAMPLES == dense
    assert (op.b.size, op.b.nonzeros) == (layer.weight.numel(), int((layer.weight != 0).sum()))
