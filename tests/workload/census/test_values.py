"""What an activation is read as, and that sums of its spikes are exact."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autoprune.workload.census.values import REAL, Values, examine, ones, spikes


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
        ([0.0, 0.5], "real", 32),
        ([0.0, 1.0 - 2**-24], "real", 32),
        ([0.0, 1e-30], "real", 32),
        ([0.0, 1e-45], "real", 32),
        ([0.0, float("nan")], "real", 32),
        ([2.0, 1.5], "real", 32),
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
    odd=st.sampled_from([0.5, -1.0, 2.0, 1.0]),
    turned=st.booleans(),
)
def test_a_single_entry_decides(shape, place, odd, turned):
    """Wherever it lies, in memory in order or not, in however many parts the tensor is read."""
    x = (torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    x.view(-1)[int(place * x.numel())] = odd
    x = x.movedim(-1, 0) if turned else x
    kind = {0.5: "real", -1.0: "ternary", 2.0: "integer", 1.0: "binary"}[odd]
    assert examine(x).kind == kind


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
