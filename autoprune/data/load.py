"""Data set by the name that a study gives it: what is known without its files, and its samples.

The module of a data set has ``OPTIONS``, ``NEEDS``, the modules of torchvision's and torchaudio's
that it takes, ``about(spec, root)`` and ``load(spec, root)``; the user's functions are called by
`autoprune.data.own`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import final

from torch import Tensor

from autoprune.data.augmentation import augmented, check_augmentation
from autoprune.data.dataset import About, Dataset, Sources
from autoprune.data.folders import data_folder
from autoprune.data.spec import DATA_SETS, OPTIONAL, DataSpec
from autoprune.data.split import split
from autoprune.data.together import check_import
from autoprune.errors import InputError
from autoprune.files import user_path

_LEAST_CLASSES = 2


@final
class NamedData:
    """A data set that a study names, whose files need not be there.

    Args:
        spec: as in the study.
        base: what its root is relative to.

    Attributes:
        spec: as it was given.
        about: what is known of it.

    Raises InputError for a setting that the data set does not have, for samples of one class, and
    where torchvision or torchaudio do not work that it takes.
    """

    def __init__(self, spec: DataSpec, base: Path) -> None:
        module = import_module(f"autoprune.data.{DATA_SETS.get(spec.name, 'own')}")
        if spec.name in DATA_SETS:
            _check_keys(spec, module.OPTIONS)
            for needed in module.NEEDS:
                check_import(needed, f"data {spec.name}")
        self.spec, self._base, self._module = spec, base, module
        self.about: About = module.about(spec, self.root)
        if self.about.classes < _LEAST_CLASSES and not self.about.label_shape:
            raise InputError(f"data {spec.name}", "1 class", "two or more to tell apart")
        if spec.augment is not None:
            check_augmentation(spec.augment, self.about)

    @property
    def root(self) -> Path:
        """The folder of its files: the study's, else AUTOPRUNE_DATA, else in the user's cache."""
        if self.spec.root is None:
            return data_folder()
        return self._base / user_path(self.spec.root, "data.root")

    def load(self, seed: int) -> Dataset:
        """Its samples; `seed` splits them.

        Raises AbsentDataError where its files are not there, InputError where they are not readable
        or too few.
        """
        sources: Sources = self._module.load(self.spec, self.root)
        data, augment = split(sources, self.spec, seed), self.spec.augment
        if augment is None:
            return data
        return replace(data, train=augmented(data.train, augment, self.about))


def named_inputs(name: str, count: int) -> Tensor:
    """The first validation samples of a data set by its name, as a study with seed 0 has them."""
    return NamedData(DataSpec(name=name), Path()).load(0).validation.inputs(slice(count))


def _check_keys(spec: DataSpec, options: Sequence[str]) -> None:
    """InputError for a key that a data set of ours does not have."""
    for option in OPTIONAL:
        if getattr(spec, option) is not None and option not in options:
            raise InputError(f"data {spec.name}", f"it has no {option} to set")
    for key in spec.arguments:
        known = {*options, "root", "augment", "train", "validation", "test"}
        raise InputError(f"data {spec.name}", f"unknown key {key!r}", name=key, candidates=known)
