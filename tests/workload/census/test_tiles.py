"""Product sparsity against a loop over the rows of every tile."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from autoprune.cost.ops import Ops
from autoprune.errors import InputError
from autoprune.workload.census.count import count
from autoprune.workload.census.functions import LINEAR, Convolution
from autoprune.workload.census.tiles import tiles, unrolled


def by_loop(matrix: list[list[int]]) -> tuple[int, int, int, int]:
    """One matrix, row by row: each of two spikes or more loses the largest row that it contains."""
    spikes = left = emptied = searched = 0
    for top, side in itertools.product(range(0, len(matrix), 256), range(0, len(matrix[0]), 16)):
        tile = [
            frozenset(i for i, value in enumerate(row[side : side + 16]) if value)
            for row in matrix[top : top + 256]
        ]
        for place, row in enumerate(tile):
            spikes += len(row)
            lost = 0
            if len(row) > 1:
                searched += 1
                lost = max(
                    (
                        len(other)
                        for number, other in enumerate(tile)
                        if other < row or (other == row and number < place)
                    ),
                    default=0,
                )
            left += len(row) - lost
            emptied += lost > 0 and lost == len(row)
    return spikes, left, emptied, searched


def spikes(*shape: int, density: float, seed: int) -> torch.Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < density).float()


@settings(derandomize=True)
@given(
    rows=st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 300])),
    columns=st.sampled_from([1, 2, 5, 15, 16, 17, 40]),
    density=st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]),
    seed=st.integers(0, 1000),
)
def test_what_is_left_equals_the_loop(rows, columns, density, seed):
    x = spikes(rows, columns, density=density, seed=seed)
    assert tiles(x) == by_loop(x.tolist())


def test_by_hand():
    """1001 is emptied by the 1001 before it; 1101 loses 1001; single spikes and zeros stay."""
    x = torch.tensor([[1, 0, 0, 1], [1, 1, 0, 1], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    # 2 of 1001, which contains none; 1 of 1101; 0 of the second 1001; 1
    assert tiles(x.float()) == (8, 4, 1, 3)


@pytest.mark.parametrize("columns", [15, 16, 32])
def test_how_a_matrix_lies_in_memory_does_not_matter(columns):
    """numpy keeps the order of what it packs: a tile wide, and transposed, was no rows of bits."""
    x = spikes(columns, 512, density=0.2, seed=2).mT
    assert tiles(x) == tiles(x.contiguous()) == by_loop(x.tolist())


def test_matrices_do_not_share_tiles():
    x = spikes(3, 2, 30, 20, density=0.2, seed=1)
    each = [by_loop(matrix.tolist()) for matrix in x.flatten(0, 1)]
    assert tiles(x) == tuple(map(sum, zip(*each, strict=True)))


def test_an_unrolled_convolution_has_the_steps_of_a_position_side_by_side():
    """[T, B] of 4 channels in two groups, 3 x 3 with stride 2: row l T + t, column c 9 + tap."""
    x = spikes(3, 2, 4, 5, 5, density=0.4, seed=2)
    walk = Convolution(stride=(2, 2), padding=(1, 1), dilation=(1, 1), groups=2)
    found = unrolled(x, torch.zeros(6, 2, 3, 3), walk)
    assert found.shape == (2, 2, 9 * 3, 2 * 9)
    padded = nn.functional.pad(x, (1, 1, 1, 1))
    for t, b, group, row, column in itertools.product(*map(range, (3, 2, 2, 3, 3))):
        patch = padded[t, b, 2 * group : 2 * group + 2, 2 * row : 2 * row + 3]
        patch = patch[:, :, 2 * column : 2 * column + 3]
        assert torch.equal(found[b, group, (row * 3 + column) * 3 + t], patch.flatten())


@pytest.mark.parametrize("shape", [(3, 2, 7), (3, 2, 5, 7), (3, 2, 5, 4, 7)])
def test_a_linear_layer_has_the_steps_of_a_token_side_by_side(shape):
    x = spikes(*shape, density=0.4, seed=3)
    found = unrolled(x, torch.zeros(6, 7), LINEAR)
    tokens = x.flatten(2, -2) if len(shape) > 3 else x.unsqueeze(2)
    for t, b, token in itertools.product(range(3), range(2), range(tokens.shape[2])):
        assert torch.equal(found[b, 0, token * 3 + t], tokens[t, b, token])


def test_convolutions_of_one_dimension():
    x = spikes(2, 1, 3, 8, density=0.4, seed=4)
    walk = Convolution(stride=(1,), padding=(1,), dilation=(1,))
    found = unrolled(x, torch.zeros(4, 3, 3), walk)
    padded = nn.functional.pad(x, (1, 1))
    for t, position in itertools.product(range(2), range(8)):
        patch = padded[t, 0, :, position : position + 3]
        assert torch.equal(found[0, 0, position * 2 + t], patch.flatten())


class Attention(nn.Module):
    """A convolution of spikes, a linear layer, and k^T v with q: one of each that has tiles."""

    T = 2

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q = x.flatten(3)
        return self.conv(x.flatten(0, 1)), (q @ q.mT) @ q


def test_the_census_counts_them_where_it_is_asked_to():
    x = spikes(2, 2, 2, 4, 4, density=0.3, seed=5)
    network = Attention().eval()
    frames = x.transpose(0, 1)
    asked, plain = (count(network, None, frames, product_sparsity=s) for s in (True, False))
    ops = Ops.of([asked])
    conv = [by_loop(m.tolist()) for m in unrolled(x, network.conv.weight, WALK)[:, 0]]
    columns = ("tile_spikes", "tile_left", "tile_emptied", "tile_searched")
    for name, values in zip(columns, zip(*conv, strict=True), strict=True):
        assert getattr(ops, name)[0] == sum(values) / 2, name
    first = [by_loop(m.tolist()) for m in x.flatten(3).flatten(0, 1)]
    assert ops.tile_left[1] == sum(left for _, left, _, _ in first) / 2
    assert [op.activity.tiles for op in plain.ops] == [None] * len(plain.ops)
    with pytest.raises(InputError, match=r"without product sparsity; expected .* as in a run"):
        _ = Ops.of([plain]).tile_left


WALK = Convolution(stride=(1, 1), padding=(1, 1), dilation=(1, 1))
