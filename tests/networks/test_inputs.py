"""Images are shown as they are, events with time first, frames added up to fewer steps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autoprune.errors import CompressionError
from autoprune.networks.inputs import check_time_axis, present, time_axis_of
from tests.refusals import assert_refused


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
    said = f"6 frames of events for {steps} time steps.* volumes .* time_axis = None"
    said = said if steps else "has no attribute T"
    with pytest.raises(CompressionError, match=said):
        present(Timed(steps), torch.zeros(1, 6, 2, 3, 3))


def test_frames_reach_a_network_along_the_axis_that_it_says():
    network, frames = Timed(2), torch.rand(3, 4, 2, 5, 5)
    first = present(network, frames)
    network.time_axis = 1
    assert torch.equal(present(network, frames), first.transpose(0, 1))
    spoken = torch.rand(3, 4, 7)  # [B, T, features]
    assert present(network, spoken).shape == (3, 2, 7)
    assert present(Timed(2), spoken) is spoken
    images = torch.rand(3, 1, 4, 4)
    assert present(network, images) is images
    network.time_axis = None
    assert present(network, frames) is frames  # volumes
    network.time_axis = 2
    with pytest.raises(CompressionError, match=r"time_axis is 2; expected 0, of frames \[T, B"):
        time_axis_of(network)


class Leaky(nn.Module):
    """Neurons of no known class, in a loop over the axis that the network takes for time."""

    def __init__(self, axis: int, *, mean: bool, first: int = 0, said: int = 0) -> None:
        super().__init__()
        self.T, self.axis, self.mean, self.first, self.time_axis = 4, axis, mean, first, said

    def forward(self, x):
        v, spikes = 0.0, []
        for step in x.movedim(self.axis, 0).flatten(2):
            v = v / 2 + step
            spikes.append((v > 1.2).float())
            v = v * (v <= 1.2)
        out = torch.stack(spikes)
        return out.mean(0) if self.mean else out.movedim(0, self.first)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("mean", "first"), [(True, 0), (False, 0), (False, 1)])
def test_another_number_of_samples_than_steps_tells_which_axis_is_time(axis, mean, first):
    frames = torch.ones(4, 4, 2, 3, 3)  # as many samples as steps
    right = Leaky(axis, mean=mean, first=first, said=axis)
    check_time_axis(right, frames)
    wrong = Leaky(axis, mean=mean, first=first, said=1 - axis)
    words = f"time along axis {1 - axis}, or, for one that takes*time_axis = {axis}"
    assert_refused(words, check_time_axis, wrong, frames, by=CompressionError)


def test_nothing_is_asked_of_images_and_of_what_gives_no_tensor():
    class Silent(nn.Module):
        T = 4

        def forward(self, x):
            return {"logits": x}

    check_time_axis(Leaky(1, mean=True), torch.ones(4, 2, 3, 3))
    check_time_axis(Silent(), torch.ones(4, 4, 2, 3, 3))
