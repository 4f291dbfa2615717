"""Images in folders, as ImageNet is laid out: ROOT/train/CLASS/* and ROOT/val/CLASS/*.

`val` is the test part; validation is split off `train`. Images are decoded when they are needed and
never all in memory. Evaluation takes the centre of the image at 256/224 of the side; training a
random part of it, as torchvision's reference recipe for ImageNet. Where a study says that images
are not scaled, they are taken as they are.
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
from autoprune.errors import AbsentDataError, InputError
from autoprune.files import write_text

OPTIONS = ("side", "channels", "scaled")
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
_GREY = Preparation(
    raw="bytes of grey, 0 to 255",
    divisor=255.0,
    mean=(0.449,),  # the mean of the three, and of their deviations
    deviation=(0.226,),
)
_LAYOUT = "ROOT/train/CLASS/IMAGE and ROOT/val/CLASS/IMAGE, with the same classes"


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`; 1000 classes where the folder is not there."""
    folder, side = root / "train", spec.side or SIDE
    names = tuple(f.name for f in _folders(folder)) if folder.is_dir() else ()
    how = _GREY if spec.channels == 1 else _PREPARATION
    if spec.scaled is not False:
        larger = _larger(side)
        before = f"shorter side scaled to {larger}, the centre of {side} x {side} taken"
        how = replace(how, before=before)
    return About(
        name="imagefolder",
        classes=len(names) or 1000,
        shape=(spec.channels or 3, side, side),
        preparation=how,
        class_names=names,
    )


def _larger(side: int) -> int:
    """The side of what is decoded where images are scaled."""
    return side * 256 // 224


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    for part in ("train", "val"):
        if not (root / part).is_dir():
            raise AbsentDataError("data imagefolder", f"no folder {root / part}", _LAYOUT)
    classes = [folder.name for folder in _folders(root / "train")]
    strange = sorted({f.name for f in _folders(root / "val")} - set(classes))
    if strange:
        raise InputError(
            "data imagefolder",
            f"{root / 'val'} has classes that train has not: {', '.join(strange[:3])}",
            _LAYOUT,
        )
    known = about(spec, root)
    scaled = spec.scaled is not False
    train, test = (_source(known, root / part, classes, scaled=scaled) for part in ("train", "val"))
    return Sources(train=train, test=test)


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """Image files; a sample is its bytes [channels, side, side].

    Attributes:
        files: their paths. channels: 1 for grey, 3 for colours.
        side: of what is decoded: the image is scaled so that its shorter side is as long, and its
            centre taken; of one with both sides as long nothing is changed.
    """

    files: tuple[str, ...]
    side: int
    channels: int = 3

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
            mode = "L" if self.channels == 1 else "RGB"
            found = np.array(image.convert(mode)).reshape(*image.size[::-1], self.channels)
        pixels = torch.from_numpy(found).permute(2, 0, 1)
        scaled = functional.resize(pixels, [self.side], antialias=True)
        return functional.center_crop(scaled, [self.side, self.side])


@dataclass(frozen=True, slots=True)
class Centre:
    """The centre [n, C, side, side] of samples that may be larger, normalised."""

    side: int
    how: Preparation

    def __call__(self, samples: Tensor) -> Tensor:
        """The prepared samples."""
        from torchvision.transforms.v2 import functional

        from autoprune.data.augment import Normalised

        return Normalised(self.how)(functional.center_crop(samples, [self.side] * 2))


@dataclass(frozen=True, slots=True)
class RandomPart:
    """A random part of larger samples at random scale, augmented and normalised."""

    side: int
    how: Preparation

    def __call__(self, samples: Tensor) -> Tensor:
        """The augmented samples."""
        from torchvision.transforms import v2

        from autoprune.data.augment import AugmentedImages, Normalised

        crop = v2.RandomResizedCrop(self.side, scale=(0.2, 1.0), antialias=True)
        parts = torch.stack([crop(sample) for sample in samples])
        return AugmentedImages(Normalised(self.how), margin=0)(parts)


def _source(known: About, folder: Path, classes: list[str], *, scaled: bool) -> Source:
    from autoprune.data.augment import AugmentedImages

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
    channels, side = known.shape[0], known.shape[-1]
    assert known.preparation is not None
    prepare = Centre(side, known.preparation)
    if not scaled:
        _check_size(files, folder, side)
    return Source(
        about=known,
        store=ImageFiles(tuple(files), _larger(side) if scaled else side, channels),
        labels=np.array(labels, dtype=np.int64),
        prepare=prepare,
        augment=RandomPart(side, known.preparation) if scaled else AugmentedImages(prepare),
    )


def _check_size(files: list[str], folder: Path, side: int) -> None:
    """InputError with the images of another size."""
    sizes = {}
    for file in files:
        with _opened(file) as image:
            sizes[file] = image.size
    other = [f"{file} ({w} x {h})" for file, (w, h) in sizes.items() if (w, h) != (side, side)]
    if other:
        given = f"{len(other)} of {len(files)} images in {folder} are of another size: "
        where, wanted = "data imagefolder", f"{side} x {side} pixels, or scaled = true"
        raise InputError(where, given + ", ".join(other[:3]), wanted)


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
