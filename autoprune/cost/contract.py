"""Rules that any machine obeys, shipped or a user's own; `autoprune check` applies them."""

from __future__ import annotations

import math
from dataclasses import replace

from autoprune.cost.cost import Cost
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.workload import Op, Workload

_SAMPLES = 2


def sample_workload(*, steps: int = 4, width: int = 16, zeros: float = 0.0) -> Workload:
    """A small synthetic workload: real-input stem, two layers, an attention in both orders, head.

    Args:
        steps: time steps. width: inner dimension of the layers. zeros: share of their weights
            that is zero, with as many fewer effective operations.
    """
    tokens, outer = 8, 32
    stem = _op("stem", m=tokens, k=9, n=outer, steps=steps, real=True)
    up = _op("blocks.0.mlp.fc1", m=tokens, k=outer, n=width, steps=steps, zeros=zeros)
    down = _op("blocks.0.mlp.fc2", m=tokens, k=width, n=outer, steps=steps, zeros=zeros)
    executed = ((width, tokens, width), (tokens, width, width))
    published = ((tokens, width, tokens), (width, tokens, tokens))
    products = [
        replace(
            _op(f"blocks.0.attention.product{i}", m=m, k=k, n=n, steps=steps),
            order=order,
            kind="attention_product",
            b_class="binary" if i == 1 else "integer",
        )
        for order, sizes in (("executed", executed), ("published", published))
        for i, (m, k, n) in enumerate(sizes, start=1)
    ]
    head = _op("head", m=1, k=outer, n=10, steps=1, real=True)
    return Workload(
        network="sample",
        samples=_SAMPLES,
        time_steps=steps,
        ops=(stem, up, down, *products, head),  # type: ignore[arg-type]
    )


def _op(  # noqa: PLR0913 - the sizes of a product
    name: str, *, m: int, k: int, n: int, steps: int, zeros: float = 0.0, real: bool = False
) -> Op:
    """One operation that reads a spike at every fourth input, in every step alike."""
    inputs = m * k
    events = 0 if real else _SAMPLES * math.ceil(inputs / 4)
    kept = round(k * n * (1 - zeros))
    effective = math.floor(events * kept / k)
    neurons = 0 if name == "head" else m * n
    branch = name.split(".")[2] if "." in name else name
    return Op(
        name=name,
        kind="linear",
        block=0 if "." in name else None,
        branch=branch,
        m=m,
        k=k,
        n=n,
        time_steps=steps,
        a_class="real" if real else "binary",
        b_class="weight",
        a_size=_SAMPLES * steps * inputs,
        a_nonzeros=_SAMPLES * steps * inputs if real else events * steps,
        a_events=events * steps,
        b_size=k * n,
        b_nonzeros=kept,
        events_per_step=(events,) * steps,
        dense_macs=_SAMPLES * steps * m * k * n,
        fanout_sops=events * steps * n,
        effective_sops=effective * steps,
        effective_sops_per_step=(effective,) * steps,
        effective_sops_std=0.0,
        real_macs=_SAMPLES * steps * m * k * n if real else 0,
        neurons=neurons,
        updates_active=_SAMPLES * steps * neurons // 2,
        updates_inactive=_SAMPLES * steps * neurons - _SAMPLES * steps * neurons // 2,
        output_spikes=_SAMPLES * steps * neurons // 4,
    )


def check_contract(model: CostModel) -> None:
    """Raise InputError with the first rule that a machine breaks.

    The rules: pricing the same workload twice gives the same; energy is finite and not negative
    or its unpriced actions are named; no operation is priced that the workload does not have;
    terms are counts of actions; more time steps never cost less; smaller matrices never cost
    more; more zero weights never cost more, and where the machine's weight sparsity is ``none``,
    exactly as much.
    """
    workload = sample_workload()
    cost = model.price(workload)
    _rule(model, model.price(workload) == cost, "the same workload costs the same")
    names = {op.name for op in workload.ops}
    strangers = [term.op for term in cost.terms if term.op not in names]
    _rule(model, not strangers, f"every term names an operation of the workload, not {strangers}")
    prices = {price.name for price in model.machine.prices}
    unknown = [term.price for term in cost.terms if term.price not in prices]
    _rule(model, not unknown, f"every term names a price of the machine, not {unknown}")
    energy = _energy(cost)
    _rule(model, math.isfinite(energy) and energy >= 0, "energy is finite and not negative")
    longer = _energy(model.price(sample_workload(steps=8)))
    _rule(model, longer >= energy, "more time steps never cost less")
    smaller = _energy(model.price(sample_workload(width=8)))
    _rule(model, smaller <= energy, "smaller matrices never cost more")
    sparse = _energy(model.price(sample_workload(zeros=0.5)))
    _rule(model, sparse <= energy, "zero weights never cost more")
    if model.machine.capabilities.weight_sparsity == "none":
        _rule(model, sparse == energy, "zero weights change nothing where sparsity buys nothing")
    else:
        _rule(model, sparse < energy, "zero weights save energy where sparsity is said to")


def _energy(cost: Cost) -> float:
    return sum(term.energy_pj for term in cost.terms)


def _rule(model: CostModel, holds: bool, rule: str) -> None:
    if not holds:
        raise InputError(model.machine.where, "breaks the contract of cost models", rule)
