"""CIFAR-10 and CIFAR-100 from the files of their home page, which torchvision's class lists.

They are pickles, and may be anybody's: a run folder names where they lie.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html ("python version").
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from autoprune.data.dataset import About, Source, Sources
from autoprune.data.mapped import Arrays, mapped
from autoprune.data.plain_pickle import read_plain
from autoprune.data.preparation import Preparation
from autoprune.data.spec import DataSpec
from autoprune.errors import AbsentDataError, InputError
from autoprune.files import MIB

OPTIONS: tuple[str, ...] = ()
NEEDS = ("torchvision",)
LARGEST: Final = 256 * MIB
"""Bytes of a file that are read; the largest of the two sets has 155 249 918."""
_UNREADABLE = (
    *(InputError, pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError),
    *(AttributeError, ImportError, MemoryError, OverflowError, RecursionError),
)
"""What a file that is no CIFAR makes its reader raise."""
_LABELS = {"cifar10": "labels", "cifar100": "fine_labels"}
_PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
_FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
_CLASSES = {"cifar10": 10, "cifar100": 100}
# Per channel, of the training images of CIFAR-10, as the published recipes use them for both.
_PREPARATION = Preparation(
    raw="bytes of red, green and blue, 0 to 255",
    divisor=255.0,
    mean=(0.4914, 0.4822, 0.4465),
    deviation=(0.2470, 0.2435, 0.2616),
)


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`."""
    return About(
        name=spec.name,
        classes=_CLASSES[spec.name],
        shape=(3, 32, 32),
        preparation=_PREPARATION,
    )


def _names(folder: Path, name: str) -> tuple[str, ...]:
    """Names of the classes, as the files say; none where these are not there."""
    file, key = {
        "cifar10": ("batches.meta", "label_names"),
        "cifar100": ("meta", "fine_label_names"),
    }[name]
    try:
        names = tuple(read_plain(folder / file, MIB)[key])
    except _UNREADABLE:
        return ()
    return names if all(isinstance(one, str) for one in names) else ()


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    from autoprune.data.augment import AugmentedImages, Normalised

    folder = root / _FOLDERS[spec.name]
    if not folder.is_dir():
        raise AbsentDataError(
            f"data {spec.name}",
            f"no folder {folder}",
            f"the python version from {_PAGE}, unpacked in {root}",
        )
    prepare = Normalised(_PREPARATION)
    known = replace(about(spec, root), class_names=_names(folder, spec.name))
    sources = []
    for part in ("train", "test"):
        make = partial(_read, spec.name, root, part)
        store, labels = mapped(f"{spec.name}-{part}", _state(folder), make)
        sources.append(
            Source(
                about=known,
                store=store,
                labels=labels,
                prepare=prepare,
                augment=AugmentedImages(prepare),
            )
        )
    train, test = sources
    return Sources(train=train, test=test)


def _state(folder: Path) -> str:
    """Names, sizes and times of the files: another state is read again."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return str([(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files])


def _read(name: str, root: Path, part: str) -> Arrays:
    """Images [n, 3, 32, 32] as bytes, and their classes, out of torchvision's lists of files."""
    from torchvision.datasets import CIFAR10, CIFAR100

    kind: Any = {"cifar10": CIFAR10, "cifar100": CIFAR100}[name]
    images, labels, broken = [], [], []
    for file, _ in kind.train_list if part == "train" else kind.test_list:
        try:
            # Not by torchvision itself: it would run what a file names, and refuse one whose
            # checksum it does not know, such as a part of the data.
            entry = read_plain(root / kind.base_folder / file, LARGEST)
            pixels = entry["data"].as_bytes().reshape(-1, 3, 32, 32)
            classes = np.array([int(label) for label in entry[_LABELS[name]]], dtype=np.int64)
            if len(pixels) != len(classes):
                raise ValueError(f"{len(pixels)} images and {len(classes)} labels")
            images.append(pixels)
            labels.append(classes)
        except _UNREADABLE as error:
            broken.append(f"{file} ({type(error).__name__}: {error})")
    if broken:
        raise InputError(
            f"data {name}",
            f"{len(broken)} broken files in {root / kind.base_folder}: {'; '.join(broken[:3])}",
            "the files as they were published",
        )
    return np.concatenate(images), np.concatenate(labels)
