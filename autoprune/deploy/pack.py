"""Write a network into a folder that loads by itself; what the manifest has to say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor, nn

from autoprune.compress.plan import Plan
from autoprune.compress.registry import named
from autoprune.compress.surgery.surgery import Surgery
from autoprune.deploy.form import Form, Origin, Stored
from autoprune.deploy.formats import encode, nonzeros
from autoprune.deploy.load import PLAN, SEPARATOR, WEIGHTS
from autoprune.deploy.sources import copy_sources
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What was written.

    Attributes:
        files: by relative path.
        form: what `autoprune.deploy.load` builds the network from.
        dense_bytes: of all tensors as a state dict holds them.
        stored_bytes: of all tensors as they were stored.
    """

    files: tuple[str, ...]
    form: Form
    dense_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFrom:
    """How the network came about.

    Attributes:
        model, arguments, offered: what `autoprune.networks.build.build` built the parent from.
        adapter: the adapter's name, None for that of the family.
        plan: the surgery that was carried out on it.
        after: time steps after which it is read; None for those of the plan.
        folded: norms that were folded afterwards, and the layers that took them up.
        methods: the user's own in that plan, ``module:Class``.
    """

    model: str
    arguments: Mapping[str, Any]
    offered: Mapping[str, Any]
    adapter: str | None
    plan: Plan
    folded: Mapping[str, str]
    methods: tuple[str, ...] = ()
    after: int | None = None


def pack(network: nn.Module, adapter: ModelAdapter, origin: BuiltFrom, folder: Path) -> Packed:
    """Write weights, plan and code of `network` into `folder`."""
    state = {k: v.detach().cpu().contiguous().clone() for k, v in network.state_dict().items()}
    stored, storage = _encoded(state, _names(network, adapter))
    (folder / WEIGHTS).write_bytes(save(stored))
    text = json.dumps(origin.plan.to_dict(), indent=1) + "\n"
    (folder / PLAN).write_text(text, encoding="utf-8")
    form = Form(
        network=Origin(
            kind=type(network).__name__,
            model=origin.model,
            arguments=dict(origin.arguments),
            offered=dict(origin.offered),
            adapter=origin.adapter,
            methods=tuple(name for name in origin.methods if _forms(name)),
        ),
        after=origin.after,
        starts=_starts(network, origin.plan),
        folded=dict(origin.folded),
        storage=storage,
    )
    return Packed(
        files=(WEIGHTS, PLAN, *copy_sources(folder)),
        form=form,
        dense_bytes=_bytes(state),
        stored_bytes=_bytes(stored),
    )


def _encoded(
    state: Mapping[str, Tensor], names: Mapping[str, list[str]]
) -> tuple[dict[str, Tensor], dict[str, Stored]]:
    """The tensors to store, and how every matrix is stored."""
    stored: dict[str, Tensor] = {}
    storage: dict[str, Stored] = {}
    for name, tensor in state.items():
        if tensor.ndim < 2 or not tensor.is_floating_point() or not tensor.numel():
            stored[name] = tensor
            continue
        chosen, parts = encode(tensor.flatten(1))
        if chosen == "dense":
            parts = {"": tensor}
        for part, content in parts.items():
            stored[f"{name}{SEPARATOR}{part}" if part else name] = content
        storage[name] = Stored(
            format=chosen,
            holds=tuple(names.get(name, ())),
            shape=tuple(tensor.shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
            weights=tensor.numel(),
            nonzeros=nonzeros(tensor),
            bytes=_bytes(parts),
            dense_bytes=tensor.nbytes,
        )
    return stored, storage


def _names(network: nn.Module, adapter: ModelAdapter) -> dict[str, list[str]]:
    """Which of the plan's matrices a tensor holds; fused layers hold several."""
    paths = {id(module): path for path, module in network.named_modules()}
    names: dict[str, list[str]] = {}
    for index, branches in enumerate(adapter.branches(network)):
        for branch in branches:
            for matrix in branch.matrices:
                held = names.setdefault(f"{paths[id(matrix.module)]}.weight", [])
                held.append(f"{Place(index, branch.name)}.{matrix.name}")
    for matrix in (matrix for part in adapter.outside(network) for matrix in part):
        names[f"{matrix.name}.weight"] = [matrix.name]
    return names


def _forms(name: str) -> bool:
    """Whether the method ``module:Class`` has a share in the form of a network."""
    return type(named(name).surgery()).reshape is not Surgery.reshape


def _starts(network: nn.Module, plan: Plan) -> dict[str, dict[str, dict[str, float]]]:
    """What surgery put into no tensor, such as what a parent's neurons had learned, by method."""
    return {method.name: method.surgery().starts(network) for method, _ in plan.stages()}


def _bytes(tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())
