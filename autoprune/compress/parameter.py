"""Parameter: what a search may choose at one place of a network.

Its text, such as ``blocks.0.mlp.l1p``, is what Optuna, the files of a run and people read; it is
known here and, as far as it is a place's, in `autoprune.networks.place`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from autoprune.compress.registry import settings_at
from autoprune.errors import InputError
from autoprune.networks.place import BRANCHES, HEAD, MODEL, STEM, Place


@dataclass(frozen=True, slots=True, order=True)
class Parameter:
    """A setting at a place.

    Attributes:
        place: where it acts.
        setting: the name of a `autoprune.compress.setting.Setting` there.

    Raises InputError for what is no name. Whether there is such a setting, `parse` knows: a run
    may be read where the method is not known that has it.
    """

    place: Place
    setting: str

    def __post_init__(self) -> None:
        if not self.setting.isidentifier():
            raise _unknown(str(self))

    @classmethod
    def parse(cls, text: str) -> Parameter:
        """The parameter that prints so; InputError with the nearest one where none does."""
        found = cls.recorded(text)
        if all(setting.name != found.setting for setting in settings_at(found.place.kind)):
            raise _unknown(text)
        return found

    @classmethod
    def recorded(cls, text: str) -> Parameter:
        """The parameter of a run that prints so, whether or not its method is known here."""
        return _recorded(text)

    def __str__(self) -> str:
        """Such as ``blocks.0.attention.l1p``, ``stem.l1p``, ``l1p``, ``blocks.0.neuron.tau``."""
        place = str(self.place)
        return f"{place}.{self.setting}" if place else self.setting


@functools.lru_cache(maxsize=4096)  # one value per name, however many trials of a run hold it
def _recorded(text: str) -> Parameter:
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
        f"{place}.{setting.name}" if place != MODEL else setting.name
        for place in (MODEL, STEM, HEAD, *inside)
        for setting in settings_at(place.kind)
    )
    return InputError("configuration", f"unknown parameter {text!r}", name=text, candidates=known)
