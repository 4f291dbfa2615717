"""Dataset: train, validation and test samples in memory, and how they are split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Samples and their classes.

    Attributes:
        inputs: [samples, C, H, W], float32 in 0..1.
        labels: [samples], int64.
    """

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set by name. Search sees `train` and `validation`; `test` decides nothing."""

    name: str
    classes: int
    train: Split
    validation: Split
    test: Split


def split(name: str, inputs: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> Dataset:
    """60 % train, 20 % validation, 20 % test, stratified by class, the same for the same seed."""
    indices = np.arange(len(labels))
    train, rest = train_test_split(indices, test_size=0.4, stratify=labels, random_state=seed)
    validation, test = train_test_split(
        rest, test_size=0.5, stratify=labels[rest], random_state=seed
    )

    def part(chosen: NDArray[np.int64]) -> Split:
        return Split(
            inputs=torch.from_numpy(inputs[chosen]), labels=torch.from_numpy(labels[chosen])
        )

    return Dataset(
        name=name,
        classes=len(np.unique(labels)),
        train=part(train),
        validation=part(validation),
        test=part(test),
    )
