"""Rules that any machine obeys, shipped or a user's own.

`autoprune check` prints them one by one, with a counterexample where one is broken; a user's own
tests call `verdicts` or `check_contract`.
"""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import get_args

from autoprune.config import Verdict
from autoprune.cost.cost import NO_PRICE, Cost, UnknownCost
from autoprune.cost.model import CostModel
from autoprune.cost.monotone import AXES, Axis, gained
from autoprune.cost.ops import Ops
from autoprune.cost.sample import (
    SAMPLES,
    removed_layer,
    sample_workload,
    with_pattern,
    with_spike_logic,
)
from autoprune.errors import InputError
from autoprune.workload.columns import Pattern, sizes
from autoprune.workload.workload import Workload


def check_contract(model: CostModel) -> None:
    """Raise InputError with every rule that a machine breaks, and its counterexample."""
    broken = [v for v in verdicts(model) if v.counterexample]
    if broken:
        raise InputError(
            model.machine.where,
            "breaks the contract of cost models",
            "; ".join(f"{v.rule} ({v.counterexample})" for v in broken),
        )


def verdicts(model: CostModel) -> Iterator[Verdict]:
    """The rules one after the other.

    Small workloads are priced that differ in one thing: time steps, width, zero weights, bits of a
    weight, spikes.
    Whatever cannot be priced at all ends the list, since nothing else can be said then.
    """
    try:
        cost = model.price(sample_workload())
    except UnknownCost as error:
        yield Verdict(rule=_PRICES, counterexample=str(error))
        return
    yield Verdict(rule=_PRICES)
    for rule, find in _RULES.items():
        if not model.PRICED and find in (_sparser, _covers):
            yield Verdict(rule=rule, note=NO_PRICE.action)
            continue
        if find is _adds_up and model.NOT_ADDITIVE:
            yield Verdict(rule=rule, note=model.NOT_ADDITIVE)
            continue
        try:
            yield Verdict(rule=rule, counterexample=find(model, cost))
        except UnknownCost as error:
            yield Verdict(rule=rule, counterexample=str(error))


_WIDE = 1024
"""Wide enough that what a machine does for every output hides no sparsity."""

_PRICES = "counts are finite and not negative, and charged at prices that there are"


def _repeats(model: CostModel, cost: Cost) -> str:
    again = model.price(sample_workload())
    return "" if again == cost else f"{cost.energy_pj!r} pJ, then {again.energy_pj!r} pJ"


def _batches(model: CostModel, cost: Cost) -> str:
    several = [sample_workload(), sample_workload(steps=2, width=8), sample_workload(zeros=0.5)]
    costs = model.price_all(Ops.of(several))
    for place, workload in enumerate(several):
        alone, among = model.price(workload), costs.cost(place)
        if alone != among:
            return f"{alone.energy_pj!r} pJ alone, {among.energy_pj!r} pJ beside two others"
    return ""


def _nothing(model: CostModel, cost: Cost) -> str:
    energy = model.price(removed_layer()).dynamic_pj
    return f"a layer without a dimension left costs {energy:g} pJ" if energy else ""


def _adds_up(model: CostModel, cost: Cost) -> str:
    workload = sample_workload()
    parts = [
        Workload(network=op.name, samples=SAMPLES, time_steps=workload.time_steps, ops=(op,))
        for op in workload.select(model.order)
    ]
    # static power goes with the time, which is the slowest operation's
    whole = math.fsum(model.price(part).dynamic_pj for part in parts)
    same = math.isclose(whole, cost.dynamic_pj, rel_tol=1e-9)
    return "" if same else f"{whole:g} pJ one by one, {cost.dynamic_pj:g} pJ together"


def _grows(axis: Axis) -> Callable[[CostModel, Cost], str]:
    return lambda model, cost: gained(model, axis)


def _sparser(model: CostModel, cost: Cost) -> str:
    """What the machine says of zero weights."""
    says = model.machine.capabilities.weight_sparsity
    dense, sparse = (model.price(sample_workload(width=_WIDE, zeros=zeros)) for zeros in (0.0, 0.5))
    return _follows(says, sparse, dense, "half of the weights zero", must_save=True)


def _patterned(model: CostModel, cost: Cost) -> str:
    for pattern in get_args(Pattern):
        n, m = sizes(pattern)
        workload = sample_workload(width=_WIDE, zeros=1 - n / m)
        anywhere, patterned = (model.price(w) for w in (workload, with_pattern(workload, pattern)))
        both = [(cost.energy_pj, cost.latency_us or 0.0) for cost in (anywhere, patterned)]
        if any(more > less for less, more in zip(*both, strict=True)):
            return f"pJ and µs {both[0]}, with the zeros by {pattern} {both[1]}"
    return ""


def _quieter(model: CostModel, cost: Cost) -> str:
    """What it says of spikes; where it gates or skips, updates of neurons may cost all the same."""
    says = model.machine.capabilities.spike_sparsity
    loud, quiet = (model.price(sample_workload(width=_WIDE, spikes=s)) for s in (0.25, 0.125))
    return _follows(says, quiet, loud, "half as many spikes", must_save=False)


def _samples(model: CostModel, cost: Cost) -> str:
    twice = model.price(sample_workload(samples=2 * SAMPLES)).energy_pj
    same = math.isclose(twice, cost.energy_pj, rel_tol=1e-9)
    return "" if same else f"{SAMPLES} samples {cost.energy_pj:g} pJ, as many again {twice:g} pJ"


def _covers(model: CostModel, cost: Cost) -> str:
    workload = with_spike_logic(sample_workload())
    cost = model.price(workload)
    named = {term.op for term in cost.terms}
    apart = [*(host.name for host in cost.host), *(item.action for item in cost.unpriced)]
    for op in workload.select(model.order):
        if op.name not in named and not any(op.name in name for name in apart):
            return f"{op.name} is none of these; charge it, or name {op.kind!r} in LEFT_TO_HOST"
    return ""


def _travels(model: CostModel, cost: Cost) -> str:
    """Priced again in a process that has nothing but the pickled machine."""
    try:
        sent = pickle.dumps((pickle.dumps(model), sample_workload()))
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        return f"it cannot be pickled ({error})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", _ELSEWHERE], input=sent, capture_output=True, check=False
    )
    if done.returncode:
        return (done.stderr.decode(errors="replace").strip().splitlines() or ["it died"])[-1]
    there = pickle.loads(done.stdout)
    return "" if there == cost else f"{cost.energy_pj!r} pJ here, {there.energy_pj!r} pJ there"


_ELSEWHERE = """
import pickle, sys
model, workload = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps(pickle.loads(model).price(workload)))
"""

_RULES: dict[str, Callable[[CostModel, Cost], str]] = {
    "the same workload costs the same": _repeats,
    "one workload costs the same alone and among others, to the last bit": _batches,
    "nothing costs nothing": _nothing,
    "operations priced one by one add up to the network": _adds_up,
    **{
        f"more {axis.name} never cost or hold less, nor are faster on as many chips": _grows(axis)
        for axis in AXES
    },
    "zero weights save what the machine says, and never cost more": _sparser,
    "zero weights by a pattern N:M never cost more than as many anywhere": _patterned,
    "fewer spikes save what the machine says, and never cost more": _quieter,
    "a cost is the mean over samples, not their sum": _samples,
    "every operation is priced, left to the host or unpriced, by name": _covers,
    "it travels to a worker, and costs the same there": _travels,
}


def _follows(says: str, sparse: Cost, dense: Cost, what: str, *, must_save: bool) -> str:
    """Whether sparsity that is none, gated or skipped does what it says, to energy and to time."""
    energies = f"{dense.energy_pj:g} pJ, with {what} {sparse.energy_pj:g} pJ"
    if sparse.energy_pj > dense.energy_pj:
        return energies
    if says == "none" and sparse.energy_pj != dense.energy_pj:
        return f"sparsity is none: {energies}"
    if says != "none" and must_save and sparse.energy_pj == dense.energy_pj:
        return f"sparsity is {says}: {energies}"
    times = [(cost.latency_us, cost.cycles) for cost in (dense, sparse)]
    if says != "skip" and times[0] != times[1]:
        return f"sparsity is {says}: latency and cycles {times[0]}, with {what} {times[1]}"
    return ""
