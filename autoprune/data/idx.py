"""MNIST and Fashion-MNIST: four IDX files, packed or not, read by torchvision.

LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998
(the format: http://yann.lecun.com/exdb/mnist); Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image
dataset for benchmarking machine learning algorithms", arXiv:1708.07747, MIT-licensed.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from torch import Tensor

from autoprune.data.dataset import About, Source, Sources
from autoprune.data.mapped import Arrays, mapped
from autoprune.data.preparation import Preparation
from autoprune.data.spec import DataSpec
from autoprune.errors import AbsentDataError, InputError

OPTIONS: tuple[str, ...] = ()
NEEDS = ("torchvision",)
CLASSES, SIDE = 10, 28
LARGEST: Final = 2**26
"""Bytes of an unpacked file that are read; the largest of the two sets has 47 040 016."""
_UNREADABLE = (OSError, EOFError, zlib.error, AssertionError, KeyError, ValueError, RuntimeError)
PARTS: Final = {"train": "train", "test": "t10k"}
"""Part of the data to the beginning of its files' names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """What differs between the sets.

    Attributes:
        folder: as torchvision's download names it, with the files in its `raw`.
        mean, deviation: of the training images, between 0 and 1.
        names: of the classes.
        mirrored: whether an image means the same when it is mirrored.
        package: Debian's, and the folder of its files; empty for none.
    """

    folder: str
    mean: float
    deviation: float
    names: tuple[str, ...]
    mirrored: bool = False
    package: str = ""
    packaged: str = ""


_SETS: Final = {
    "mnist": _Set(folder="MNIST", mean=0.1307, deviation=0.3081, names=tuple("0123456789")),
    "fashion_mnist": _Set(
        folder="FashionMNIST",
        mean=0.2860,
        deviation=0.3530,
        names=(
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        mirrored=True,
        package="dataset-fashion-mnist",
        packaged="/usr/share/datasets/fashion-mnist",
    ),
}


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`."""
    known = _SETS[spec.name]
    return About(
        name=spec.name,
        classes=CLASSES,
        shape=(1, SIDE, SIDE),
        preparation=Preparation(
            raw="bytes of grey, 0 to 255",
            divisor=255.0,
            mean=(known.mean,),
            deviation=(known.deviation,),
        ),
        class_names=known.names,
    )


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    from autoprune.data.augment import Normalised, ShiftedImages

    known = about(spec, root)
    assert known.preparation is not None
    prepare = Normalised(known.preparation)
    augment = ShiftedImages(prepare, mirrored=_SETS[spec.name].mirrored)
    sources = []
    for part, start in PARTS.items():
        images, labels = _files(spec, root, start)
        state = str([(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in (images, labels)])
        store, classes = mapped(f"{spec.name}-{part}", state, partial(_read, images, labels))
        sources.append(
            Source(about=known, store=store, labels=classes, prepare=prepare, augment=augment)
        )
    train, test = sources
    return Sources(train=train, test=test)


def _files(spec: DataSpec, root: Path, start: str) -> tuple[Path, Path]:
    """Images and labels of a part, in the first folder that has both. InputError where none has."""
    known = _SETS[spec.name]
    folders = [root, root / known.folder / "raw"]
    if known.packaged and spec.root is None:
        folders.append(Path(known.packaged))
    names = f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte"
    for folder in folders:
        found = [_file(folder / name) for name in names]
        if found[0] and found[1]:
            return found[0], found[1]
    package = f"`apt install {known.package}`, or " if known.package else ""
    raise AbsentDataError(
        f"data {spec.name}",
        f"no {names[0]} with {names[1]}, packed (.gz) or not, in "
        + " or ".join(str(folder) for folder in folders),
        f"what {package}torchvision.datasets.{known.folder}({str(root)!r}, download=True) "
        "puts there",
    )


def _file(file: Path) -> Path | None:
    """The file, or itself packed; None where neither is there."""
    packed = file.with_name(f"{file.name}.gz")
    return file if file.is_file() else packed if packed.is_file() else None


def _read(images: Path, labels: Path) -> Arrays:
    """Images [n, 1, 28, 28] as bytes, and their classes. InputError where a file is not sound."""
    samples, classes = _tensor(images), _tensor(labels)
    if samples.shape[1:] != (SIDE, SIDE) or not len(samples):
        given = " x ".join(map(str, samples.shape))
        raise InputError(str(images), f"{given} numbers", f"images of {SIDE} x {SIDE}")
    if classes.shape != samples.shape[:1]:
        given = " x ".join(map(str, classes.shape))
        raise InputError(str(labels), f"{given} labels", f"one for each of {len(samples)} images")
    if int(classes.max()) >= CLASSES:
        raise InputError(str(labels), f"label {int(classes.max())}", f"0 to {CLASSES - 1}")
    return samples.unsqueeze(1).numpy(), classes.numpy().astype(np.int64)


def _tensor(file: Path) -> Tensor:
    """What an IDX file of bytes holds. InputError where it is cut, packed badly, or none."""
    import torch
    from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor

    try:
        with tempfile.NamedTemporaryFile() as plain:  # torchvision opens a path, unpacked
            with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
                held = stream.read(LARGEST + 1)
            if len(held) > LARGEST:
                raise InputError(str(file), f"more than {LARGEST} bytes", "one of the set's files")
            plain.write(held)
            plain.flush()
            found: Tensor = read_sn3_pascalvincent_tensor(plain.name)
    except _UNREADABLE as error:
        said = str(error) or "not as long as it says"
        raise InputError(str(file), f"not readable ({said})", "an IDX file, whole") from error
    if found.dtype != torch.uint8:
        raise InputError(str(file), f"numbers of type {found.dtype}", "bytes")
    return found
