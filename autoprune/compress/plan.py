"""Plan: the compression of a whole network in canonical form, with a hash.

Two configurations that would train the same network are the same plan: sparsities are numbers of
zeros, ranks are numbers of kept dimensions, and a setting without effect takes its neutral value.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from autoprune.errors import InputError
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape

FULL_BITS = 32
"""Bits of a weight as it is trained, in floating point."""

LEAST_BITS = 2
"""The fewest bits of a weight: a symmetric grid of 1 bit holds nothing but 0."""

Learned = Literal["fixed", "layer", "channel"]
"""How a neuron's threshold or time constant is learned: not, one per layer, one per channel."""


def _check_counts(where: str, *counts: tuple[str, int]) -> None:
    """InputError unless all are whole numbers from 0, by name: a plan may come out of a file."""
    for name, count in counts:
        if type(count) is not int or count < 0 or not isinstance(name, str):
            raise InputError(where, f"{name} = {count!r}", "a whole number from 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronPlan:
    """The neurons of one block: sLIF, or the parent's LIF where nothing is learned or changed.

    Attributes:
        threshold, tau: how each is learned.
        threshold_start, tau_start: the start as a multiple of the replaced neuron's threshold, and
            of its tau - 1, so that every positive multiple is a valid neuron; 1 starts from it.
    """

    threshold: Learned = "fixed"
    tau: Learned = "fixed"
    threshold_start: float = 1.0
    tau_start: float = 1.0

    def __post_init__(self) -> None:
        for key in ("threshold", "tau"):
            value = getattr(self, key)
            if value not in get_args(Learned):
                raise InputError(
                    f"neuron {key}",
                    f"given {value!r}",
                    name=str(value),
                    candidates=get_args(Learned),
                )
        for key in ("threshold_start", "tau_start"):
            value = getattr(self, key)
            if not (value > 0 and math.isfinite(value)):
                raise InputError(f"neuron {key}", f"given {value!r}", "a number above 0")

    @property
    def is_lif(self) -> bool:
        """Whether the parent's neurons stay."""
        return self == NeuronPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPlan:
    """One branch: kept inner dimensions per group (0 removes it) and zeros per matrix, by name."""

    name: str
    kept: int
    zeros: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        _check_counts(f"branch {self.name}", ("kept", self.kept), *self.zeros)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """One transformer block; `zeros` are the smallest weights of all its matrices together."""

    branches: tuple[BranchPlan, ...]
    neuron: NeuronPlan
    zeros: int = 0

    def __post_init__(self) -> None:
        _check_counts("block", ("zeros", self.zeros))


def _block(data: Mapping[str, Any]) -> BlockPlan:
    """The block that `Plan.to_dict` wrote."""
    branches = (
        BranchPlan(**{**branch, "zeros": tuple((name, count) for name, count in branch["zeros"])})
        for branch in data["branches"]
    )
    neuron = NeuronPlan(**data["neuron"])
    return BlockPlan(**{**data, "branches": tuple(branches), "neuron": neuron})


def _plain(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as they are; `dataclasses.asdict` copies them, ten times slower."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _plain_block(block: BlockPlan) -> dict[str, Any]:
    branches = [_plain(branch) for branch in block.branches]
    return {**_plain(block), "branches": branches, "neuron": _plain(block.neuron)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How a compressed network is run and fine-tuned; what a plan takes where a space is silent.

    Attributes:
        time_steps: T. learning_rate, epochs: of fine-tuning.
        weight_bits: bits to which the weights are rounded afterwards, 2 to 32; 32 leaves them.
    """

    time_steps: int
    learning_rate: float
    epochs: int
    weight_bits: int = FULL_BITS

    def __post_init__(self) -> None:
        steps, bits = ("time_steps", self.time_steps), ("weight_bits", self.weight_bits)
        _check_counts("effort", steps, ("epochs", self.epochs), bits)
        if not (self.learning_rate >= 0 and math.isfinite(self.learning_rate)):
            raise InputError("learning_rate", f"given {self.learning_rate!r}", "a number from 0")
        if not LEAST_BITS <= self.weight_bits <= FULL_BITS:
            expected = f"a whole number from {LEAST_BITS} to {FULL_BITS}"
            raise InputError("weight_bits", f"given {self.weight_bits!r}", expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A validated configuration of a whole network.

    Attributes:
        blocks: one plan per transformer block.
        effort: time steps, bits of the weights, and learning rate and epochs of fine-tuning;
            without epochs the learning rate is 0.
        zeros: of the matrices of all blocks together, the smallest weights.
        outside: zeros per matrix of stem and head, by name.
    """

    blocks: tuple[BlockPlan, ...]
    effort: Effort
    zeros: int = 0
    outside: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        _check_counts("plan", ("zeros", self.zeros), *self.outside)

    def to_dict(self) -> dict[str, Any]:
        """Plain containers, as `from_dict` reads them."""
        return {**_plain(self), "blocks": [_plain_block(block) for block in self.blocks]} | {
            "effort": _plain(self.effort)
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote; InputError where `data` is no such thing."""
        try:
            return cls(
                **{
                    **data,
                    "blocks": tuple(_block(block) for block in data["blocks"]),
                    "effort": Effort(**data["effort"]),
                    "outside": tuple((name, count) for name, count in data["outside"]),
                }
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InputError("plan", f"not a plan ({type(error).__name__}: {error})") from error

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical form, 16 hexadecimal digits."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        # One string per plan, however many places of a long run hold it; likewise `short`.
        return sys.intern(hashlib.sha256(canonical.encode()).hexdigest()[:16])

    @property
    def branches(self) -> tuple[BranchPlan, ...]:
        """Every branch, in the order of `NetworkShape.branches`."""
        return tuple(branch for block in self.blocks for branch in block.branches)

    def kept_weights(self, shape: NetworkShape) -> int:
        """Nonzero weights that the plan leaves in the matrices of the blocks."""
        whole = sum(
            block_weights(block, plan) - plan.zeros
            for block, plan in zip(shape.blocks, self.blocks, strict=True)
        )
        thinned = sum(zeros for branch in self.branches for _, zeros in branch.zeros)
        return whole - thinned - self.zeros

    def short(self, shape: NetworkShape) -> str:
        """One line: per block A (attention), M (MLP or mixer) with share kept and sparsity, neuron.

        ``T4 8b | A4/8 80% M- θ/la`` reads: 4 steps; weights of 8 bits, of 32 where nothing says
        so; block 0 keeps 4 of 8 attention dimensions per head, of whose weights 80 % are zero, has
        no MLP, and learns a threshold per layer.
        """
        bits = self.effort.weight_bits
        parts = [f"T{self.effort.time_steps}" + (f" {bits}b" if bits < FULL_BITS else "")]
        if self.zeros:
            parts.append(f"all {_percent(self.zeros, self.kept_weights(shape) + self.zeros)}")
        for block, block_plan in zip(shape.blocks, self.blocks, strict=True):
            words = [
                branch_words(branch, plan)
                for branch, plan in zip(block.branches, block_plan.branches, strict=True)
            ]
            if block_plan.zeros:
                words.append(_percent(block_plan.zeros, block_weights(block, block_plan)))
            words += _neuron_words(block_plan.neuron)
            parts.append(" ".join(words))
        for name, matrices in (("stem", shape.stem), ("head", shape.head)):
            zeros = sum(dict(self.outside).get(m.name, 0) for m in matrices)
            if zeros:
                parts.append(f"{name} {_percent(zeros, _outside_weights(matrices))}")
        return sys.intern(" | ".join(parts))


def _percent(zeros: int, weights: int) -> str:
    return f"{round(100 * zeros / weights)}%"


def block_weights(block: BlockShape, plan: BlockPlan) -> int:
    """Weights of a block's matrices after DSP."""
    return sum(
        branch.weights(matrix, kept.kept)
        for branch, kept in zip(block.branches, plan.branches, strict=True)
        for matrix in branch.matrices
    )


def _outside_weights(matrices: tuple[MatrixShape, ...]) -> int:
    return sum(matrix.weights_per_dimension for matrix in matrices)


def _neuron_words(neuron: NeuronPlan) -> list[str]:
    """Such as ``θ/la τ/ch`` where learned, ``θ×0.5`` where it starts elsewhere."""
    words = []
    for letter, learned, start in (
        ("θ", neuron.threshold, neuron.threshold_start),
        ("τ", neuron.tau, neuron.tau_start),
    ):
        word = ("" if learned == "fixed" else f"/{learned[:2]}") + (
            "" if start == 1 else f"×{start:g}"
        )
        if word:
            words.append(letter + word)
    return words


def branch_words(branch: BranchShape, plan: BranchPlan) -> str:
    """Such as ``A4/8 80%``: see `Plan.short`."""
    initial = branch.name[0].upper()
    if plan.kept == 0:
        return f"{initial}-"
    words = initial if plan.kept == branch.size else f"{initial}{plan.kept}/{branch.size}"
    weights = sum(branch.weights(matrix, plan.kept) for matrix in branch.matrices)
    zeros = sum(count for _, count in plan.zeros)
    return f"{words} {_percent(zeros, weights)}" if zeros else words
