"""What a study says that training does to samples: by name, or a function of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from autoprune.data.dataset import About, Change, InMemory, Split
from autoprune.data.together import check_import
from autoprune.errors import InputError
from autoprune.plugin import load_named

NAMES: Final[Mapping[str, str]] = {
    "none": "any samples",
    "shift": "images",
    "shift_mirrored": "images",
    "randaugment": "images",
    "events": "frames of events",
}
"""What each is for."""


@dataclass(frozen=True, slots=True)
class OwnAugmentation:
    """A function of the user's on raw samples, which are prepared as others are.

    Attributes:
        name: ``module:function``; found again in a worker, where its folder may be told later.
        prepare: as in `Split`.
    """

    name: str
    prepare: Change

    def __call__(self, samples: Tensor) -> Tensor:
        """The augmented samples. InputError where the function changes their shape."""
        changed = load_named(self.name, "data.augment")(samples)
        if not isinstance(changed, Tensor) or changed.shape != samples.shape:
            given = list(changed.shape) if isinstance(changed, Tensor) else type(changed).__name__
            where, wanted = f"data.augment {self.name!r}", f"a tensor {list(samples.shape)}"
            raise InputError(where, f"returned {given}", wanted)
        return self.prepare(changed)


def check_augmentation(name: str, about: About) -> None:
    """InputError for an unknown name, one of other samples, or a function that is not there."""
    if ":" in name:
        load_named(name, "data.augment")
        return
    if name not in NAMES:
        raise InputError("data.augment", f"given {name!r}", name=name, candidates=NAMES)
    if NAMES[name] not in ("any samples", about.kind):
        raise InputError("data.augment", f"{name!r} is for {NAMES[name]}", f"one for {about.kind}")
    if name != "none":
        check_import("torchvision", "data.augment")


def augmented(part: Split, name: str, about: About) -> Split:
    """A part that is augmented so; `check_augmentation` has passed.

    Raises InputError where samples would have to be bytes.
    """
    return replace(part, augment=_change(part, name, about))


def _change(part: Split, name: str, about: About) -> Change | None:
    from autoprune.data.augment import AugmentedImages, ShiftedImages, augmented_events

    if ":" in name:
        return OwnAugmentation(name, part.prepare)
    match name:
        case "shift":
            return ShiftedImages(part.prepare)
        case "shift_mirrored":
            return ShiftedImages(part.prepare, mirrored=True)
        case "randaugment":
            kind = part.store.samples.dtype if isinstance(part.store, InMemory) else torch.uint8
            if kind != torch.uint8:
                given = f"'randaugment' of numbers of type {kind}"
                raise InputError(f"data {about.name}: augment", given, "bytes, uint8")
            return AugmentedImages(part.prepare)
        case "events":
            return augmented_events
        case _:
            return None
