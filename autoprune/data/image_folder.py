"""Images in folders, as ImageNet is laid out: ROOT/train/CLASS/* and ROOT/val/CLASS/*.

`val` is the test part; validation is split off `train`. Images are decoded when they are needed and
never all in memory. Evaluation takes the centre of the image at 256/224 of the side; training a
random part of it, as torchvision's reference recipe for ImageNet.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from autoprune.data.dataset import About, Source, Sources
from autoprune.data.folders import cache_folder
from autoprune.data.preparation import Preparation
from autoprune.data.spec import DataSpec
from autoprune.errors import InputError
from autoprune.files import write_text

OPTIONS = ("side",)
NEEDS = ("torchvision",)
SIDE = 224
_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp"}
_KINDS = ("JPEG", "PNG", "BMP", "PPM", "WEBP")
_PREPARATION = Preparation(
    raw="bytes of red, green and blue, 0 to 255",
    divisor=255.0,
    mean=(0.485, 0.456, 0.406),  # of ImageNet
    deviation=(0.229, 0.224, 0.225),
)
_LAYOUT = "ROOT/train/CLASS/IMAGE and ROOT/val/CLASS/IMAGE, with the same classes"


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`; 1000 classes where the folder is not there."""
    folder, side = root / "train", spec.side or SIDE
    names = tuple(f.name for f in _folders(folder)) if folder.is_dir() else ()
    larger = side * 256 // 224
    return About(
        name="imagefolder",
        classes=len(names) or 1000,
        shape=(3, side, side),
        preparation=replace(
            _PREPARATION,
            before=f"shorter side scaled to {larger}, the centre of {side} x {side} taken",
        ),
        class_names=names,
    )


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    for part in ("train", "val"):
        if not (root / part).is_dir():
            raise InputError("data imagefolder", f"no folder {root / part}", _LAYOUT)
    classes = [folder.name for folder in _folders(root / "train")]
    strange = sorted({f.name for f in _folders(root / "val")} - set(classes))
    if strange:
        raise InputError(
            "data imagefolder",
            f"{root / 'val'} has classes that train has not: {', '.join(strange[:3])}",
            _LAYOUT,
        )
    known = about(spec, root)
    train, test = (_source(known, root / part, classes) for part in ("train", "val"))
    return Sources(train=train, test=test)


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """Image files; a sample is its bytes [3, larger side, larger side].

    Attributes:
        files: their paths. side: of what is decoded: the image is scaled so that its shorter side
            is as long, and its centre taken.
    """

    files: tuple[str, ...]
    side: int

    def __len__(self) -> int:
        return len(self.files)

    def take(self, indices: Tensor) -> Tensor:
        """See `autoprune.data.dataset.Store.take`."""
        return torch.stack([self._decoded(self.files[int(index)]) for index in indices])

    @property
    def needed(self) -> Sequence[Path]:
        """See `autoprune.data.dataset.Store.needed`."""
        return [Path(file) for file in self.files[:1]]

    def _decoded(self, file: str) -> Tensor:
        from torchvision.transforms.v2 import functional

        with _opened(file) as image:
            pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
        scaled = functional.resize(pixels, [self.side], antialias=True)
        return functional.center_crop(scaled, [self.side, self.side])


@dataclass(frozen=True, slots=True)
class Centre:
    """The centre [n, 3, side, side] of larger samples, normalised."""

    side: int

    def __call__(self, samples: Tensor) -> Tensor:
        """The prepared samples."""
        from torchvision.transforms.v2 import functional

        from autoprune.data.augment import Normalised

        return Normalised(_PREPARATION)(functional.center_crop(samples, [self.side] * 2))


@dataclass(frozen=True, slots=True)
class RandomPart:
    """A random part of larger samples at random scale, augmented and normalised."""

    side: int

    def __call__(self, samples: Tensor) -> Tensor:
        """The augmented samples."""
        from torchvision.transforms import v2

        from autoprune.data.augment import AugmentedImages, Normalised

        crop = v2.RandomResizedCrop(self.side, scale=(0.2, 1.0), antialias=True)
        parts = torch.stack([crop(sample) for sample in samples])
        return AugmentedImages(Normalised(_PREPARATION), margin=0)(parts)


def _source(known: About, folder: Path, classes: list[str]) -> Source:
    files: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(
            str(file) for file in (folder / name).glob("*") if file.suffix.lower() in _ENDINGS
        )
        files += found
        labels += [label] * len(found)
    if not files:
        raise InputError("data imagefolder", f"no images in {folder}", _LAYOUT)
    _check(files, folder)
    side = known.shape[-1]
    return Source(
        about=known,
        store=ImageFiles(tuple(files), side * 256 // 224),
        labels=np.array(labels, dtype=np.int64),
        prepare=Centre(side),
        augment=RandomPart(side),
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _check(files: list[str], folder: Path) -> None:
    """InputError with the images that cannot be read; checked images are remembered."""
    state = [_state(file) for file in files]
    key = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]
    seen = cache_folder() / "data" / f"imagefolder-{key}.checked"
    if seen.is_file() and None not in state:
        return
    broken = [f for f, known in zip(files, state, strict=True) if not (known and _readable(f))]
    if broken:
        raise InputError(
            "data imagefolder",
            f"{len(broken)} of {len(files)} images in {folder} are broken: "
            + ", ".join(broken[:3]),
            "readable images",
        )
    write_text(seen, "")


def _state(file: str) -> tuple[str, int, int] | None:
    """What tells a file from another of that name; None of what is none, such as a pipe."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    regular = stat.S_ISREG(found.st_mode)
    return (file, found.st_size, found.st_mtime_ns) if regular else None


def _opened(file: str) -> Image.Image:
    """An image of those kinds; for some others pillow would start a program, Ghostscript."""
    return Image.open(file, formats=_KINDS)


def _readable(file: str) -> bool:
    try:
        with _opened(file) as image:
            image.verify()
        with _opened(file) as image:
            image.load()  # a truncated image passes verify
    except Exception:  # noqa: BLE001 - each kind has errors of its own, and one of its size
        return False
    return True
