"""Point: a configuration as a sampler proposes it, and the canonical plan that it means."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from autoprune.compress.plan import (
    BlockPlan,
    BranchPlan,
    Effort,
    NeuronPlan,
    Plan,
    block_weights,
)
from autoprune.errors import InputError
from autoprune.networks.shape import BlockShape, BranchShape, NetworkShape

Value = float | int | str
Point = Mapping[str, Value]
"""Parameter name to value."""


def make_plan(point: Point, shape: NetworkShape, effort: Effort) -> Plan:
    """The canonical plan of a configuration.

    Args:
        point: values by parameter name. Share of zeros, 0 to below 1: ``blocks.I.BRANCH.l1p`` of
            each matrix of a branch, ``blocks.I.l1p`` of a block's matrices together, ``l1p`` of
            all blocks' together, ``stem.l1p`` and ``head.l1p`` of each matrix there. Share of
            kept dimensions, 0 to 1: ``blocks.I.BRANCH.dsp``. ``blocks.I.neuron.threshold``,
            ``.tau``, ``.threshold_start``, ``.tau_start``: see `NeuronPlan`. ``time_steps``,
            ``learning_rate``, ``epochs``, ``weight_bits``: see `Effort`. What is left out is
            neutral, or the effort's.
        shape: the network.
        effort: the study's effort.

    Shares become the nearest integers, halves upwards.

    Raises InputError for a name that the network does not have, a value out of range, and for
    zeros asked of the same weights in two scopes.
    """
    left = dict(point)
    epochs = int(left.pop("epochs", effort.epochs))
    rate = float(left.pop("learning_rate", effort.learning_rate)) if epochs else 0.0
    left.pop("learning_rate", None)
    blocks = tuple(
        _block_plan(left, f"blocks.{i}", block, trains=epochs > 0)
        for i, block in enumerate(shape.blocks)
    )
    weights = sum(
        block_weights(block, plan) for block, plan in zip(shape.blocks, blocks, strict=True)
    )
    outside = []
    for part, matrices in (("stem", shape.stem), ("head", shape.head)):
        if matrices:
            sparsity = _sparsity(left, f"{part}.l1p")
            outside += [(m.name, _zeros(sparsity, m.weights_per_dimension)) for m in matrices]
    plan = Plan(
        blocks=blocks,
        effort=Effort(
            time_steps=int(left.pop("time_steps", effort.time_steps)),
            learning_rate=rate,
            epochs=epochs,
            weight_bits=int(left.pop("weight_bits", effort.weight_bits)),
        ),
        zeros=_zeros(_sparsity(left, "l1p"), weights),
        outside=tuple((name, zeros) for name, zeros in outside if zeros),
    )
    if left:
        name = next(iter(left))
        raise InputError(
            "plan", f"unknown parameter {name!r}", name=name, candidates=parameter_names(shape)
        )
    _check_scopes(plan)
    return plan


def parameter_names(shape: NetworkShape) -> list[str]:
    """Every parameter that a point for this network may hold."""
    names = ["time_steps", "learning_rate", "epochs", "weight_bits", "l1p"]
    names += [f"{part}.l1p" for part in ("stem", "head") if getattr(shape, part)]
    for index, branch in shape.branches():
        names.append(f"blocks.{index}.{branch.name}.l1p")
        if not branch.fixed:
            names.append(f"blocks.{index}.{branch.name}.dsp")
    for index in range(len(shape.blocks)):
        names.append(f"blocks.{index}.l1p")
        names += [f"blocks.{index}.neuron.{f.name}" for f in dataclasses.fields(NeuronPlan)]
    return names


def _check_scopes(plan: Plan) -> None:
    for index, block in enumerate(plan.blocks):
        scopes = {
            "its matrices": any(branch.zeros for branch in block.branches),
            "the block": block.zeros > 0,
            "the model": plan.zeros > 0,
        }
        named = [scope for scope, used in scopes.items() if used]
        if len(named) > 1:
            raise InputError(
                f"blocks.{index}", f"l1p of {' and of '.join(named)}", "l1p in one scope"
            )


def _block_plan(
    left: dict[str, Value], prefix: str, block: BlockShape, *, trains: bool
) -> BlockPlan:
    branches = tuple(_branch_plan(left, f"{prefix}.{b.name}", b) for b in block.branches)
    given = {
        field.name: left.pop(f"{prefix}.neuron.{field.name}", field.default)
        for field in dataclasses.fields(NeuronPlan)
    }
    neuron = NeuronPlan(**given)  # type: ignore[arg-type]
    if not trains:
        neuron = dataclasses.replace(neuron, threshold="fixed", tau="fixed")
    if not any(branch.kept for branch in branches):
        neuron = NeuronPlan()
    plan = BlockPlan(branches=branches, neuron=neuron)
    zeros = _zeros(_sparsity(left, f"{prefix}.l1p"), block_weights(block, plan))
    return dataclasses.replace(plan, zeros=zeros)


def _branch_plan(left: dict[str, Value], prefix: str, branch: BranchShape) -> BranchPlan:
    kept_share = 1.0
    if f"{prefix}.dsp" in left:
        kept_share = _share(left.pop(f"{prefix}.dsp"), f"{prefix}.dsp", below_one=False)
        if branch.fixed and kept_share != 1:
            raise InputError(f"{prefix}.dsp", f"given {kept_share:g}; {branch.fixed}")
    sparsity = _sparsity(left, f"{prefix}.l1p")
    kept = math.floor(kept_share * branch.size + 0.5)
    zeros = tuple(
        (matrix.name, _zeros(sparsity, branch.weights(matrix, kept))) for matrix in branch.matrices
    )
    return BranchPlan(name=branch.name, kept=kept, zeros=tuple((n, z) for n, z in zeros if z))


def _sparsity(left: dict[str, Value], name: str) -> float:
    return _share(left.pop(name, 0.0), name, below_one=True)


def _zeros(sparsity: float, weights: int) -> int:
    return math.floor(sparsity * weights + 0.5)


def _share(value: Value, where: str, *, below_one: bool) -> float:
    expected = "a number from 0 to below 1" if below_one else "a number from 0 to 1"
    if isinstance(value, str) or not 0 <= value <= 1 or (below_one and value == 1):
        raise InputError(where, f"given {value!r}", expected)
    return float(value)
