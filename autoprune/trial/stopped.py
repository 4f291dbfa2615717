"""Samples with time that end where a network stops that is read early."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from autoprune.data.dataset import Change, Split
from autoprune.trial.setup import Setup


@dataclass(frozen=True, slots=True)
class FirstFrames:
    """Prepares raw samples and leaves the first of their frames.

    Attributes:
        prepare: the data set's. frames: that are left.
    """

    prepare: Change
    frames: int

    def __call__(self, raw: Tensor) -> Tensor:
        """Raw samples [m, ...] -> [m, frames, ...]."""
        return self.prepare(raw)[:, : self.frames]


def is_readable(setup: Setup, trained: int, steps: int) -> bool:
    """Whether a network that was trained for `trained` steps can be read after `steps` others.

    Images last as long as one likes; a recording is over when the network has seen it.
    """
    return steps < trained or (steps > trained and not setup.data.about.timed)


def stopped(setup: Setup, trained: int, steps: int) -> Setup:
    """The setup with samples as a network sees them that stops after `steps` of `trained`.

    A step goes on seeing as many frames as before, so that the last ones are left out. Images,
    which the network repeats, stay.
    """
    about = setup.data.about
    if not about.timed or steps == trained:
        return setup
    frames = about.shape[0] * steps // trained

    def cut(part: Split) -> Split:
        return replace(part, prepare=FirstFrames(part.prepare, frames))

    data = setup.data
    return replace(setup, data=replace(data, validation=cut(data.validation), test=cut(data.test)))
