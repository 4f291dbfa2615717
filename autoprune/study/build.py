"""Build the setup of a study: its data, its parent (trained once, then cached), its adapter."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from autoprune.data import load as data_sets
from autoprune.data.dataset import About, Dataset, Split
from autoprune.errors import InputError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.build import adapter_for, build, check_image
from autoprune.networks.spec import NetworkSpec
from autoprune.plugin import load_named
from autoprune.study.study import Study
from autoprune.trial.setup import Setup
from autoprune.trial.spec import ComputeSpec, FinetuneSpec, RecipeSpec
from autoprune.trial.training import Recipe, train


def load_data(study: Study) -> Dataset:
    """The study's data set, split by its seed; its root relative to the working directory."""
    return data_sets.load(study.data, Path(), study.seed)


def describe_data(study: Study) -> About:
    """What is known of the study's data set without its files."""
    return data_sets.about(study.data, Path())


def build_network(spec: NetworkSpec, about: About) -> nn.Module:
    """The study's network for samples of that shape, untrained.

    Raises InputError where it cannot be built so.
    """
    return build(spec.model, spec.arguments, offered(spec, about))


def offered(spec: NetworkSpec, about: About) -> dict[str, int]:
    """What data and study offer to the network's constructor."""
    channels, height, width = about.shape[-3:]
    return {
        "T": spec.time_steps,
        "in_channels": channels,
        "img_size_h": height,
        "img_size_w": width,
        "num_classes": about.classes,
    }


def find_adapter(spec: NetworkSpec, network: nn.Module, about: About) -> ModelAdapter:
    """The adapter of the study's network, which can take samples of that shape.

    Raises InputError where there is none, or the network's patches do not divide an image.
    """
    adapter = adapter_for(network, spec.adapter)
    check_image(network, adapter, about.shape[-2:])
    return adapter


def find_training(study: Study) -> Callable[..., None]:
    """The study's function that trains, ours unless it names one.

    Raises InputError where it cannot be called as `autoprune.trial.training.train` is.
    """
    name = study.functions.train
    if name is None:
        return train
    found = load_named(name, "functions.train")
    takes = set(inspect.signature(found).parameters)
    missing = [
        word for word in ("model", "data", "recipe", "seed", "progress") if word not in takes
    ]
    if study.compression.l1p_schedule == "gradual" and "after_step" not in takes:
        missing.append("after_step")
    if missing:
        raise InputError(
            f"functions.train {name!r}",
            f"takes no {', '.join(missing)}",
            "the parameters of autoprune.trial.training.train",
        )
    return found


def find_evaluation(study: Study) -> Callable[[nn.Module, Split], float] | None:
    """The study's function that scores a network, if it names one."""
    name = study.functions.evaluate
    return None if name is None else load_named(name, "functions.evaluate")


def check_device(spec: ComputeSpec) -> None:
    """InputError where the study asks for a GPU and there is none."""
    if spec.device == "cuda" and not torch.cuda.is_available():
        raise InputError("compute.device", "given 'cuda'; torch finds no GPU here", "'cpu'")


def make_setup(
    study: Study, data: Dataset, parent: nn.Module, weight_bits: tuple[int, ...]
) -> Setup:
    """What every trial of the study shares; `weight_bits` as `Setup` has them."""
    return Setup(
        parent=parent,
        adapter=find_adapter(study.network, parent, data.about),
        data=data,
        recipe=recipe(study.finetune, study.compute),
        dsp_score=study.compression.dsp_score,
        l1p_schedule=study.compression.l1p_schedule,
        device=study.compute.device,
        train=find_training(study),
        evaluate=find_evaluation(study),
        batch_norm_batches=study.measure.batch_norm_batches,
        batch_norm_batch_size=study.measure.batch_norm_batch_size,
        census_samples=study.measure.census_samples,
        weight_bits=weight_bits,
    )


def recipe(spec: RecipeSpec, compute: ComputeSpec) -> Recipe:
    """A recipe as `autoprune.trial.training` takes it."""
    intrinsic = spec.neuron_learning_rate if isinstance(spec, FinetuneSpec) else None
    given = spec.model_dump(exclude={"neuron_learning_rate"})
    return Recipe(**given, neuron_learning_rate=intrinsic, precision=compute.precision)
