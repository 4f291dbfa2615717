"""The event-driven chip: placement as published arithmetic has it, and every event at its price."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoprune.cost.families.event_driven import EventDriven
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.workload.op import Op
from autoprune.workload.workload import Workload
from tests.operations import altered

LOIHI = load_machine("loihi1")


@pytest.mark.parametrize(("sharing", "cores"), [("shared", 72), ("private", 27 * 128)])
def test_cores_of_the_blocks_of_spikformer_4_384(sharing, cores):
    """Synapse memory of 4 blocks of width 384 (q, k, v, projection; MLP ratio 4) at 8 bits.

    7 077 888 bytes are 54 cores of 128 KiB, 0.42 chips of 128; rounded up per layer 72. Private to
    each of 64 tokens, they are 27 chips. Derived from the capacities in Davies 2018; exact.
    """
    choices = {**LOIHI.machine.choices, "weight_sharing": sharing}
    model = type(LOIHI)(replace(LOIHI.machine, choices=choices))
    blank = altered(sample_workload(steps=1, samples=1).ops[1], m=64, neurons=0)
    found = 0
    for number, k, n in ((4, 384, 384), (1, 384, 1536), (1, 1536, 384)):
        axons = k if sharing == "shared" else 64 * k
        layer = altered(blank, k=k, n=n, b_size=k * n, b_nonzeros=k * n, a_size=axons)
        one = Workload(network="n", samples=1, time_steps=1, ops=(layer,))
        found += 4 * number * model.cores(Ops.of([one]))[0]
    assert found == cores


def energy_by_hand(op: Op, samples: int) -> float:
    """Davies 2018, Table 2, in pJ; a second binary operand sends messages too."""
    messages = op.a.events + (op.b.events if op.b.kind == "binary" else 0)
    return (
        op.work.effective_sops * 23.6
        + op.neurons.updates_active * 81
        + op.neurons.updates_inactive * 52
        + messages * 1.7
    ) / samples


@given(
    steps=st.integers(1, 6),
    width=st.integers(1, 24),
    zeros=st.floats(0, 1),
    spikes=st.floats(0.01, 1),
    samples=st.integers(1, 5),
)
def test_energy_is_every_action_at_its_price(steps, width, zeros, spikes, samples):
    workload = sample_workload(
        steps=steps, width=width, zeros=zeros, spikes=spikes, samples=samples
    )
    ops = [op for op in workload.select("executed") if op.a.kind != "real"]
    expected = sum(energy_by_hand(op, samples) for op in ops)
    cost = LOIHI.price(workload)
    assert cost.dynamic_pj == pytest.approx(expected)
    # 104 mW a chip, as long as it runs: mW times us are nJ
    static = 104 * cost.chips * cost.latency_us * 1e3
    assert cost.energy_uj * 1e6 == pytest.approx(expected + static)


def with_cores(number: int) -> EventDriven:
    """The chip with so many cores."""
    parameters = tuple(
        replace(q, value=number) if q.name == "cores_per_chip" else q
        for q in LOIHI.machine.parameters
    )
    return type(LOIHI)(replace(LOIHI.machine, parameters=parameters))


def slowest_ns(op: Op, cores: int) -> float:
    """Time of a step by hand: what cores share, and messages that those of one part all hear."""
    own = op.work.effective_sops * 3.5
    own += op.neurons.updates_active * 8.4 + op.neurons.updates_inactive * 5.3
    parts = op.sizes.m * op.sizes.groups * op.sizes.heads
    second = op.b.events / min(cores, op.sizes.n * op.sizes.heads) if op.b.kind == "binary" else 0
    return own / cores + (op.a.events / min(cores, parts) + second) * 2.1


@pytest.mark.parametrize("number", [4, 6])
@given(width=st.integers(1, 9), spikes=st.floats(0.01, 1), zeros=st.floats(0, 1))
def test_cores_are_shared_out_by_time(number, width, spikes, zeros):
    """As short as any way to share out the chip's cores, each tried; at most one per output."""
    workload = sample_workload(steps=1, width=width, spikes=spikes, zeros=zeros, samples=1)
    ops = [op for op in workload.select("executed") if op.a.kind != "real"]
    most = [op.neurons.count or op.sizes.m * op.sizes.n * op.sizes.heads for op in ops]
    ways = product(*(range(1, min(number, m) + 1) for m in most))
    best = min(
        max(slowest_ns(op, cores) for op, cores in zip(ops, way, strict=True))
        for way in ways
        if sum(way) <= number
    )
    latency = with_cores(number).price(replace(workload, ops=tuple(ops))).latency_us
    assert latency == pytest.approx((best + 465) / 1000, rel=1e-9)


def test_fewer_dimensions_are_never_slower_on_as_many_chips():
    """Half of 48 dimensions was slower than three quarters: a core less, and the rest idle."""
    layer = sample_workload(steps=1, samples=1).ops[1]

    def latency(width: int) -> float:
        return with_cores(8).price(one_layer(layer, width)).latency_us

    times = [latency(width) for width in range(1, 300, 7)]
    assert times == sorted(times)
    assert times[0] < times[-1]


def one_layer(layer: Op, width: int) -> Workload:
    """One of which every output neuron takes 100 operations, 8 neurons per dimension."""
    sops, neurons = 800 * width, 8 * width
    op = altered(
        layer,
        n=width,
        b_size=32 * width,
        b_nonzeros=32 * width,
        neurons=neurons,
        updates_active=neurons,
        updates_inactive=0,
        effective_sops=sops,
        fanout_sops=sops,
        effective_sops_per_step=(sops,),
    )
    return Workload(network="n", samples=1, time_steps=1, ops=(op,))


@pytest.mark.parametrize(
    ("zeros", "price", "energy_pj", "time_ns"),
    [
        (0.0, "synaptic_operation", 35.5, 3.8),
        (0.1, "synaptic_operation", 35.5, 3.8),
        (0.5, "sparse_synapse", 0.5 * 33.6, 0.5 * 4.7),
    ],
)
def test_a_layer_has_the_list_of_synapses_with_which_it_is_faster(zeros, price, energy_pj, time_ns):
    """SANA-FE today: 35.5 pJ and 3.8 ns with all weights, 33.6 and 4.7 with the nonzero ones, so
    that zeros pay from 19 % on.
    """
    sanafe = load_machine("loihi1_sanafe")
    layer = sample_workload(steps=1, samples=1, zeros=zeros).ops[1]
    cost = sanafe.price(Workload(network="n", samples=1, time_steps=1, ops=(layer,)))
    (term,) = (t for t in cost.terms if t.cause == "synaptic operations")
    touched = layer.a.events * layer.sizes.n
    assert term.price == price
    assert term.energy_pj == pytest.approx(touched * energy_pj)
    assert sanafe.value(f"{price}_time") * term.count == pytest.approx(touched * time_ns)


def test_the_dated_prices_of_sanafe_are_kept_by_name():
    """Those of December 2023: 76.8 pJ a message and one price for all synapses."""
    dated, today = load_machine("loihi1_sanafe_2023"), load_machine("loihi1_sanafe")
    messages = [(m.value("spike_message"), m.value("barrier_time")) for m in (dated, today)]
    assert messages == [(76.8, 299), (111.0, 1800)]
    convolutions = [m.value("kernel_synapse") for m in (dated, today)]
    assert convolutions == [35.5, 24.0]


def test_one_loud_step_is_slower_than_two_quiet_ones():
    """Time is the sum over steps of the slowest core, not the mean load: a burst waits for itself.

    Two layers, each on its core, that are loud in different steps, 1000 operations each, take
    2 x 3500 ns; loud in the same step they work side by side.
    """
    blank = altered(
        sample_workload(steps=2, samples=1).ops[1],
        a_events=0,
        a_nonzeros=0,
        events_per_step=(0, 0),
        nonzeros_per_step=(0, 0),
        fanout_sops=1000,
        effective_sops=1000,
        effective_sops_per_step=(500, 500),
        neurons=0,
        updates_active=0,
        updates_inactive=0,
    )
    early = altered(blank, name="early", effective_sops_per_step=(1000, 0))
    late = altered(blank, name="late", effective_sops_per_step=(0, 1000))
    also_early = replace(early, name="also early")

    def latency(*ops: Op) -> float:
        workload = Workload(network="n", samples=1, time_steps=2, ops=ops)
        return with_cores(2).price(workload).latency_us

    assert latency(early, late) == pytest.approx((2 * 3500 + 2 * 465) / 1000)
    assert latency(early, also_early) == pytest.approx((3500 + 2 * 465) / 1000)


def test_an_operation_that_runs_once_works_in_the_first_step_only():
    """With updates in one step of two, the second is the barrier alone: 10 x 8.4 + 2 x 465 ns."""
    layer = sample_workload(steps=1, samples=1).ops[1]
    nothing = {"effective_sops": 0, "effective_sops_per_step": (0,), "a_events": 0, "a_nonzeros": 0}
    steps = {"events_per_step": (0,), "nonzeros_per_step": (0,)}
    op = altered(layer, neurons=10, updates_active=10, updates_inactive=0, **nothing, **steps)
    workload = Workload(network="n", samples=1, time_steps=2, ops=(op,))
    assert with_cores(1).price(workload).latency_us == pytest.approx((10 * 8.4 + 2 * 465) / 1000)
    assert LOIHI.price(workload).latency_us == pytest.approx((8.4 + 2 * 465) / 1000)


def test_spikes_of_neurons_and_static_power_of_chips():
    """SANA-FE charges 69.3 pJ and 30 ns where a neuron spikes; Loihi's own table neither."""
    sanafe = load_machine("loihi1_sanafe")
    sent = {
        name: [
            t.energy_pj for t in model.price(sample_workload()).terms if t.price == "neuron_spike"
        ]
        for name, model in (("loihi1", LOIHI), ("sanafe", sanafe))
    }
    spikes = [op.neurons.output_spikes / 2 for op in sample_workload().select("executed")]
    spikes = [count for count in spikes[1:] if count]  # the stem's are the host's
    assert sent["sanafe"] == pytest.approx([69.3 * count for count in spikes])
    assert set(sent["loihi1"]) == {0}
    cost = LOIHI.price(sample_workload())
    assert cost.static_power_mw == 104 * cost.chips == 104
    layer = sample_workload(steps=1, samples=1).ops[1]
    nothing = {"effective_sops": 0, "effective_sops_per_step": (0,), "a_events": 0, "a_nonzeros": 0}
    steps = {"events_per_step": (0,), "nonzeros_per_step": (0,)}
    op = altered(layer, neurons=1, updates_active=1, updates_inactive=0, output_spikes=1)
    workload = Workload(
        network="n", samples=1, time_steps=1, ops=(altered(op, **nothing, **steps),)
    )
    assert sanafe.price(workload).latency_us == pytest.approx((9.7 + 30 + 1800) / 1000)


def test_the_host_names_the_neurons_that_it_takes_over():
    host = {item.name for item in LOIHI.price(sample_workload()).host}
    assert host == {"stem: real-valued input, with 256 neurons", "head: real-valued input"}
