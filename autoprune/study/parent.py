"""The parent of a study: trained once and cached, or loaded; in evaluation mode."""

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

from autoprune.data.dataset import Dataset
from autoprune.networks.checkpoint import load_checkpoint, save_weights
from autoprune.networks.key_map import load_key_map
from autoprune.study.build import build_network, find_training, recipe
from autoprune.study.study import Study
from autoprune.trial import training


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
