"""Rules that any machine obeys, shipped or a user's own; `autoprune check` applies them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from autoprune.cost.cost import Cost
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.op import Op, Order
from autoprune.workload import Workload

_SAMPLES = 2


def sample_workload(
    *,
    steps: int = 4,
    width: int = 16,
    zeros: float = 0.0,
    spikes: float = 0.25,
    samples: int = _SAMPLES,
) -> Workload:
    """Make a small workload: real-input stem, two layers, an attention in both orders, head.

    Args:
        steps: time steps.
        width: inner dimension of the layers and of the attention.
        zeros: share of the layers' weights that is zero, with as many fewer effective operations.
        spikes: share of the inputs that spike, in every step alike.
        samples: how often the same sample was counted.
    """
    tokens, outer = 8, 32
    runs = (steps, samples)
    stem = _op("stem", (tokens, 9, outer), runs)
    up = _op("blocks.0.mlp.fc1", (tokens, outer, width), runs, zeros=zeros, spikes=spikes)
    down = _op("blocks.0.mlp.fc2", (tokens, width, outer), runs, zeros=zeros, spikes=spikes)
    orders: dict[Order, tuple[tuple[int, int, int], ...]] = {
        "executed": ((width, tokens, width), (tokens, width, width)),
        "published": ((tokens, width, tokens), (width, tokens, tokens)),
    }
    products = (
        _product(
            _op(f"blocks.0.attention.product{number}", sizes, runs, spikes=spikes),
            order,
            "binary" if number == 1 else "integer",
        )
        for order, both in orders.items()
        for number, sizes in enumerate(both, start=1)
    )
    head = _op("head", (1, outer, 10), (1, samples))
    return Workload(
        network="sample",
        samples=samples,
        time_steps=steps,
        ops=(stem, up, down, *products, head),
    )


def _op(
    name: str,
    sizes: tuple[int, int, int],
    runs: tuple[int, int],
    *,
    zeros: float = 0.0,
    spikes: float = 0.0,
) -> Op:
    """One layer of M, K, N = `sizes` in so many steps and samples; its input is real, or spikes."""
    (m, k, n), (steps, samples) = sizes, runs
    real = spikes == 0
    events = samples * math.ceil(m * k * spikes)
    kept = round(k * n * (1 - zeros))
    effective = events * kept // k
    macs = samples * steps * m * k * n
    neurons = 0 if name == "head" else m * n
    updates = samples * steps * neurons
    return Op(
        name=name,
        kind="linear",
        block=0 if "." in name else None,
        branch=name.split(".")[2] if "." in name else name,
        m=m,
        k=k,
        n=n,
        time_steps=steps,
        a_class="real" if real else "binary",
        b_class="weight",
        a_bits=32 if real else 1,
        b_bits=32,
        a_size=samples * steps * m * k,
        a_nonzeros=samples * steps * m * k if real else events * steps,
        a_events=events * steps,
        b_size=k * n,
        b_nonzeros=kept,
        b_row_max=round(n * (1 - zeros)),
        b_column_max=round(k * (1 - zeros)),
        events_per_step=(events,) * steps,
        nonzeros_per_step=(samples * m * k if real else events,) * steps,
        a_events_std=0.0,
        dense_macs=macs,
        fanout_sops=events * steps * n,
        effective_sops=effective * steps,
        effective_sops_per_step=(effective,) * steps,
        effective_sops_std=0.0,
        real_macs=macs if real else 0,
        neurons=neurons,
        updates_active=updates // 2,
        updates_inactive=updates - updates // 2,
        output_spikes=updates // 4,
    )


def _product(
    op: Op, order: Literal["executed", "published"], b_class: Literal["binary", "integer"]
) -> Op:
    """An attention product of an op's sizes, whose other operand is nonzero in every second entry.

    No neurons stand behind its first product.
    """
    entries = op.b_size * (op.a_size // (op.m * op.k))
    per_step = tuple(sops // 2 for sops in op.effective_sops_per_step)
    product = replace(
        op,
        kind="attention_product",
        order=order,
        b_class=b_class,
        b_bits=1 if b_class == "binary" else 4,
        b_row_max=0,
        b_column_max=0,
        b_size=entries,
        b_nonzeros=entries // 2,
        b_events=entries // 2 * (1 if b_class == "binary" else 2),
        effective_sops=sum(per_step),
        effective_sops_per_step=per_step,
    )
    if b_class == "integer":
        return product
    return replace(product, neurons=0, updates_active=0, updates_inactive=0, output_spikes=0)


def _with_spike_logic(workload: Workload) -> Workload:
    """The workload with a mask and a sum of spikes behind its first layer of spikes."""
    layer = workload.ops[1]
    total = replace(
        layer,
        name="blocks.0.attention.sum1",
        kind="sum",
        n=1,
        b_size=0,
        b_nonzeros=0,
        b_row_max=0,
        b_column_max=0,
        dense_macs=0,
        fanout_sops=layer.a_events,
        effective_sops=layer.a_events,
        effective_sops_per_step=layer.events_per_step,
    )
    mask = replace(
        total,
        name="blocks.0.attention.mask1",
        kind="masking",
        b_class="binary",
        b_bits=1,
        b_size=layer.a_size,
        b_nonzeros=layer.a_events,
        b_events=layer.a_events,
    )
    return replace(workload, ops=(*workload.ops[:2], total, mask, *workload.ops[2:]))


def check_contract(model: CostModel) -> None:
    """Raise InputError with the first rule that a machine breaks.

    The rules: pricing the same workload twice gives the same and leaves the workload as it was;
    a term names an operation of the workload and a price of the machine, and is its count at
    that price; every operation costs something, is left to the host by name, or is unpriced by
    name; a cost is the mean over samples; more time steps
    never cost less and are never faster; smaller matrices never cost more; what the machine says
    of zero weights and of spikes is so: ``none`` changes nothing, ``gate`` no time, and zero
    weights that are gated or skipped save energy. `Cost` itself refuses an energy that is not
    finite or negative.
    """
    for rules in (_trends, _sparsity, _terms, _coverage):
        for holds, rule in rules(model):
            if not holds:
                raise InputError(model.machine.where, "breaks the contract of cost models", rule)


def _trends(model: CostModel) -> Iterator[tuple[bool, str]]:
    workload = sample_workload()
    cost = model.price(workload)
    yield model.price(workload) == cost, "the same workload costs the same"
    yield workload == sample_workload(), "pricing leaves the workload as it was"
    energy = _energy(cost)
    longer = model.price(sample_workload(steps=8))
    yield _energy(longer) >= energy, "more time steps never cost less"
    yield (longer.latency_us or 0) >= (cost.latency_us or 0), "more time steps are never faster"
    smaller = _energy(model.price(sample_workload(width=8)))
    yield smaller <= energy, "smaller matrices never cost more"


def _sparsity(model: CostModel) -> Iterator[tuple[bool, str]]:
    says = model.machine.capabilities
    dense = model.price(sample_workload())
    sparse = model.price(sample_workload(zeros=0.5))
    quiet = model.price(sample_workload(spikes=0.125))
    yield _energy(sparse) <= _energy(dense), "zero weights never cost more"
    yield _energy(quiet) <= _energy(dense), "fewer spikes never cost more"
    if says.weight_sparsity == "none":
        yield _energy(sparse) == _energy(dense), "zero weights change nothing: sparsity is none"
    else:
        yield _energy(sparse) < _energy(dense), "zero weights save energy, as the machine says"
    if says.weight_sparsity != "skip":
        yield _time(sparse) == _time(dense), "zero weights change no time: they are not skipped"
    if says.spike_sparsity == "none":
        yield _energy(quiet) == _energy(dense), "fewer spikes change nothing: sparsity is none"
    if says.spike_sparsity != "skip":
        yield _time(quiet) == _time(dense), "fewer spikes change no time: they are not skipped"


def _terms(model: CostModel) -> Iterator[tuple[bool, str]]:
    workload = sample_workload()
    cost = model.price(workload)
    names = {op.name for op in workload.ops}
    in_pj = {price.name: price.value for price in model.machine.prices if price.unit == "pJ"}
    prices = {price.name for price in model.machine.prices}
    for term in cost.terms:
        yield term.op in names, f"every term names an operation of the workload, not {term.op!r}"
        yield term.price in prices, f"every term names a price of the machine, not {term.price!r}"
        if term.price in in_pj:
            energy = term.count * in_pj[term.price]
            yield (
                math.isclose(term.energy_pj, energy, rel_tol=1e-9),
                f"a term is its count at its price: {term.price} of {term.op} is {energy:g} pJ",
            )


def _coverage(model: CostModel) -> Iterator[tuple[bool, str]]:
    workload = sample_workload()
    cost = model.price(workload)
    yield cost.machine == model.machine.name, "a cost bears the machine's name"
    twice = model.price(sample_workload(samples=2 * _SAMPLES))
    yield (
        math.isclose(_energy(twice), _energy(cost), rel_tol=1e-9),
        "a cost is the mean over samples, not their sum",
    )
    workload = _with_spike_logic(workload)
    cost = model.price(workload)
    costly = {term.op for term in cost.terms}
    apart = [*(host.name for host in cost.host), *(item.action for item in cost.unpriced)]
    for op in workload.ops:
        yield (
            op.name in costly or any(op.name in name for name in apart),
            f"every operation is priced, left to the host or unpriced, by name; {op.name!r} is not",
        )


def _energy(cost: Cost) -> float:
    return sum(term.energy_pj for term in cost.terms)


def _time(cost: Cost) -> tuple[float | None, float | None]:
    return cost.latency_us, cost.cycles
