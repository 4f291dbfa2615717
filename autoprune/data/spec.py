"""The table [data] of a study, and the data sets that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, Field

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


class DataSpec(BaseModel):
    """The data set; ``data = "NAME"`` in a study is short for a table with the name alone.

    Attributes:
        name: a data set by name, or ``module:function`` of the user's.
        root: folder of the files, relative to the study; AUTOPRUNE_DATA where it is left out.
        frames: of an event data set, frames per sample (T of the recording).
        side: pixels of a sample's side, where the data set leaves it open.
        validation: share of the training data that becomes validation data.
    """

    model_config = STRICT
    name: str
    root: str | None = None
    frames: Steps | None = None
    side: Annotated[int, Field(ge=1, le=4096)] | None = None
    validation: Annotated[float, Field(ge=0.001, le=0.9)] = 0.1
