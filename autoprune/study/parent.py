"""The parent of a study: trained once and cached, or loaded; in evaluation mode."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

from autoprune.data.dataset import Dataset
from autoprune.data.folders import cache_folder
from autoprune.errors import InputError, RecordError
from autoprune.networks.checkpoint import load_checkpoint, save_weights
from autoprune.networks.key_map import load_key_map
from autoprune.networks.spec import NetworkSpec
from autoprune.study.parts import Parts, recipe
from autoprune.trial import training


def parent_key(parts: Parts, data: Dataset) -> str:
    """SHA-256 of everything that makes the parent: data, network, recipe, seed, code, versions."""
    made_of = {
        "data": _digest(data),
        "network": parts.network.model_dump(),
        "recipe": parts.parent and parts.parent.model_dump(),
        "compute": parts.compute.spec.model_dump(include={"device", "precision"}),
        "seed": parts.seed,
        "threads": parts.compute.threads,
        "versions": {name: version(name) for name in ("torch", "spikingjelly")},
        "code": [hashlib.sha256(text.encode()).hexdigest() for text in _sources(parts)],
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def cached_parent(parts: Parts, data: Dataset) -> Path:
    """Where this user's cache holds the parent, or would."""
    return cache_folder() / "parents" / f"{parent_key(parts, data)}.safetensors"


def load_parent(parts: Parts, file: Path) -> nn.Module:
    """The study's network with the weights in `file`, in evaluation mode.

    Raises InputError where the weights are not the network's.
    """
    network = parts.architecture.build()
    load_checkpoint(network, file)
    return network.eval()


def load_published(spec: NetworkSpec, network: nn.Module) -> nn.Module:
    """The network with the weights of the study's checkpoint, in evaluation mode.

    Raises InputError where they do not fit.
    """
    assert spec.checkpoint is not None
    keys = None if spec.checkpoint_keys is None else load_key_map(spec.checkpoint_keys)
    load_checkpoint(network, Path(spec.checkpoint), keys)
    return network.eval()


def train_parent(
    parts: Parts, data: Dataset, progress: Callable[[int], None] = lambda epoch: None
) -> nn.Module:
    """Train the parent from scratch with the study's seed; nothing is cached here."""
    assert parts.parent is not None  # a study without has a checkpoint
    torch.set_num_threads(parts.compute.threads)
    torch.manual_seed(parts.seed)
    progress(0)
    network = parts.architecture.build().to(parts.compute.spec.device)
    how = recipe(parts.parent, parts.compute.spec)
    parts.train(network, data.train, how, parts.seed, progress=progress)
    return network.cpu()


def find_parent(
    parts: Parts,
    data: Dataset,
    progress: Callable[[int], None] = lambda epoch: None,
    say: Callable[[str], None] = lambda line: None,
) -> nn.Module:
    """The parent out of the study's checkpoint or the cache, or trained and put there.

    `progress` hears finished epochs. `say` is told, in a line, of a cached parent that is damaged,
    and so set aside, and of a cache that cannot be written: neither is worth a training.
    """
    if parts.network.checkpoint is not None:
        return load_published(parts.network, parts.architecture.build())
    file = cached_parent(parts, data)
    try:
        if file.is_file():
            return load_parent(parts, file)
    except InputError as error:
        aside = file.with_name(f"{file.name}.damaged")
        say(f"The cached parent is not usable, set aside as {aside}, trained again: {error}")
        with suppress(OSError):  # then it is written over, or that is said below
            file.replace(aside)
    network = train_parent(parts, data, progress)
    try:
        save_weights(network, file)
    except RecordError as error:
        say(f"The parent is kept in the run alone: {error}")
    return network.eval()


def _sources(parts: Parts) -> list[str]:
    """Texts that decide what a training gives: ours, and the module of the network's class."""
    modules = [inspect.getmodule(found) for found in (parts.train, parts.kind)]
    return [
        inspect.getsource(training),
        *(inspect.getsource(module) for module in modules if module),
    ]


def _digest(data: Dataset) -> str:
    """SHA-256 of training labels and samples spread over them: enough to tell data sets apart."""
    part = data.train
    chosen = torch.linspace(0, len(part) - 1, min(len(part), 256)).long()
    digest = hashlib.sha256(str(data.about).encode())
    digest.update(part.inputs(chosen).numpy().tobytes())
    digest.update(part.labels.numpy().tobytes())
    return digest.hexdigest()
