"""Dataset: train, validation and test samples, how they are stored, prepared and split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autoprune.data.preparation import Preparation
from autoprune.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a data set without its files.

    Attributes:
        name: as in a study. classes: how many there are.
        shape: of one sample, [C, H, W] of an image or [T, 2, H, W] of frames of events.
        synthetic: whether the samples were computed instead of recorded; shown wherever they are.
        preparation: what becomes of raw samples; None where only a user's function knows.
        class_names: by label; none where nothing says so.
    """

    name: str
    classes: int
    shape: tuple[int, ...]
    synthetic: bool = False
    preparation: Preparation | None = None
    class_names: tuple[str, ...] = ()

    def __str__(self) -> str:
        kind = "frames of events" if len(self.shape) == 4 else "images"
        size = " x ".join(map(str, self.shape))
        made = ", synthetic" if self.synthetic else ""
        return f"{self.name} ({kind} of {size}, {self.classes} classes{made})"


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
    """Samples in a tensor."""

    samples: Tensor

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, indices: Tensor) -> Tensor:
        """See `Store.take`."""
        return self.samples[indices]

    @property
    def needed(self) -> Sequence[Path]:
        """None: see `Store.needed`."""
        return ()


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
        labels: [n], int64.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All samples of a data set, or of its training part: what `thirds` and `held_out` split.

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


def thirds(source: Source, seed: int) -> Dataset:
    """60 % train, 20 % validation, 20 % test, stratified by class, the same for the same seed.

    Raises InputError where a class has too few samples.
    """
    check_labels(source.about, source.labels, 5)
    train, rest = _stratified(np.arange(len(source.labels)), source.labels, 0.4, seed)
    validation, test = _stratified(rest, source.labels[rest], 0.5, seed)
    return Dataset(
        about=source.about,
        train=source.part(train, augmented=True),
        validation=source.part(validation),
        test=source.part(test),
    )


def held_out(
    source: Source, test: Split, share: float, seed: int, pool: NDArray[np.int64] | None = None
) -> Dataset:
    """A test part of its own, and validation split off the rest, stratified by class.

    Args:
        source: the samples to train and validate on.
        test: the test part.
        share: of them that becomes validation data.
        seed: of the split.
        pool: the indices of `source` that may be used; all where it is None.

    Raises InputError where a class has too few samples.
    """
    pool = np.arange(len(source.labels)) if pool is None else pool
    labels = source.labels[pool]
    check_labels(source.about, labels, max(2, int(np.ceil(1 / min(share, 1 - share)))))
    train, validation = _stratified(pool, labels, share, seed)
    return Dataset(
        about=source.about,
        train=source.part(train, augmented=True),
        validation=source.part(validation),
        test=test,
    )


def some_of(part: Split, count: int, seed: int) -> Split:
    """At most so many samples of a part, in its order, of every class its share.

    The same for the same seed; fewer are among more.
    """
    labels, shuffled = part.labels, np.random.default_rng(seed).permutation(len(part))
    place = torch.zeros(len(part))
    for label in labels.unique():
        own = torch.from_numpy(shuffled)[labels[shuffled] == label]
        place[own] = (torch.arange(len(own)) + 0.5) / len(own)
    chosen = place.argsort(stable=True)[:count].sort().values
    return replace(part, indices=part.indices[chosen], labels=labels[chosen])


def check_labels(about: About, labels: NDArray[np.int64], needed: int) -> None:
    """InputError unless labels are 0 to classes - 1 and every class has `needed` samples."""
    if len(labels) and not (labels.min() >= 0 and labels.max() < about.classes):
        raise InputError(
            f"data {about.name}",
            f"labels from {labels.min()} to {labels.max()}",
            f"0 to {about.classes - 1}",
        )
    counts = np.bincount(labels, minlength=about.classes)
    few = int(counts.argmin())
    if counts[few] < needed:
        raise InputError(
            f"data {about.name}",
            f"{counts[few]} samples of class {few}",
            f"at least {needed} of every class for this split",
        )


def _stratified(
    indices: NDArray[np.int64], labels: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from sklearn.model_selection import train_test_split  # a second, of every start

    one, other = train_test_split(indices, test_size=share, stratify=labels, random_state=seed)
    return one, other
