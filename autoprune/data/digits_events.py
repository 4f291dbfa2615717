"""Synthetic events: the real digits of scikit-learn, moved before an event camera that is computed.

As N-MNIST was recorded (Orchard et al., "Converting Static Image Datasets to Spiking Neuromorphic
Datasets Using Saccades", Frontiers in Neuroscience 9, 2015), but computed: the image makes three
saccades along a triangle; a pixel emits an ON or OFF event each time that the logarithm of its
intensity has risen or fallen by THRESHOLD since its last event. The camera has no noise. Events are
counted in frames of equal duration, three saccades long in all.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from autoprune.data.dataset import About, InMemory, Source, Sources
from autoprune.data.digits import NAMES, images_and_labels
from autoprune.data.preparation import Preparation
from autoprune.data.spec import DataSpec

OPTIONS = ("frames", "side")
NEEDS: tuple[str, ...] = ()
FRAMES, SIDE = 8, 16
THRESHOLD = 0.2
"""Change of the logarithm of intensity that makes an event."""
DARK = 0.1
"""Intensity of black, so that it has a logarithm; white is 1 more."""
STEPS = 48
"""Positions of the image on its way: three saccades of sixteen."""
CORNERS = ((0.0, 0.0), (0.5, 1.0), (1.0, 0.0), (0.0, 0.0))
"""The triangle, in units of a digit's original pixels."""


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`; nothing lies under `root`."""
    side = spec.side or SIDE
    shape = (spec.frames or FRAMES, 2, side, side)
    return About(
        name="digits_events",
        classes=10,
        shape=shape,
        synthetic=True,
        preparation=Preparation(raw="counts of OFF and ON events per pixel and frame"),
        class_names=NAMES,
    )


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    known = about(spec, root)
    frames, labels = _frames(known.shape[0], known.shape[-1])
    source = Source(about=known, store=InMemory(frames), labels=labels)
    return Sources(train=source, share=0.2)


@cache
def _frames(count: int, side: int) -> tuple[Tensor, NDArray[np.int64]]:
    """All samples [1797, count, 2, side, side] as uint8, and their classes."""
    images, labels = images_and_labels()
    small = torch.from_numpy(images)[:, None]
    large = interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    frames = torch.zeros(len(large), count, 2, side, side, dtype=torch.uint8)
    last = _seen(large, 0)
    for step in range(1, STEPS + 1):
        change = (_seen(large, step) - last) / THRESHOLD
        events = change.trunc()
        last += events * THRESHOLD  # what is left over counts towards the next event
        frame = min((step - 1) * count // STEPS, count - 1)
        frames[:, frame, 0] += events.clamp(min=0)[:, 0].to(torch.uint8)
        frames[:, frame, 1] += (-events).clamp(min=0)[:, 0].to(torch.uint8)
    return frames, labels


def _seen(images: Tensor, step: int) -> Tensor:
    """The logarithm of what the camera sees at a step of the way."""
    leg, rest = divmod(step * (len(CORNERS) - 1), STEPS)
    start, end = CORNERS[leg], CORNERS[min(leg + 1, len(CORNERS) - 1)]
    share = rest / STEPS
    x, y = (2 / 8 * (a + (b - a) * share) for a, b in zip(start, end, strict=True))
    moved = torch.tensor([[1.0, 0.0, x], [0.0, 1.0, y]]).expand(len(images), -1, -1)
    grid = affine_grid(moved, list(images.shape), align_corners=False)
    return (grid_sample(images, grid, align_corners=False) + DARK).log()
