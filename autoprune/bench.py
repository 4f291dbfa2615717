"""Build the bench of a study: its data, its parent (trained once, then cached), its adapter."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import nn

from autoprune import training
from autoprune.data import load as data_sets
from autoprune.data.dataset import About, Dataset, Split
from autoprune.errors import InputError
from autoprune.models.adapter import ModelAdapter
from autoprune.models.checkpoint import load_checkpoint, save_weights
from autoprune.models.families import adapter_for, build, check_image
from autoprune.models.key_map import load_key_map
from autoprune.plugin import load_named
from autoprune.spec.study import Study
from autoprune.spec.tables import ComputeSpec, FinetuneSpec, NetworkSpec, RecipeSpec
from autoprune.training import Recipe, train
from autoprune.trial import Bench


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

    Raises InputError where it cannot be called as `autoprune.training.train` is.
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
            "the parameters of autoprune.training.train",
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


def make_bench(
    study: Study, data: Dataset, parent: nn.Module, weight_bits: tuple[int, ...]
) -> Bench:
    """What every trial of the study shares; `weight_bits` as `autoprune.trial.Bench` has them."""
    return Bench(
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
    """A recipe as `autoprune.training` takes it."""
    intrinsic = spec.neuron_learning_rate if isinstance(spec, FinetuneSpec) else None
    given = spec.model_dump(exclude={"neuron_learning_rate"})
    return Recipe(**given, neuron_learning_rate=intrinsic, precision=compute.precision)


def parent_key(study: Study, data: Dataset) -> str:
    """SHA-256 of everything that makes the parent: data, network, recipe, seed, code, versions."""
    made_of = {
        "data": _digest(data),
        "network": study.network.model_dump(),
        "recipe": study.parent and study.parent.model_dump(),
        "compute": study.compute.model_dump(include={"device", "precision"}),
        "seed": study.seed,
        "threads": study.threads,
        "versions": {name: version(name) for name in ("torch", "spikingjelly")},
        "code": [hashlib.sha256(text.encode()).hexdigest() for text in _sources(study, data)],
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def cached_parent(study: Study, data: Dataset) -> Path:
    """Where this user's cache holds the parent, or would."""
    folder = os.environ.get("AUTOPRUNE_CACHE") or user_cache_path("autoprune")
    return Path(folder) / "parents" / f"{parent_key(study, data)}.safetensors"


def load_parent(study: Study, data: Dataset, file: Path) -> nn.Module:
    """The study's network with the weights in `file`, in evaluation mode.

    Raises InputError where the weights are not the network's.
    """
    network = build_network(study.network, data.about)
    load_checkpoint(network, file)
    return network.eval()


def load_published(study: Study, network: nn.Module) -> nn.Module:
    """The network with the weights of the study's checkpoint, in evaluation mode.

    Raises InputError where they do not fit.
    """
    spec = study.network
    assert spec.checkpoint is not None
    keys = None if spec.checkpoint_keys is None else load_key_map(spec.checkpoint_keys)
    load_checkpoint(network, Path(spec.checkpoint), keys)
    return network.eval()


def train_parent(
    study: Study, data: Dataset, progress: Callable[[int], None] = lambda epoch: None
) -> nn.Module:
    """Train the parent from scratch with the study's seed; nothing is cached here."""
    assert study.parent is not None  # a study without has a checkpoint
    torch.set_num_threads(study.threads)
    torch.manual_seed(study.seed)
    progress(0)
    network = build_network(study.network, data.about).to(study.compute.device)
    training = find_training(study)
    training(
        network, data.train, recipe(study.parent, study.compute), study.seed, progress=progress
    )
    return network.cpu()


def find_parent(
    study: Study, data: Dataset, progress: Callable[[int], None] = lambda epoch: None
) -> nn.Module:
    """The parent out of the study's checkpoint or the cache, or trained and put there.

    `progress` hears finished epochs.
    """
    if study.network.checkpoint is not None:
        return load_published(study, build_network(study.network, data.about))
    file = cached_parent(study, data)
    if not file.is_file():
        network = train_parent(study, data, progress)
        save_weights(network, file)
    return load_parent(study, data, file)


def _sources(study: Study, data: Dataset) -> list[str]:
    """Texts that decide what a training gives: ours, and the module of the network's class."""
    network = build_network(study.network, data.about)
    modules = [inspect.getmodule(found) for found in (find_training(study), type(network))]
    return [
        inspect.getsource(training),
        *(inspect.getsource(module) for module in modules if module),
    ]


def _digest(data: Dataset) -> str:
    """Of the training labels, and of samples spread over them: enough to tell data sets apart."""
    part = data.train
    chosen = torch.linspace(0, len(part) - 1, min(len(part), 256)).long()
    digest = hashlib.sha256(str(data.about).encode())
    digest.update(part.inputs(chosen).numpy().tobytes())
    digest.update(part.labels.numpy().tobytes())
    return digest.hexdigest()
