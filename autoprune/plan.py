"""Plan: the compression of a whole network in canonical form, with a hash.

Two configurations that would train the same network are the same plan: sparsities are numbers of
zeros, ranks are numbers of kept dimensions, and a setting without effect takes its neutral value.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from autoprune.errors import InputError
from autoprune.shape import BlockShape, BranchShape, NetworkShape

NeuronKind = Literal["lif", "slif"]
Learns = Literal["nothing", "threshold", "tau", "both"]
Granularity = Literal["layer", "channel"]
Value = float | int | str
Point = Mapping[str, Value]
"""A configuration as a sampler proposes it: parameter name to value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronPlan:
    """The neurons of one block: LIF, or sLIF with what it learns and per what."""

    kind: NeuronKind = "lif"
    learns: Learns = "nothing"
    granularity: Granularity = "layer"

    def __post_init__(self) -> None:
        for key, words in (("kind", NeuronKind), ("learns", Learns), ("granularity", Granularity)):
            value = getattr(self, key)
            if value not in get_args(words):
                raise InputError(
                    f"neuron {key}", f"given {value!r}", name=str(value), candidates=get_args(words)
                )
        if (self.kind == "lif") != (self.learns == "nothing"):
            raise InputError("neuron", f"a {self.kind} that learns {self.learns}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPlan:
    """One branch: kept inner dimensions per group (0 removes it) and zeros per matrix."""

    name: str
    kept: int
    zeros: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """One transformer block."""

    branches: tuple[BranchPlan, ...]
    neuron: NeuronPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How a compressed network is run and fine-tuned; what a plan takes where a space is silent."""

    time_steps: int
    learning_rate: float
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A validated configuration of a whole network.

    Attributes:
        blocks: one plan per transformer block.
        effort: time steps, and learning rate and epochs of fine-tuning; without epochs the
            learning rate is 0.
    """

    blocks: tuple[BlockPlan, ...]
    effort: Effort

    def to_dict(self) -> dict[str, Any]:
        """Plain containers, as `from_dict` reads them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote."""
        return cls(
            blocks=tuple(
                BlockPlan(
                    branches=tuple(
                        BranchPlan(**{**b, "zeros": tuple((n, z) for n, z in b["zeros"])})
                        for b in block["branches"]
                    ),
                    neuron=NeuronPlan(**block["neuron"]),
                )
                for block in data["blocks"]
            ),
            effort=Effort(**data["effort"]),
        )

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical form, 16 hexadecimal digits."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def kept_weights(self, shape: NetworkShape) -> int:
        """Nonzero weights that the plan leaves in the matrices of the blocks."""
        return sum(
            branch.weights(matrix, plan.kept) - dict(plan.zeros).get(matrix.name, 0)
            for block, block_plan in zip(shape.blocks, self.blocks, strict=True)
            for branch, plan in zip(block.branches, block_plan.branches, strict=True)
            for matrix in branch.matrices
        )

    def short(self, shape: NetworkShape) -> str:
        """One line: per block A (attention), M (MLP) with share kept and sparsity, and the neuron.

        ``T4 | A4/8 80% M-`` reads: 4 steps; block 0 keeps 4 of 8 attention dimensions per head, of
        whose weights 80 % are zero, has no MLP, and keeps its LIF neurons.
        """
        parts = [f"T{self.effort.time_steps}"]
        for block, block_plan in zip(shape.blocks, self.blocks, strict=True):
            words = [
                _branch_words(branch, plan)
                for branch, plan in zip(block.branches, block_plan.branches, strict=True)
            ]
            neuron = block_plan.neuron
            if neuron.kind == "slif":
                what = {"threshold": "θ", "tau": "τ", "both": "θτ"}[neuron.learns]
                words.append(f"s{what}/{neuron.granularity[:2]}")
            parts.append(" ".join(words))
        return " | ".join(parts)


def _branch_words(branch: BranchShape, plan: BranchPlan) -> str:
    initial = branch.name[0].upper()
    if plan.kept == 0:
        return f"{initial}-"
    words = initial if plan.kept == branch.size else f"{initial}{plan.kept}/{branch.size}"
    weights = sum(branch.weights(matrix, plan.kept) for matrix in branch.matrices)
    zeros = sum(count for _, count in plan.zeros)
    return f"{words} {round(100 * zeros / weights)}%" if zeros else words


def make_plan(point: Point, shape: NetworkShape, effort: Effort) -> Plan:
    """The canonical plan of a configuration.

    Args:
        point: values by parameter name: ``blocks.I.BRANCH.l1p`` (share of zeros, 0 to below 1),
            ``blocks.I.BRANCH.dsp`` (share of kept dimensions, 0 to 1), ``blocks.I.neuron.kind``,
            ``.learns``, ``.granularity``, ``time_steps``, ``learning_rate``, ``epochs``. What is
            left out is neutral, or the effort's.
        shape: the network.
        effort: the study's effort.

    Shares become the nearest integers, halves upwards.

    Raises InputError for a name that the network does not have or a value out of range.
    """
    left = dict(point)
    epochs = int(left.pop("epochs", effort.epochs))
    rate = float(left.pop("learning_rate", effort.learning_rate)) if epochs else 0.0
    left.pop("learning_rate", None)
    plan = Plan(
        blocks=tuple(
            _block_plan(left, f"blocks.{i}", block, trains=epochs > 0)
            for i, block in enumerate(shape.blocks)
        ),
        effort=Effort(
            time_steps=int(left.pop("time_steps", effort.time_steps)),
            learning_rate=rate,
            epochs=epochs,
        ),
    )
    if left:
        name = next(iter(left))
        raise InputError(
            "plan", f"unknown parameter {name!r}", name=name, candidates=parameter_names(shape)
        )
    return plan


def parameter_names(shape: NetworkShape) -> list[str]:
    """Every parameter that a point for this network may hold."""
    names = ["time_steps", "learning_rate", "epochs"]
    for index, branch in shape.branches():
        names += [f"blocks.{index}.{branch.name}.{key}" for key in ("l1p", "dsp")]
    for index in range(len(shape.blocks)):
        names += [f"blocks.{index}.neuron.{key}" for key in ("kind", "learns", "granularity")]
    return names


def _block_plan(
    left: dict[str, Value], prefix: str, block: BlockShape, *, trains: bool
) -> BlockPlan:
    branches = tuple(_branch_plan(left, f"{prefix}.{b.name}", b) for b in block.branches)
    kind = str(left.pop(f"{prefix}.neuron.kind", "lif"))
    learns = str(left.pop(f"{prefix}.neuron.learns", "both"))
    granularity = str(left.pop(f"{prefix}.neuron.granularity", "layer"))
    neuron = NeuronPlan()
    if kind != "lif":
        neuron = NeuronPlan(kind=kind, learns=learns, granularity=granularity)  # type: ignore[arg-type]
    if not trains or not any(branch.kept for branch in branches):
        neuron = NeuronPlan()
    return BlockPlan(branches=branches, neuron=neuron)


def _branch_plan(left: dict[str, Value], prefix: str, branch: BranchShape) -> BranchPlan:
    kept_share = _share(left.pop(f"{prefix}.dsp", 1.0), f"{prefix}.dsp", below_one=False)
    sparsity = _share(left.pop(f"{prefix}.l1p", 0.0), f"{prefix}.l1p", below_one=True)
    kept = math.floor(kept_share * branch.size + 0.5)
    zeros = tuple(
        (matrix.name, math.floor(sparsity * branch.weights(matrix, kept) + 0.5))
        for matrix in branch.matrices
    )
    return BranchPlan(name=branch.name, kept=kept, zeros=tuple((n, z) for n, z in zeros if z))


def _share(value: Value, where: str, *, below_one: bool) -> float:
    expected = "a number from 0 to below 1" if below_one else "a number from 0 to 1"
    if isinstance(value, str) or not 0 <= value <= 1 or (below_one and value == 1):
        raise InputError(where, f"given {value!r}", expected)
    return float(value)
