"""Handwritten digits: 1797 real 8x8 grey images of 10 classes, shipped inside scikit-learn.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998 (the test
part, as `sklearn.datasets.load_digits` returns it).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from autoprune.data.dataset import About, InMemory, Source, Sources
from autoprune.data.preparation import Preparation
from autoprune.data.spec import DataSpec

OPTIONS: tuple[str, ...] = ()
NEEDS: tuple[str, ...] = ()
NAMES = tuple(map(str, range(10)))
"""Names of the classes."""
_PREPARATION = Preparation(raw="grey values from 0 to 16", divisor=16.0)


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`; nothing lies under `root`."""
    return About(
        name="digits",
        classes=10,
        shape=(1, 8, 8),
        preparation=_PREPARATION,
        class_names=NAMES,
    )


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    images, labels = images_and_labels()
    source = Source(
        about=about(spec, root),
        store=InMemory(torch.from_numpy(images[:, None])),
        labels=labels,
    )
    return Sources(train=source, share=0.2)


def images_and_labels() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The digits [1797, 8, 8], pixels divided by their maximum of 16, and their classes."""
    from sklearn.datasets import load_digits  # a second, of every start

    pixels, labels = load_digits(return_X_y=True)
    return (pixels / _PREPARATION.divisor).astype(np.float32).reshape(-1, 8, 8), labels.astype(
        np.int64
    )
