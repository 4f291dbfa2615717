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
from autoprune.workload.workload import Workload


def twin_bits(time_steps: int) -> int:
    """Bits of the twin's activations, ceil(log2(T + 1))."""
    return time_steps.bit_length()


def spikes_per_synapse(workload: Workload) -> float:
    """How often a connection that is not 0 carries an event, per inference; 0 without connections.

    A connection is a nonzero weight at one position. Operations with static weights and spikes
    at their input count; what reads real numbers does not spike.
    """
    ops = [o for o in workload.ops if o.b_class == "weight" and o.a_class != "real" and o.b_size]
    connections = sum(op.b_nonzeros * op.m for op in ops)
    events = sum(op.effective_sops for op in ops) / workload.samples
    return events / connections if connections else 0.0


def ann_twin(workload: Workload) -> Workload:
    """The workload of the twin: every operation once, on real numbers of b bits, without neurons.

    A mask of spikes or a sum of them becomes a multiplication or addition of numbers, one MAC per
    entry. What an activation function costs is not counted, as for the spiking neuron's twin.
    """
    bits = twin_bits(workload.time_steps)
    ops = tuple(_once(op, bits) for op in workload.ops)
    return replace(workload, time_steps=1, ops=ops, elementwise=())


def _once(op: Op, bits: int) -> Op:
    entries = op.a_size // op.time_steps
    macs = op.dense_macs // op.time_steps or entries * bool(op.k)
    static = op.b_class == "weight"
    # Pixels stay what they are; every other activation has the twin's bits.
    own_bits = op.a_bits if op.a_class == "real" else bits
    return replace(
        op,
        time_steps=1,
        a_class="real",
        a_bits=own_bits,
        a_size=entries,
        a_nonzeros=entries,
        a_events=0,
        a_events_std=0.0,
        b_class="weight" if static else "real",
        b_bits=op.b_bits if static else bits,
        b_size=op.b_size if static else op.b_size // op.time_steps,
        b_nonzeros=op.b_nonzeros if static else op.b_size // op.time_steps,
        b_events=0,
        events_per_step=(0,),
        nonzeros_per_step=(entries,),
        dense_macs=macs,
        fanout_sops=0,
        effective_sops=0,
        effective_sops_per_step=(0,),
        effective_sops_std=0.0,
        real_macs=macs,
        neurons=0,
        updates_active=0,
        updates_inactive=0,
        output_spikes=0,
        output_spikes_std=0.0,
        activity=None,
    )
