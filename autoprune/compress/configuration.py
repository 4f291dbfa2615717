"""Configuration: a value per parameter, as a sampler proposes it; the canonical plan of one."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from autoprune.compress.parameter import SETTINGS, Parameter
from autoprune.compress.plan import (
    BlockPlan,
    BranchPlan,
    Effort,
    NeuronPlan,
    Plan,
    block_weights,
)
from autoprune.errors import InputError
from autoprune.networks.place import HEAD, MODEL, STEM, Place
from autoprune.networks.shape import BlockShape, BranchShape, NetworkShape

Value = float | int | str
Configuration = Mapping[Parameter, Value]
"""Parameter to value."""


def parse_configuration(values: Mapping[str, Value]) -> dict[Parameter, Value]:
    """The configuration of values by name, as files hold them; InputError for an unknown name."""
    return {Parameter.parse(name): value for name, value in values.items()}


def make_plan(configuration: Configuration, shape: NetworkShape, effort: Effort) -> Plan:
    """The canonical plan of a configuration.

    Args:
        configuration: share of zeros, 0 to below 1: ``blocks.I.BRANCH.l1p`` of each matrix of a
            branch, ``blocks.I.l1p`` of a block's matrices together, ``l1p`` of all blocks'
            together, ``stem.l1p`` and ``head.l1p`` of each matrix there. Share of kept dimensions,
            0 to 1: ``blocks.I.BRANCH.dsp``. ``blocks.I.neuron.threshold``, ``.tau``,
            ``.threshold_start``, ``.tau_start``: see `NeuronPlan`. ``time_steps``,
            ``learning_rate``, ``epochs``, ``weight_bits``: see `Effort`. What is left out is
            neutral, or the effort's.
        shape: the network.
        effort: the study's effort.

    Shares become the nearest integers, halves upwards.

    Raises InputError for a parameter that the network does not have, a value out of range, and for
    zeros asked of the same weights in two scopes.
    """
    left = dict(configuration)
    own = {
        field.name: left.pop(Parameter(MODEL, field.name), getattr(effort, field.name))
        for field in dataclasses.fields(Effort)
    }
    epochs = int(own["epochs"])
    blocks = tuple(
        _block_plan(left, Place(index), block, trains=epochs > 0)
        for index, block in enumerate(shape.blocks)
    )
    weights = sum(
        block_weights(block, plan) for block, plan in zip(shape.blocks, blocks, strict=True)
    )
    outside = []
    for place, matrices in ((STEM, shape.stem), (HEAD, shape.head)):
        if matrices:
            sparsity = _sparsity(left, place)
            outside += [(m.name, _zeros(sparsity, m.weights_per_dimension)) for m in matrices]
    plan = Plan(
        blocks=blocks,
        effort=Effort(
            time_steps=int(own["time_steps"]),
            learning_rate=float(own["learning_rate"]) if epochs else 0.0,
            epochs=epochs,
            weight_bits=int(own["weight_bits"]),
        ),
        zeros=_zeros(_sparsity(left, MODEL), weights),
        outside=tuple((name, zeros) for name, zeros in outside if zeros),
    )
    if left:
        name = str(next(iter(left)))
        known = map(str, parameters(shape))
        raise InputError("plan", f"unknown parameter {name!r}", name=name, candidates=known)
    _check_scopes(plan)
    return plan


def parameters(shape: NetworkShape) -> list[Parameter]:
    """Every parameter that a configuration for this network may hold."""
    places = [MODEL, *(p for p, there in ((STEM, shape.stem), (HEAD, shape.head)) if there)]
    for index in range(len(shape.blocks)):
        places += [Place(index), Place(index, "neuron")]
    found = [Parameter(place, setting) for place in places for setting in SETTINGS[place.kind]]
    for place, branch in shape.branches():
        settings = SETTINGS["branch"]
        found += [Parameter(place, s) for s in settings if s != "dsp" or not branch.fixed]
    return found


def _check_scopes(plan: Plan) -> None:
    for index, block in enumerate(plan.blocks):
        scopes = {
            "its matrices": any(branch.zeros for branch in block.branches),
            "the block": block.zeros > 0,
            "the model": plan.zeros > 0,
        }
        named = [scope for scope, used in scopes.items() if used]
        if len(named) > 1:
            given = f"l1p of {' and of '.join(named)}"
            raise InputError(str(Place(index)), given, "l1p in one scope")


def _block_plan(
    left: dict[Parameter, Value], place: Place, block: BlockShape, *, trains: bool
) -> BlockPlan:
    branches = tuple(
        _branch_plan(left, Place(place.block, branch.name), branch) for branch in block.branches
    )
    neurons = Place(place.block, "neuron")
    given = {
        field.name: left.pop(Parameter(neurons, field.name), field.default)
        for field in dataclasses.fields(NeuronPlan)
    }
    neuron = NeuronPlan(**given)  # type: ignore[arg-type]
    if not trains:
        neuron = dataclasses.replace(neuron, threshold="fixed", tau="fixed")
    if not any(branch.kept for branch in branches):
        neuron = NeuronPlan()
    plan = BlockPlan(branches=branches, neuron=neuron)
    zeros = _zeros(_sparsity(left, place), block_weights(block, plan))
    return dataclasses.replace(plan, zeros=zeros)


def _branch_plan(left: dict[Parameter, Value], place: Place, branch: BranchShape) -> BranchPlan:
    kept_share, dsp = 1.0, Parameter(place, "dsp")
    if dsp in left:
        kept_share = _share(left.pop(dsp), dsp, below_one=False)
        if branch.fixed and kept_share != 1:
            raise InputError(str(dsp), f"given {kept_share:g}; {branch.fixed}")
    sparsity = _sparsity(left, place)
    kept = math.floor(kept_share * branch.size + 0.5)
    zeros = tuple(
        (matrix.name, _zeros(sparsity, branch.weights(matrix, kept))) for matrix in branch.matrices
    )
    return BranchPlan(name=branch.name, kept=kept, zeros=tuple((n, z) for n, z in zeros if z))


def _sparsity(left: dict[Parameter, Value], place: Place) -> float:
    l1p = Parameter(place, "l1p")
    return _share(left.pop(l1p, 0.0), l1p, below_one=True)


def _zeros(sparsity: float, weights: int) -> int:
    return math.floor(sparsity * weights + 0.5)


def _share(value: Value, parameter: Parameter, *, below_one: bool) -> float:
    expected = "a number from 0 to below 1" if below_one else "a number from 0 to 1"
    if isinstance(value, str) or not 0 <= value <= 1 or (below_one and value == 1):
        raise InputError(str(parameter), f"given {value!r}", expected)
    return float(value)
