"""Activity against a loop over every window and every group of rows."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autoprune.workload.census.activity import activity
from autoprune.workload.parts import Activity


def by_loop(x: torch.Tensor) -> Activity:
    """Activity of [T, samples, columns, rows], entry by entry."""
    values = x.tolist()
    steps, samples, columns, rows = x.shape
    silent, windows, empty, groups = 0, [0, 0, 0], [0, 0], [0, 0]
    for s, c, r in itertools.product(range(samples), range(columns), range(rows)):
        train = [values[t][s][c][r] != 0 for t in range(steps)]
        silent += not any(train)
        for i, size in enumerate((2, 4, 8)):
            windows[i] += sum(any(train[t : t + size]) for t in range(0, steps, size))
    for t, s, c in itertools.product(range(steps), range(samples), range(columns)):
        for i, size in enumerate((8, 32)):
            for r in range(0, rows, size):
                groups[i] += 1
                empty[i] += not any(values[t][s][c][r : r + size])
    return Activity(
        silent=silent, windows=tuple(windows), empty_groups=tuple(empty), groups=tuple(groups)
    )


@settings(derandomize=True)
@given(
    steps=st.integers(1, 11),
    rows=st.one_of(st.integers(1, 40), st.sampled_from([32, 64, 65, 96])),
    columns=st.integers(1, 3),
    density=st.sampled_from([0.0, 0.02, 0.2, 1.0]),
    signed=st.booleans(),
    rows_last=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_activity_equals_the_loop(steps, rows, columns, density, signed, rows_last, seed):
    generator = torch.Generator().manual_seed(seed)
    shape = (steps, 2, columns, rows) if rows_last else (steps, 2, rows, columns)
    x = (torch.rand(shape, generator=generator) < density).float()
    if signed:
        x *= torch.randint(-2, 3, shape, generator=generator)
    x = x if rows_last else x.mT
    assert activity(x) == by_loop(x)


def test_axes_before_columns_and_rows_are_heads():
    x = (torch.rand(3, 2, 4, 5, 9, generator=torch.Generator().manual_seed(0)) < 0.1).float()
    assert activity(x) == by_loop(x.flatten(2, 3))


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_windows_that_hold_all_steps_leave_the_silent(steps):
    x = (torch.rand(steps, 2, 3, 9, generator=torch.Generator().manual_seed(1)) < 0.3).float()
    figures = activity(x)
    assert figures.windows[2] == x[0].numel() - figures.silent
    assert figures.windows[1] == figures.windows[2]
