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
from safetensors.torch import load_file, save_file
from torch import nn

from autoprune import training
from autoprune.data import digits
from autoprune.data.dataset import Dataset, Split
from autoprune.models import spikformer_patch
from autoprune.models.spikformer import PatchSpikformerAdapter
from autoprune.spec.study import NetworkSpec, RecipeSpec, Study
from autoprune.storage import write_atomically
from autoprune.training import Recipe, train
from autoprune.trial import Bench

_SOURCES = (training, spikformer_patch)
"""Modules whose text decides what a training gives: a change in them makes a new parent."""


def load_data(study: Study) -> Dataset:
    """The study's data set, split by its seed."""
    return digits.load(study.seed)


def build_network(spec: NetworkSpec, data: Dataset) -> nn.Module:
    """The study's network for samples of that shape, untrained."""
    _, channels, side, _ = data.train.inputs.shape
    return spikformer_patch.PatchSpikformer(
        time_steps=spec.time_steps,
        channels=channels,
        side=side,
        classes=data.classes,
        width=spec.width,
        depth=spec.depth,
        heads=spec.heads,
        mlp_ratio=spec.mlp_ratio,
    )


def make_bench(study: Study, data: Dataset, parent: nn.Module) -> Bench:
    """What every trial of the study shares."""
    return Bench(
        parent=parent,
        adapter=PatchSpikformerAdapter(),
        data=data,
        recipe=recipe(study.finetune),
        dsp_score=study.compression.dsp_score,
        batch_norm_batches=study.measure.batch_norm_batches,
        batch_norm_batch_size=study.measure.batch_norm_batch_size,
        census_samples=study.measure.census_samples,
    )


def recipe(spec: RecipeSpec) -> Recipe:
    """A recipe as `autoprune.training` takes it."""
    return Recipe(**spec.model_dump())


def parent_key(study: Study, data: Dataset) -> str:
    """SHA-256 of everything that makes the parent: data, network, recipe, seed, code, versions."""
    made_of = {
        "data": _digest(data.train),
        "network": study.network.model_dump(),
        "recipe": study.parent.model_dump(),
        "seed": study.seed,
        "threads": study.threads,
        "versions": {name: version(name) for name in ("torch", "spikingjelly")},
        "code": [hashlib.sha256(inspect.getsource(m).encode()).hexdigest() for m in _SOURCES],
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def cached_parent(study: Study, data: Dataset) -> Path:
    """Where this user's cache holds the parent, or would."""
    folder = os.environ.get("AUTOPRUNE_CACHE") or user_cache_path("autoprune")
    return Path(folder) / "parents" / f"{parent_key(study, data)}.safetensors"


def load_parent(study: Study, data: Dataset, file: Path) -> nn.Module:
    """The study's network with the weights in `file`, in evaluation mode."""
    network = build_network(study.network, data)
    network.load_state_dict(load_file(file))
    return network.eval()


def train_parent(
    study: Study, data: Dataset, progress: Callable[[int], None] = lambda epoch: None
) -> nn.Module:
    """Train the parent from scratch with the study's seed; nothing is cached here."""
    torch.set_num_threads(study.threads)
    torch.manual_seed(study.seed)
    progress(0)
    network = build_network(study.network, data)
    train(network, data.train, recipe(study.parent), study.seed, progress)
    return network


def find_parent(
    study: Study, data: Dataset, progress: Callable[[int], None] = lambda epoch: None
) -> nn.Module:
    """The parent out of the cache, or trained and put there; `progress` hears finished epochs."""
    file = cached_parent(study, data)
    if not file.is_file():
        network = train_parent(study, data, progress)
        write_atomically(file, lambda part: save_file(network.state_dict(), part))
    return load_parent(study, data, file)


def _digest(part: Split) -> str:
    digest = hashlib.sha256(part.inputs.numpy().tobytes())
    digest.update(part.labels.numpy().tobytes())
    return digest.hexdigest()
