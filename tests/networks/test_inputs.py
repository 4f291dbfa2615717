"""Images are shown as they are, events with time first, frames added up to fewer steps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autoprune.errors import CompressionError
from autoprune.networks.inputs import present


class Timed(nn.Module):
    def __init__(self, steps: object) -> None:
        super().__init__()
        self.T = steps


def test_images_stay_as_they_are():
    images = torch.rand(3, 1, 4, 4)
    assert present(Timed(7), images) is images


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
def test_neighbouring_frames_are_added_up(steps):
    frames = torch.arange(2 * 6 * 2 * 3 * 3, dtype=torch.float32).reshape(2, 6, 2, 3, 3)
    shown = present(Timed(steps), frames)
    assert shown.shape == (steps, 2, 2, 3, 3)
    each = 6 // steps
    for step in range(steps):
        expected = sum(frames[:, step * each + i] for i in range(each))
        assert torch.equal(shown[step], expected)


@pytest.mark.parametrize("steps", [4, 5, 7, None])
def test_steps_that_do_not_divide_the_frames(steps):
    with pytest.raises(CompressionError, match=f"6 frames of events for {steps} time steps"):
        present(Timed(steps), torch.zeros(1, 6, 2, 3, 3))
