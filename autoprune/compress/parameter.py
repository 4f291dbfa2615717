"""Parameter: what a search may choose at one place of a network.

Its text, such as ``blocks.0.mlp.l1p``, is what Optuna, the files of a run and people read; it is
known here and, as far as it is a place's, in `autoprune.networks.place`.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from autoprune.compress.plan import Effort, NeuronPlan
from autoprune.errors import InputError
from autoprune.networks.place import BRANCHES, HEAD, MODEL, STEM, Kind, Place

SETTINGS: Mapping[Kind, tuple[str, ...]] = {
    "model": ("l1p", *(field.name for field in dataclasses.fields(Effort))),
    "stem": ("l1p",),
    "head": ("l1p",),
    "block": ("l1p",),
    "branch": ("l1p", "dsp"),
    "neuron": tuple(field.name for field in dataclasses.fields(NeuronPlan)),
}
"""What may be chosen, by the kind of place."""


@dataclass(frozen=True, slots=True, order=True)
class Parameter:
    """A setting at a place.

    Attributes:
        place: where it acts.
        setting: one of the `SETTINGS` there.

    Raises InputError for a setting that there is not at that place.
    """

    place: Place
    setting: str

    def __post_init__(self) -> None:
        if self.setting not in SETTINGS[self.place.kind]:
            raise _unknown(str(self))

    @classmethod
    def parse(cls, text: str) -> Parameter:
        """The parameter that prints so; InputError with the nearest one where none does."""
        return _parse(text)

    def __str__(self) -> str:
        """Such as ``blocks.0.attention.l1p``, ``stem.l1p``, ``l1p``, ``blocks.0.neuron.tau``."""
        place = str(self.place)
        return f"{place}.{self.setting}" if place else self.setting


@functools.lru_cache(maxsize=4096)  # one value per name, however many trials of a run hold it
def _parse(text: str) -> Parameter:
    place, dot, setting = text.rpartition(".")
    try:
        if dot and not place:
            raise _unknown(text)
        return Parameter(Place.parse(place), setting)
    except InputError as error:
        raise _unknown(text) from error


def _unknown(text: str) -> InputError:
    """The error of a name that is no parameter's; candidates are those of the block it names."""
    index = re.search(r"\d{1,9}", text)
    block = int(index[0]) if index else 0
    inside = [Place(block, part) for part in ("", *BRANCHES, "neuron")]
    known = (
        f"{place}.{setting}" if place != MODEL else setting
        for place in (MODEL, STEM, HEAD, *inside)
        for setting in SETTINGS[place.kind]
    )
    return InputError("configuration", f"unknown parameter {text!r}", name=text, candidates=known)
