"""What training does to raw samples, and how they become numbers.

Images: random crop with a margin of 4, horizontal flip, RandAugment of one operation of magnitude
9, random erasing with probability 1/4; the recipe of Spikformer and QKFormer for CIFAR. Events:
flip, and one of roll, rotation, cutout or shear per sample, all frames alike (Li et al.,
"Neuromorphic Data Augmentation for Training Spiking Neural Networks", ECCV 2022), the recipe of
Spikformer. Small grey images: a shift by up to 2 pixels, mirrored where that changes no meaning.

Everything random is drawn from torch's global generator, so that a seed repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from autoprune.data.dataset import Change
from autoprune.data.preparation import Preparation

ROLL, ANGLE, CUTOUT = 5, 15.0, 8
"""Largest roll in pixels, largest rotation and shear in degrees, side of the cutout in pixels."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """Bytes [n, C, H, W] as float32, less the mean and over the deviation of every channel.

    Attributes:
        how: with the mean and the deviation.
    """

    how: Preparation

    def __call__(self, samples: Tensor) -> Tensor:
        """The prepared samples."""
        pixels = samples.float() / self.how.divisor
        mean, deviation = (
            torch.tensor(part).reshape(-1, 1, 1) for part in (self.how.mean, self.how.deviation)
        )
        return (pixels - mean) / deviation


@dataclass(frozen=True, slots=True)
class AugmentedImages:
    """Bytes [n, C, H, W] -> float32, changed sample by sample, then normalised.

    Attributes:
        normalise: how samples are prepared.
        margin: of the random crop, in pixels; 0 where samples were cropped before.
    """

    normalise: Change
    margin: int = 4

    def __call__(self, samples: Tensor) -> Tensor:
        """The augmented samples."""
        sides = list(samples.shape[-2:])
        change = v2.Compose(
            [
                *([v2.RandomCrop(sides, padding=self.margin)] if self.margin else []),
                v2.RandomHorizontalFlip(),
                v2.RandAugment(num_ops=1, magnitude=9),
            ]
        )
        erase = v2.RandomErasing(p=0.25)
        changed = torch.stack([change(sample) for sample in samples])
        return torch.stack([erase(sample) for sample in self.normalise(changed)])


@dataclass(frozen=True, slots=True)
class ShiftedImages:
    """Pixels [n, C, H, W] -> float32, each image shifted by whole pixels, then normalised.

    Attributes:
        normalise: how samples are prepared.
        margin: the largest shift, up, down, left and right; what comes in is 0.
        mirrored: whether half of the images are mirrored.
    """

    normalise: Change
    margin: int = 2
    mirrored: bool = False

    def __call__(self, samples: Tensor) -> Tensor:
        """The augmented samples."""
        count, _, height, width = samples.shape
        padded = torch.nn.functional.pad(samples, 4 * [self.margin])
        top, left = torch.randint(2 * self.margin + 1, (2, count, 1))
        rows, columns = top + torch.arange(height), left + torch.arange(width)
        each = torch.arange(count)[:, None, None]
        shifted = padded[each, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        if self.mirrored:
            chosen = torch.rand(count, 1, 1, 1) < 0.5
            shifted = torch.where(chosen, shifted.flip(-1), shifted)
        return self.normalise(shifted)


def augmented_events(samples: Tensor) -> Tensor:
    """Frames [n, T, 2, H, W] -> float32, each sample changed in one way, all frames alike."""
    return torch.stack([_change(sample.float()) for sample in samples])


def _change(frames: Tensor) -> Tensor:
    if torch.rand(()) < 0.5:
        frames = frames.flip(-1)
    match int(torch.randint(4, ())):
        case 0:
            shifts = torch.randint(-ROLL, ROLL + 1, (2,)).tolist()
            return frames.roll(shifts, dims=(-2, -1))
        case 1:
            return functional.rotate(frames, angle=_between(-ANGLE, ANGLE))
        case 2:
            return _cut_out(frames)
        case _:
            shear = [_between(-ANGLE, ANGLE), 0.0]
            return functional.affine(frames, angle=0.0, translate=[0, 0], scale=1.0, shear=shear)


def _between(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(()))


def _cut_out(frames: Tensor) -> Tensor:
    height, width = frames.shape[-2:]
    side = min(CUTOUT, height // 2, width // 2)
    top = int(torch.randint(height - side + 1, ()))
    left = int(torch.randint(width - side + 1, ()))
    frames = frames.clone()
    frames[..., top : top + side, left : left + side] = 0
    return frames
