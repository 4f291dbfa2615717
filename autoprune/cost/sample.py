"""Small workloads made by formula, on which machines are tried."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

from autoprune.workload.columns import PER_STEP, Pattern, sizes
from autoprune.workload.op import Op, Order
from autoprune.workload.parts import (
    NO_NEURONS,
    ROWS,
    WINDOWS,
    Activation,
    Activity,
    Neurons,
    Second,
    Sizes,
    Work,
)
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
    read = samples * m * k
    events = samples * math.ceil(m * k * spikes)
    kept = round(k * n * (1 - zeros))
    neurons = 0 if name == "head" else m * n
    updates = samples * steps * neurons
    return Op(
        name=name,
        kind="linear",
        block=0 if "." in name else None,
        branch=name.split(".")[2] if "." in name else name,
        sizes=Sizes(m=m, k=k, n=n, time_steps=steps),
        a=_activation(steps, read, events),
        b=Second(
            kind="weight",
            bits=32,
            size=k * n,
            nonzeros=kept,
            row_max=round(n * (1 - zeros)),
            column_max=round(k * (1 - zeros)),
        ),
        work=Work(
            dense_macs=steps * read * n,
            real_macs=0 if events else steps * read * n,
            fanout_sops=events * steps * n,
            effective_sops=events * kept // k * steps,
            effective_sops_per_step=(events * kept // k,) * steps,
            effective_sops_std=0.0,
        ),
        neurons=Neurons(
            count=neurons,
            updates_active=updates // 2,
            updates_inactive=updates - updates // 2,
            output_spikes=updates // 4,
        ),
        activity=_activity(steps, read, events, [samples * math.ceil(m / r) * k for r in ROWS])
        if events
        else None,
    )


def _activation(steps: int, entries: int, events: int) -> Activation:
    """So many entries per step, of which so many spike; real numbers where none does."""
    nonzeros = events or entries
    return Activation(
        kind="binary" if events else "real",
        bits=1 if events else 32,
        size=steps * entries,
        nonzeros=steps * nonzeros,
        events=steps * events,
        events_std=0.0,
        events_per_step=(events,) * steps,
        nonzeros_per_step=(nonzeros,) * steps,
    )


def _activity(steps: int, entries: int, events: int, groups: list[int]) -> Activity:
    """The same entries spike in every step, each in a group and in a tile's row of its own."""
    two, four, eight = (events * math.ceil(steps / window) for window in WINDOWS)
    small, large = groups
    return Activity(
        silent=entries - events,
        windows=(two, four, eight),
        empty_groups=(steps * max(0, small - events), steps * max(0, large - events)),
        groups=(steps * small, steps * large),
        tiles=(steps * events, steps * events, 0, 0),
    )


def _product(
    op: Op, order: Literal["executed", "published"], kind: Literal["binary", "integer"]
) -> Op:
    """An attention product of an op's sizes, whose other operand is nonzero in every second entry.

    No neurons stand behind its first product.
    """
    binary, entries = kind == "binary", op.b.size * (op.a.size // (op.sizes.m * op.sizes.k))
    per_step = tuple(sops // 2 for sops in op.work.effective_sops_per_step)
    return replace(
        op,
        kind="attention_product",
        order=order,
        b=Second(
            kind=kind,
            bits=1 if binary else 4,
            size=entries,
            nonzeros=entries // 2,
            events=entries // 2 * (1 if binary else 2),
        ),
        work=replace(op.work, effective_sops=sum(per_step), effective_sops_per_step=per_step),
        neurons=NO_NEURONS if binary else op.neurons,
    )


def with_pattern(workload: Workload, pattern: Pattern) -> Workload:
    """The workload whose two layers have their zeros by a pattern; as many as it makes."""
    n, m = sizes(pattern)
    two, four, eight = (min(inputs, n * max(1, inputs // m)) for inputs in (2, 4, 8))
    layers = (
        replace(op, b=replace(op.b, max_of_2=two, max_of_4=four, max_of_8=eight))
        for op in workload.ops[1:3]
    )
    return replace(workload, ops=(workload.ops[0], *layers, *workload.ops[3:]))


def with_spike_logic(workload: Workload) -> Workload:
    """The workload with a mask, a sum and a product with real numbers of its first spikes."""
    layer = workload.ops[1]
    events = layer.a.events
    total = replace(
        layer,
        name="blocks.0.attention.sum1",
        kind="sum",
        sizes=replace(layer.sizes, n=1),
        b=Second(kind="weight", bits=layer.b.bits, size=0, nonzeros=0),
        work=Work(
            dense_macs=0,
            real_macs=0,
            fanout_sops=events,
            effective_sops=events,
            effective_sops_per_step=layer.a.events_per_step,
            effective_sops_std=0.0,
        ),
    )
    mask = replace(
        total,
        name="blocks.0.attention.mask1",
        kind="masking",
        b=Second(kind="binary", bits=1, size=layer.a.size, nonzeros=events, events=events),
    )
    real = replace(
        layer,
        name="blocks.0.attention.product3",
        kind="attention_product",
        b=Second(kind="real", bits=32, size=layer.b.size, nonzeros=layer.b.nonzeros),
    )
    return replace(workload, ops=(*workload.ops[:2], total, mask, real, *workload.ops[2:]))


def removed_layer() -> Workload:
    """A network of one layer of which DSP left no dimension, and hence no neuron."""
    layer = sample_workload(steps=1).ops[1]
    kept = ("m", "groups", "heads", "time_steps", "a_bits", "b_bits")
    figures = layer.to_dict()
    figures |= {k: 0 for k, v in figures.items() if type(v) is int and k not in kept}
    figures |= dict.fromkeys(PER_STEP, (0,))
    seen = Activity(silent=0, windows=(0, 0, 0), empty_groups=(0, 0), groups=(0, 0), tiles=(0,) * 4)
    op = replace(Op.from_dict(figures), activity=seen)
    return Workload(network="nothing", samples=SAMPLES, time_steps=1, ops=(op,))
