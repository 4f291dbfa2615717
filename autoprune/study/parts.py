"""Parts: what a study's networks are made with, found once before anything trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.registry import methods, told
from autoprune.compress.spec import CompressionSpec
from autoprune.data.dataset import About, Dataset
from autoprune.data.load import NamedData
from autoprune.data.overlap import overlaps
from autoprune.data.pixels import counted_as_spikes
from autoprune.data.split import some_of
from autoprune.errors import InputError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.build import Architecture, adapter_for, check_image, find_architecture
from autoprune.networks.spec import NetworkSpec
from autoprune.plugin import load_named, parameters
from autoprune.study.compute import Compute
from autoprune.study.study import Study
from autoprune.trial.setup import Evaluate, Setup, Train
from autoprune.trial.spec import ComputeSpec, FinetuneSpec, MeasureSpec, RecipeSpec
from autoprune.trial.training import Recipe, train

_LOOKED_AT = 16
"""Validation samples whose numbers are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a study's networks are made with.

    Attributes:
        data: its data set, not read yet.
        architecture: what builds its network. kind: the class of that.
        adapter: for it. train, evaluate: ours or the user's, as in `Setup`.
        network, parent, finetune, compression, measure, seed: as in the study.
        compute: where its trials run.
    """

    data: NamedData
    architecture: Architecture
    kind: type[nn.Module]
    adapter: ModelAdapter
    train: Train
    evaluate: Evaluate | None
    network: NetworkSpec
    parent: RecipeSpec | None
    finetune: FinetuneSpec
    compression: CompressionSpec
    measure: MeasureSpec
    compute: Compute
    seed: int

    @property
    def offered(self) -> Mapping[str, int]:
        """What data and study offer to the network's constructor, and what the network is told."""
        axis = self.architecture.time_axis
        told = {} if axis is None else {"time_axis": axis}
        return _offered(self.network, self.data.about) | told


def find_parts(study: Study, foreign: int | None = None) -> tuple[Parts, nn.Module]:
    """The parts of a study, and its network, untrained.

    Of one that may be another's, `foreign` is the size of its parent's file, in bytes. Raises
    InputError where one of them is not there, or they do not fit each other.
    """
    training, evaluation = _find_train(study), _find_evaluate(study)
    data = NamedData(study.data, Path())
    _check_fit(study, data.about)
    spec = study.network
    architecture = find_architecture(spec.model, spec.arguments, _offered(spec, data.about))
    shipped = ":" not in spec.model
    network = architecture.build_within(foreign) if shipped else architecture.build()
    adapter = adapter_for(network, spec.adapter)
    if _has_time(spec, data.about):
        axis = adapter.time_axis(network) if spec.time_axis is None else spec.time_axis
        architecture = replace(architecture, time_axis=axis)
        network = architecture.build()
    if not data.about.is_sequence:
        check_image(network, adapter, data.about.shape[-2:])
    parts = Parts(
        data=data,
        architecture=architecture,
        kind=type(network),
        adapter=adapter,
        train=training,
        evaluate=evaluation,
        network=spec,
        parent=study.parent,
        finetune=study.finetune,
        compression=study.compression,
        measure=study.measure,
        compute=Compute.of(study),
        seed=study.seed,
    )
    return parts, network


def load_data(parts: Parts) -> Dataset:
    """The study's data set, split by its seed; its root relative to the working directory."""
    return parts.data.load(parts.seed)


def capped(parts: Parts, data: Dataset) -> list[str]:
    """What the study asks for and its data or epochs do not have, in words: all are taken."""
    train, validation = len(data.train), len(data.validation)
    asked = {
        "parent.batch_size": (parts.parent.batch_size if parts.parent else 1, train),
        "finetune.batch_size": (parts.finetune.batch_size, train),
        "finetune.samples": (parts.finetune.samples or 1, train),
        "measure.batch_norm_batch_size": (parts.measure.batch_norm_batch_size, train),
        "measure.census_samples": (parts.measure.census_samples, validation),
        "measure.validation_samples": (parts.measure.validation_samples or 1, validation),
    }
    samples = [
        f"{key} = {count} of the study: there are {there} samples, and all of them are taken."
        for key, (count, there) in asked.items()
        if count > there
    ]
    first = [
        (f"{table}.{key}", getattr(trained, key) or 0, trained.epochs)
        for table, trained in (("parent", parts.parent), ("finetune", parts.finetune))
        if trained
        for key in ("warmup_epochs", "mixup_epochs")
    ]
    return samples + [
        f"{key} = {count} of the study, beyond epochs = {epochs}: all of them are such."
        for key, count, epochs in first
        if count > epochs
    ]


def data_notes(parts: Parts, data: Dataset) -> list[str]:
    """What a user of the study should know of its data, in words."""
    notes = [*capped(parts, data), *overlaps(data)]
    said = counted_as_spikes(data.validation.inputs(slice(_LOOKED_AT)))
    return [*notes, said] if said else notes


def make_setup(  # noqa: PLR0913 - what trials are made of, and in which numbers measured
    parts: Parts,
    data: Dataset,
    parent: nn.Module,
    weight_bits: tuple[int, ...],
    *,
    arithmetics: tuple[Arithmetic, ...] = (),
    product_sparsity: bool = False,
) -> Setup:
    """What every trial of the study shares; the last three as `Setup` has them.

    Its training samples are those that the study gives to fine-tuning, its validation samples those
    that the study scores by.
    """
    scored = parts.measure.validation_samples
    if scored is not None:
        data = replace(data, validation=some_of(data.validation, scored, parts.seed))
    if parts.finetune.samples is not None:
        data = replace(data, train=some_of(data.train, parts.finetune.samples, parts.seed))
    return Setup(
        parent=parent,
        adapter=parts.adapter,
        data=data,
        recipe=recipe(parts.finetune, parts.compute.spec),
        options=parts.compression.options,
        methods=tuple(parts.compression.methods),
        device=parts.compute.spec.device,
        train=parts.train,
        evaluate=parts.evaluate,
        batch_norm_batches=parts.measure.batch_norm_batches,
        batch_norm_batch_size=parts.measure.batch_norm_batch_size,
        census_samples=parts.measure.census_samples,
        weight_bits=weight_bits,
        arithmetics=arithmetics,
        product_sparsity=product_sparsity,
    )


def recipe(spec: RecipeSpec | FinetuneSpec, compute: ComputeSpec) -> Recipe:
    """A recipe as `autoprune.trial.training` takes it; a rate that is left out is that of plans."""
    given = spec.model_dump(exclude={"samples"}) | {"learning_rate": spec.learning_rate or 0.0}
    return Recipe(**given, precision=compute.precision)


def _has_time(spec: NetworkSpec, about: About) -> bool:
    """Whether samples have time; InputError where they have not, and it is said where time is."""
    if spec.time_axis is not None and not about.timed:
        given = f"given {spec.time_axis}, and {about} have no time axis"
        raise InputError("network.time_axis", given, "none: the network repeats images itself")
    return about.timed


def _offered(spec: NetworkSpec, about: About) -> dict[str, int]:
    known = {"T": spec.time_steps, "num_classes": about.classes}
    if about.is_sequence:
        return known | {"in_features": about.shape[-1]}
    names = ("in_channels", "img_size_h", "img_size_w")
    return known | dict(zip(names, about.shape[-3:], strict=True))


def _check_fit(study: Study, about: About) -> None:
    """InputError where the data are nothing for our networks, or for our training."""
    if about.is_sequence and ":" not in study.network.model:
        raise InputError(
            f"network {study.network.model}",
            f"takes images or frames of events, and {about} is neither",
            "images [n, C, H, W], grey ones with C = 1, or model = 'module:function' for sequences",
        )
    functions = study.functions
    if about.label_shape and not (functions.train and functions.evaluate):
        raise InputError(
            f"data {about.name}",
            f"labels of {' x '.join(map(str, about.label_shape))} numbers for a sample",
            "a class for each, or functions.train and functions.evaluate",
        )


def _find_train(study: Study) -> Train:
    """The study's function that trains, ours unless it names one.

    Raises InputError where it cannot be called as `autoprune.trial.training.train` is.
    """
    name = study.functions.train
    if name is None:
        return train
    found: Train = load_named(name, "functions.train")
    takes = parameters(found, "functions.train")
    missing = [
        word for word in ("model", "data", "recipe", "seed", "progress") if word not in takes
    ]
    options = told(study.compression.options)
    if any(m.needs_steps(options) for m in methods()) and "after_step" not in takes:
        missing.append("after_step")
    if missing:
        raise InputError(
            f"functions.train {name!r}",
            f"takes no {', '.join(missing)}",
            "the parameters of autoprune.trial.training.train",
        )
    return found


def _find_evaluate(study: Study) -> Evaluate | None:
    """The study's function that scores a network, if it names one."""
    name = study.functions.evaluate
    return None if name is None else load_named(name, "functions.evaluate")
