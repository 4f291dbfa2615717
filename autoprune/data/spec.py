"""The table [data] of a study, and the data sets that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from autoprune.config import STRICT, Steps

DATA_SETS: Final[Mapping[str, str]] = {
    "cifar10": "cifar",
    "cifar100": "cifar",
    "cifar10dvs": "event_camera",
    "digits": "digits",
    "digits_events": "digits_events",
    "dvs128gesture": "event_camera",
    "fashion_mnist": "idx",
    "imagefolder": "image_folder",
    "mnist": "idx",
}
"""Name to the module of this room that reads it; see `autoprune.data.load`."""


def _count_or_share(size: float) -> float:
    if size >= 1 and size == int(size):
        return int(size)
    if _LEAST_SHARE <= size <= _MOST_SHARE:
        return size
    raise ValueError(
        f"a number of samples, 1 or more, or a share of {_LEAST_SHARE} to {_MOST_SHARE}"
    )


_LEAST_SHARE, _MOST_SHARE = 0.001, 0.9
Size = Annotated[float, Field(gt=0, le=10**9), AfterValidator(_count_or_share)]
"""Samples of a part: so many where it is a whole number, a share where it is below 1."""


OPTIONAL: Final = ("frames", "side", "channels", "scaled")
"""Keys that some data sets have; a user's function takes them as arguments."""


class DataSpec(BaseModel):
    """The data set; ``data = "NAME"`` in a study is short for a table with the name alone.

    Attributes:
        name: a data set by name, or ``module:function`` of the user's.
        root: folder of the files, relative to the study; AUTOPRUNE_DATA where it is left out.
        frames: of an event data set, frames per sample (T of the recording).
        side: pixels of a sample's side, where the data set leaves it open.
        channels: of the images of `imagefolder`: 1 for grey, 3, where it is left out, for colours.
        scaled: whether the images of `imagefolder` are scaled, which they are where it is left out;
            else all of them have `side` x `side` pixels, and keep them.
        augment: what training does to samples, in place of what the data set's recipe does:
            ``none``; of images ``shift`` (by up to 2 pixels), ``shift_mirrored``, ``randaugment``
            (with crop, mirroring and erasing; of bytes); of frames ``events``; or
            ``module:function`` of the user's, called with samples [n, ...] as they are stored.
        train: samples to train on, so many or a share of those there are; of every class its
            share, drawn by the study's seed. All where it is left out.
        validation: validation samples, so many or a share. They are split off the training samples,
            or taken out of a validation part of its own, which is used whole where this is left
            out. Else 0.2 of samples that test samples are split off as well, 0.1 of others.
        test: the same for test samples.

    All other keys are arguments of the user's function, by its names.
    """

    model_config: ClassVar[ConfigDict] = {**STRICT, "extra": "allow"}
    name: str
    root: str | None = None
    frames: Steps | None = None
    side: Annotated[int, Field(ge=1, le=4096)] | None = None
    channels: Literal[1, 3] | None = None
    scaled: bool | None = None
    augment: str | None = None
    train: Size | None = None
    validation: Size | None = None
    test: Size | None = None

    @property
    def arguments(self) -> dict[str, object]:
        """The other keys."""
        return dict(self.model_extra or {})
