"""Dataset: train, validation and test samples, how they are stored and prepared."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autoprune.data.preparation import Preparation


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a data set without its files.

    Attributes:
        name: as in a study. classes: how many there are, which is what a network has outputs for.
        shape: of one sample: [C, H, W] of an image, [T, 2, H, W] of frames of events, [T, F] of a
            sequence.
        synthetic: whether the samples were computed instead of recorded; shown wherever they are.
        preparation: what becomes of raw samples; None where only a user's function knows.
        class_names: by label; none where nothing says so.
        label_shape: of one sample's label; () where that is its class. Others, such as a class per
            pixel, are for functions of the user's that train and score.
    """

    name: str
    classes: int
    shape: tuple[int, ...]
    synthetic: bool = False
    preparation: Preparation | None = None
    class_names: tuple[str, ...] = ()
    label_shape: tuple[int, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether samples have time, their first axis: frames of events, or sequences."""
        return len(self.shape) in (_SEQUENCE, _FRAMES)

    @property
    def is_sequence(self) -> bool:
        """Whether samples are sequences of features, without places."""
        return len(self.shape) == _SEQUENCE

    @property
    def kind(self) -> str:
        """What its samples are, in words."""
        return _KINDS[len(self.shape)]

    def __str__(self) -> str:
        size = " x ".join(map(str, self.shape))
        labels = " x ".join(map(str, self.label_shape))
        given = f"{self.classes} outputs for labels of {labels}" if labels else ""
        given = given or f"{self.classes} classes"
        made = ", synthetic" if self.synthetic else ""
        return f"{self.name} ({self.kind} of {size}, {given}{made})"


_SEQUENCE, _FRAMES = 2, 4
_KINDS = {_SEQUENCE: "sequences", 3: "images", _FRAMES: "frames of events"}
"""What samples of so many axes are."""


class Store(Protocol):
    """Raw samples, wherever they are."""

    def __len__(self) -> int:
        """How many there are."""

    def take(self, indices: Tensor) -> Tensor:
        """The samples [n, ...] with these indices, as they are stored."""

    @property
    def needed(self) -> Sequence[Path]:
        """Files that a process has to find before it can take samples; the first of many."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """Samples in a tensor.

    Pickled as numpy's array, whose memory pickle hands over without a copy: in Ray's object store
    it lies once per computer, and all workers read it there.
    """

    samples: Tensor

    def __len__(self) -> int:
        return len(self.samples)

    def __reduce__(self) -> tuple[Any, ...]:
        return _shared, (self.samples.numpy(),)

    def take(self, indices: Tensor) -> Tensor:
        """See `Store.take`."""
        return self.samples[indices]

    @property
    def needed(self) -> Sequence[Path]:
        """None: see `Store.needed`."""
        return ()


def _shared(samples: NDArray[Any]) -> InMemory:
    return InMemory(over(samples))


def over(samples: NDArray[Any]) -> Tensor:
    """A tensor over numpy's memory, to take samples from; that memory need not be writable."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(samples)


class MemoryMap:
    """Samples in a .npy file that is mapped, not read: processes of a machine share its pages.

    Pickled as the file's path, so that no worker gets a copy.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._array: NDArray[Any] = np.load(file, mmap_mode="r")

    def __len__(self) -> int:
        return len(self._array)

    def __reduce__(self) -> tuple[Any, ...]:
        return MemoryMap, (self.file,)

    def take(self, indices: Tensor) -> Tensor:
        """See `Store.take`."""
        return torch.from_numpy(self._array[indices.numpy()])

    @property
    def needed(self) -> Sequence[Path]:
        """See `Store.needed`."""
        return (self.file,)


Change = Callable[[Tensor], Tensor]


def as_stored(samples: Tensor) -> Tensor:
    """The samples as numbers, unchanged."""
    return samples.float()


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One part of a data set.

    Attributes:
        store: where the samples are. indices: [n] of those that belong to the part.
        labels: [n], int64; [n, ...] where a label is more than a class.
        prepare: raw samples [m, ...] -> float32 [m, *shape].
        augment: raw samples -> the same for training, random by torch's global generator; None
            where the data set has no augmentation.
    """

    store: Store
    indices: Tensor
    labels: Tensor
    prepare: Change = as_stored
    augment: Change | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, chosen: Tensor | slice) -> Tensor:
        """Samples [m, *shape] of the part, float32, never augmented."""
        return self.prepare(self.store.take(self.indices[chosen]))

    def augmented(self, chosen: Tensor) -> Tensor:
        """The same for training."""
        change = self.augment or self.prepare
        return change(self.store.take(self.indices[chosen]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set. Search sees `train` and `validation`; `test` decides nothing."""

    about: About
    train: Split
    validation: Split
    test: Split

    @property
    def files(self) -> list[Path]:
        """The files that a process has to find before it can use the data set."""
        parts = (self.train, self.validation, self.test)
        return [file for part in parts for file in part.store.needed]

    @property
    def held_bytes(self) -> int:
        """What its samples take of memory, those that parts share once; mapped files take none."""
        stores = [part.store for part in (self.train, self.validation, self.test)]
        held = {s.samples.data_ptr(): s.samples.nbytes for s in stores if isinstance(s, InMemory)}
        return sum(held.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Samples that belong together: a data set, or a part of it as it was published.

    Attributes:
        about: the data set. store, labels: its samples, label i of sample i.
        prepare, augment: as in `Split`.
    """

    about: About
    store: Store
    labels: NDArray[np.int64]
    prepare: Change = as_stored
    augment: Change | None = None

    def part(self, indices: NDArray[np.int64], *, augmented: bool = False) -> Split:
        """The samples with these indices."""
        return Split(
            store=self.store,
            indices=torch.from_numpy(indices),
            labels=torch.from_numpy(self.labels[indices]),
            prepare=self.prepare,
            augment=self.augment if augmented else None,
        )

    def whole(self) -> Split:
        """All samples."""
        return self.part(np.arange(len(self.labels)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a data set is made of; see `autoprune.data.split.split`.

    Attributes:
        train: samples to train on, and to split off the parts that are not there.
        validation, test: parts of their own.
        share: of `train` that becomes each part that is not there, unless a study says another.
    """

    train: Source
    validation: Source | None = None
    test: Source | None = None
    share: float = 0.1
