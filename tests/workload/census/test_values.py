"""What an activation is read as, and that sums of its spikes are exact."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autoprune.workload.census.values import (
    REAL,
    Values,
    by_channel,
    counted,
    examine,
    ones,
    spikes,
)


@pytest.mark.parametrize(
    ("entries", "kind", "bits"),
    [
        ([0.0, 0.0], "binary", 1),
        ([0.0, 1.0], "binary", 1),
        ([-0.0, 1.0], "binary", 1),
        ([-1.0, 0.0], "ternary", 2),
        ([-1.0, 1.0], "ternary", 2),
        ([0.0, 2.0], "integer", 2),
        ([1.0, 3.0, 4.0], "integer", 3),
        ([0.0, -3.0], "integer", 3),
        ([-4.0, 1.0], "integer", 4),
        ([0.0, 0.5], "binary", 1),
        ([0.0, -0.3, 0.3], "ternary", 2),
        ([0.0, 0.1, 0.3], "integer", 2),
        ([1.0, 1.0 - 2**-24], "binary", 1),  # one rounding apart
        ([1.0, 1.0 - 2**-18], "real", 32),
        ([0.0, 1e-30], "binary", 1),
        ([0.0, float("nan")], "real", 32),
        ([2.0, 1.5], "integer", 3),
        ([0.1, 6.5], "real", 32),  # 65 of 0.1, and only two magnitudes
        ([0.0, float("inf")], "real", 32),
        ([0.0, float("-inf")], "real", 32),
        ([], "binary", 1),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_classes(entries, kind, bits, dtype):
    found = examine(torch.tensor(entries, dtype=torch.float32).to(dtype))
    assert (found.kind, found.bits) == (kind, bits)


@settings(derandomize=True)
@given(
    shape=st.sampled_from([(3,), (70, 2000), (2, 3, 50000)]),
    place=st.floats(0, 1, exclude_max=True),
    odd=st.sampled_from([0.7129, -1.0, 2.0, 1.0]),
    turned=st.booleans(),
)
def test_a_single_entry_decides(shape, place, odd, turned):
    """Wherever it lies, in memory in order or not, in however many parts the tensor is read."""
    x = (torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    x.view(-1)[int(place * x.numel())] = odd
    if odd == 0.7129:
        x.view(-1)[int(place * x.numel()) - 1] = 0.3
    kind = {0.7129: "real", -1.0: "ternary", 2.0: "integer", 1.0: "binary"}[odd]
    assert examine(x.movedim(-1, 0) if turned else x).kind == kind


def test_half_precision_is_added_up_exactly():
    x = torch.full((1, 1, 5000), 3.0, dtype=torch.bfloat16)
    values = examine(x)
    assert spikes(x, values).sum() == 15000
    assert ones(x, values).sum() == 5000


def test_counts_too_large_for_float32_are_added_up_in_float64():
    x = torch.full((1, 1, 9), 2.0**23 + 1)
    values = examine(x)
    assert values == Values("integer", 2**23 + 1)
    assert int(spikes(x, values).sum()) == 9 * (2**23 + 1)


def test_negative_spikes_are_events_too():
    x = torch.tensor([[[-2.0, 0.0, 3.0]]])
    values = examine(x)
    assert spikes(x, values).tolist() == [[[2.0, 0.0, 3.0]]]
    assert ones(x, values).tolist() == [[[1.0, 0.0, 1.0]]]
    assert ones(torch.tensor([[[-0.5, 0.0]]]), REAL).tolist() == [[[1.0, 0.0]]]


@settings(derandomize=True)
@given(
    # where all entries are whole, one is the unit: only their way tells of another
    unit=st.floats(1e-6, 1e6).filter(lambda u: u == 1 or abs(u - round(u)) > 1e-5 * u),
    levels=st.sampled_from([1, 2, 7, 64, 1000, 4096]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    roundings=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_multiples_of_any_unit_are_spikes(unit, levels, dtype, roundings, seed):
    """However they were rounded on their way: a scale, an average, another scale."""
    generator = torch.Generator().manual_seed(seed)
    n = torch.randint(-levels, levels + 1, (5000,), generator=generator)
    n[:2] = torch.tensor([1, levels])
    x = n.to(dtype) * unit
    for _ in range(roundings):
        x = x * 1.1 / 1.1
    values = examine(x)
    assert (values.kind == "real", values.largest) == (False, levels)
    assert torch.equal(counted(x, values).long(), n)


@pytest.mark.parametrize(("magnitudes", "most"), [(2, 0.02), (3, 0.002), (4, 0.0)])
def test_how_often_real_numbers_are_taken_for_spikes(magnitudes, most):
    generator = torch.Generator().manual_seed(0)
    taken = sum(
        examine(torch.rand(magnitudes, generator=generator)).kind != "real" for _ in range(2000)
    )
    assert taken <= most * 2000


def test_channels_may_have_a_unit_each():
    spikes = (torch.rand(4, 3, 5, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    scaled = spikes * torch.tensor([0.3, 1.7, 0.011]).reshape(3, 1)
    assert examine(scaled) == REAL
    x, values = by_channel(scaled, 1)
    assert values.kind == "binary"
    assert torch.equal(x, spikes)
    assert by_channel(torch.rand(4, 3, 5), 1)[1] == REAL
