"""Setup: what all trials of a study share; a worker holds it for as long as it lives."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import torch
from torch import nn

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.registry import use
from autoprune.compress.setting import Value
from autoprune.data.dataset import Dataset, Split
from autoprune.networks.adapter import ModelAdapter
from autoprune.trial.training import Recipe, train

Train: TypeAlias = Callable[..., None]
"""Trains a network in place, called as `autoprune.trial.training.train`."""

Evaluate: TypeAlias = Callable[[nn.Module, Split], float]
"""A score from 0 to 1 of a network on a split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What all trials of a study share; a worker holds it for as long as it lives.

    Attributes:
        parent, adapter, data: the trained network, its family, the samples.
        recipe: of fine-tuning; learning rate and epochs come from the plan.
        options: what the study tells methods; those left out have their defaults.
        methods: the user's own, ``module:Class``.
        device: where trials compute.
        train: ours or the user's. evaluate: the user's; None counts correct samples.
        batch_norm_batches, batch_norm_batch_size, census_samples: as in the study.
        weight_bits: bits of a weight that accuracy is asked at, besides those of the plan.
        arithmetics: integers of machines that it is asked under, besides.
        product_sparsity: whether the census counts tiles, which a machine may ask for.
        readings: time steps after which a network is read, besides those it was trained for.
    """

    parent: nn.Module
    adapter: ModelAdapter
    data: Dataset
    recipe: Recipe
    options: Mapping[str, Value] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    device: str = "cpu"
    train: Train = train
    evaluate: Evaluate | None = None
    batch_norm_batches: int
    batch_norm_batch_size: int
    census_samples: int
    weight_bits: tuple[int, ...] = ()
    arithmetics: tuple[Arithmetic, ...] = ()
    product_sparsity: bool = False
    readings: tuple[int, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what may be the user's with the folders in which its modules are found.

        A user's module may lie beside the study; the process that unpickles has to find it before
        it meets a class of it.
        """
        rest = {f.name: getattr(self, f.name) for f in fields(self)}
        names = ("parent", "adapter", "train", "evaluate")
        user = pickle.dumps({name: rest.pop(name) for name in names})
        return _unpickle, (tuple(sys.path), user, rest)


def _unpickle(folders: tuple[str, ...], user: bytes, rest: dict[str, Any]) -> Setup:
    sys.path += [folder for folder in folders if folder not in sys.path]
    use(rest["methods"], "a study's methods")
    return Setup(**pickle.loads(user), **rest)


def compute_alike(threads: int) -> None:
    """Let this process compute the same trial from the same seed, on a GPU, too.

    More `threads` than the process has cores for make it very slow.
    """
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
