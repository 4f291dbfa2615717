"""Small workloads made by formula, on which machines are tried."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any, Literal

from autoprune.workload.columns import PER_STEP
from autoprune.workload.op import ROWS, WINDOWS, Activity, Op, Order
from autoprune.workload.workload import Workload

SAMPLES = 2
"""Samples of a small workload, unless told."""


def sample_workload(
    *,
    steps: int = 4,
    width: int = 16,
    zeros: float = 0.0,
    spikes: float = 0.25,
    samples: int = SAMPLES,
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
    active = samples * m * k if real else events
    groups = [math.ceil(m / rows) * k for rows in ROWS]
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
        activity=None
        if real
        else Activity(
            silent=samples * m * k - active,
            windows=tuple(active * math.ceil(steps / w) for w in WINDOWS),  # type: ignore[arg-type]
            empty_groups=tuple(  # type: ignore[arg-type]
                steps * max(0, samples * count - active) for count in groups
            ),
            groups=tuple(steps * samples * count for count in groups),  # type: ignore[arg-type]
        ),
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


def with_spike_logic(workload: Workload) -> Workload:
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


def removed_layer() -> Workload:
    """A network of one layer of which DSP left no dimension, and hence no neuron."""
    layer = sample_workload(steps=1).ops[1]
    kept = ("m", "groups", "heads", "time_steps", "a_bits", "b_bits")
    nothing: dict[str, Any] = {
        f.name: 0
        for f in fields(layer)
        if type(getattr(layer, f.name)) is int and f.name not in kept
    }
    nothing |= dict.fromkeys(PER_STEP, (0,))
    nothing["activity"] = Activity(silent=0, windows=(0, 0, 0), empty_groups=(0, 0), groups=(0, 0))
    op = replace(layer, **nothing)
    return Workload(network="nothing", samples=SAMPLES, time_steps=1, ops=(op,))
