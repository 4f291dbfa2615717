"""A real short run, made in this process, and networks of every family to pack."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.plan import Plan
from autoprune.compress.surgery.apply import Manner, compress
from autoprune.deploy.manifest import write_manifest
from autoprune.deploy.pack import BuiltFrom, pack
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.build import adapter_for, build
from autoprune.plugin import make_importable
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.study.parent import load_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement
from autoprune.trial.trial import run_trial
from tests.short import SHORT, STUDIES

EFFORT = Effort(time_steps=3, learning_rate=1e-3, epochs=1)
OFFERED = {"T": 3, "in_channels": 2, "img_size_h": 16, "img_size_w": 16, "num_classes": 4}
SPIKFORMER = {"embed_dims": 16, "num_heads": 2, "depths": 2, "mlp_ratio": 1.5}
QKFORMER = {"embed_dims": 16, "num_heads": [1, 2, 2], "depths": [1, 1, 1], "mlp_ratio": 2.0}
SDT = {"embed_dims": 16, "num_heads": 2, "depths": 2, "pooling_stat": "0011", "mlp_ratio": 1.5}
FAMILIES: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "spikformer": ("spikformer", {**SPIKFORMER, "patch_size": 4}, None),
    "spikformer_patch": ("spikformer_patch", SPIKFORMER, None),
    "sdt": ("spike_driven_transformer", SDT, None),
    "qkformer_token": ("qkformer", {**QKFORMER, "qka_type": "token"}, None),
    "qkformer_channel": ("qkformer", {**QKFORMER, "qka_type": "channel"}, None),
    "maxformer": (
        "maxformer",
        {"embed_dims": 16, "depths": [1, 1, 1], "mlp_ratio": 2.0},
        None,
    ),
    "maxformer_cifar": (
        "maxformer",
        {"embed_dims": 16, "depths": [1, 1, 2], "mlp_ratio": 2.0, "cifar": True},
        None,
    ),
    "own": ("own_network:build", {}, "own_network:OwnAdapter"),
    "own_soft": ("own_network:build_soft", {}, "own_network:OwnAdapter"),
}
make_importable(STUDIES)


@pytest.fixture(scope="session")
def finished(short_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The short study, run in this process, and trial 90: everything at once, weights not kept."""
    place = Path(shutil.copytree(short_run, tmp_path_factory.mktemp("runs") / "short"))
    prepared = prepare(SHORT, workers=0)
    folder = RunFolder(place)
    built = prepared.built
    parent = load_parent(built.parts, folder.parent)
    setup = make_setup(built.parts, load_data(built.parts), parent, (32, 8))
    point: dict[str, float | int | str] = {
        "blocks.0.attention.dsp": 0.5,
        "blocks.0.attention.l1p": 0.5,
        "blocks.0.mlp.l1p": 0.95,
        "blocks.0.neuron.threshold": "channel",
        "blocks.0.neuron.tau": "neuron",
        "time_steps": 2,
    }
    plan = make_plan(parse_configuration(point), built.shape, built.effort)
    measurement, _ = run_trial(setup, plan, 11)
    note(folder, "90", plan, measurement)
    return place


def note(
    folder: RunFolder, key: object, plan: Plan, measurement: Measurement | None, **more: Any
) -> None:
    """Put a trial on record."""
    found = {"state": "measured", "seed": 11, "origin": "sampled", "configuration": (), **more}
    folder.write(Outcome(key=TrialKey.parse(str(key)), plan=plan, measurement=measurement, **found))


def altered(folder: RunFolder, source: object, key: object, bits: int) -> None:
    """Put a trial on record whose validation score at `bits` is one sample less than true."""
    outcome = folder.read(TrialKey.parse(str(source)))
    found = outcome.measurement
    assert found is not None
    score = found.at(bits).validation
    wrong = replace(score, correct=score.correct - 1)
    precisions = tuple(
        replace(p, validation=wrong) if p.bits == bits else p for p in found.precisions
    )
    note(folder, key, outcome.plan, replace(found, precisions=precisions))


def compressed(family: str) -> tuple[nn.Module, ModelAdapter, BuiltFrom]:
    """A network of the family on which everything was done that a plan can ask for."""
    model, arguments, named = FAMILIES[family]
    torch.manual_seed(3)
    parent = build(model, arguments, OFFERED)
    adapter = adapter_for(parent, named)
    for name, value in [*parent.named_parameters(), *parent.named_buffers()]:
        if name.endswith("running_var"):
            nn.init.uniform_(value, 0.02, 0.1)
        elif value.ndim == 1 and name.endswith(("bias", "running_mean")):
            nn.init.normal_(value, std=0.5)
    shape = adapter.shape(parent)
    free = [place for place, branch in shape.branches() if not branch.fixed]
    point: dict[str, float | int | str] = {f"{place}.dsp": 0.5 for place in free}
    point |= {f"{free[-1]}.dsp": 0.0, f"{free[0]}.dsp_matrix": 0.7}
    point |= {"blocks.0.l1p": 0.9, "head.l1p": 0.5}
    point |= {f"blocks.{i}.neuron.threshold": "channel" for i in range(len(shape.blocks) - 1)}
    point |= {"blocks.0.neuron.tau": "layer", "blocks.0.neuron.tau_start": 1.3}
    point[f"blocks.{len(shape.blocks) - 1}.neuron.threshold"] = "neuron"
    plan = make_plan(parse_configuration(point), shape, EFFORT)
    sample = torch.zeros(1, *(OFFERED[f] for f in ("in_channels", "img_size_h", "img_size_w")))
    network = compress(parent, plan, adapter, Manner(samples=sample)).eval()
    for name, value in network.named_parameters():
        if name.endswith(("threshold_log", "decay_logit")):
            nn.init.normal_(value, std=0.2)
    origin = BuiltFrom(
        model=model, arguments=arguments, offered=OFFERED, adapter=named, plan=plan, folded={}
    )
    return network, adapter, origin


@pytest.fixture
def packed(tmp_path: Path) -> Callable[[nn.Module, ModelAdapter, BuiltFrom], Path]:
    """Writes a network into a folder that has everything but a study."""

    def write(network: nn.Module, adapter: ModelAdapter, origin: BuiltFrom) -> Path:
        folder = tmp_path / "folder"
        folder.mkdir()
        found = pack(network, adapter, origin, folder)
        write_manifest(folder, found.form.to_dict(), found.files)
        return folder

    return write


@pytest.fixture
def samples() -> Tensor:
    return torch.rand(4, 2, 16, 16, generator=torch.Generator().manual_seed(5))
