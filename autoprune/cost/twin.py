"""The equal-bit ANN twin of a spiking network, and how often a synapse is used.

A neuron that may spike in T steps tells at most T + 1 things apart. The fair comparison is hence a
quantised network of the same shape and the same zeros whose activations have

    b = ceil(log2(T + 1)) bits

and which runs once (Yan et al., "Reconsidering the energy efficiency of spiking neural networks",
arXiv 2409.08290). A spiking network moves T / b times as many bits per dense activation. It is
competitive below some 0.15 to 1.72 spikes per synapse and inference (Dampfhoffer et al., IEEE
TETCI 7(3), 2023; Davidson and Furber, Front. Neurosci. 15, 2021).
"""

from __future__ import annotations

from dataclasses import replace

from autoprune.workload.op import Op
from autoprune.workload.parts import NO_NEURONS, Activation, Second, Work
from autoprune.workload.workload import Workload


def twin_bits(time_steps: int) -> int:
    """Bits of the twin's activations, ceil(log2(T + 1))."""
    return time_steps.bit_length()


def spikes_per_synapse(workload: Workload) -> float:
    """How often a connection that is not 0 carries an event, per inference; 0 without connections.

    A connection is a nonzero weight at one position. Operations with static weights and spikes
    at their input count; what reads real numbers does not spike.
    """
    ops = [o for o in workload.ops if o.b.kind == "weight" and o.a.kind != "real" and o.b.size]
    connections = sum(op.b.nonzeros * op.sizes.m for op in ops)
    events = sum(op.work.effective_sops for op in ops) / workload.samples
    return events / connections if connections else 0.0


def ann_twin(workload: Workload, bits: int) -> Workload:
    """The workload of the twin: every operation once, on real numbers of `bits`, without neurons.

    A mask of spikes or a sum of them becomes a multiplication or addition of numbers, one MAC per
    entry. What an activation function costs is not counted, as for the spiking neuron's twin.
    """
    ops = tuple(_once(op, bits) for op in workload.ops)
    return replace(workload, time_steps=1, ops=ops, elementwise=())


def _once(op: Op, bits: int) -> Op:
    steps = op.sizes.time_steps
    entries = op.a.size // steps
    macs = op.work.dense_macs // steps or entries * bool(op.sizes.k)
    # Pixels stay what they are; every other activation has the twin's bits.
    return replace(
        op,
        sizes=replace(op.sizes, time_steps=1),
        a=Activation(
            kind="real",
            bits=op.a.bits if op.a.kind == "real" else bits,
            size=entries,
            nonzeros=entries,
            events=0,
            events_std=0.0,
            events_per_step=(0,),
            nonzeros_per_step=(entries,),
        ),
        b=op.b if op.b.kind == "weight" else _numbers(op.b.size // steps, bits),
        work=Work(
            dense_macs=macs,
            real_macs=macs,
            fanout_sops=0,
            effective_sops=0,
            effective_sops_per_step=(0,),
            effective_sops_std=0.0,
        ),
        neurons=NO_NEURONS,
        activity=None,
    )


def _numbers(entries: int, bits: int) -> Second:
    return Second(kind="real", bits=bits, size=entries, nonzeros=entries)
