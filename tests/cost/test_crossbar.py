"""crossbar: SpikeSim's published network, exactly; and what sparsity cannot buy there."""

from __future__ import annotations

import csv

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.workload.op import Op
from autoprune.workload.parts import Geometry
from autoprune.workload.workload import Workload
from tests.operations import altered

STEPS = 5
WENT_IN = "shapes, prices"


def layer(row: dict[str, str]) -> Op:
    """A convolution of the table with T = 5; its spikes do not matter."""
    size, out, kernel = (int(row[key]) for key in ("in_size", "out_size", "kernel"))
    inputs, outputs = int(row["in_channels"]), int(row["out_channels"])
    blank = sample_workload(steps=STEPS, samples=1).ops[1]
    entries = STEPS * inputs * size * size
    square = {"kernel": kernel, "stride": size // out, "padding": kernel // 2, "dilation": 1}
    return altered(
        blank,
        name=row["layer"],
        kind="conv",
        m=out * out,
        k=inputs * kernel * kernel,
        n=outputs,
        a_size=entries,
        geometry=Geometry(
            **{key: (value, value) for key, value in square.items()},
            in_size=(size, size),
            out_size=(out, out),
        ),
        dense_macs=STEPS * out * out * inputs * kernel**2 * outputs,
    )


@pytest.fixture
def vgg9(root) -> Workload:
    with (root / "tests" / "cost" / "oracles" / "spikesim_vgg9_cifar10.csv").open(
        encoding="utf-8"
    ) as file:
        ops = tuple(layer(row) for row in csv.DictReader(file))
    return Workload(network="VGG9", samples=1, time_steps=STEPS, ops=ops)


def test_spikesim_vgg9(oracle, vgg9):
    """SpikeSim's default network, VGG9 on CIFAR10 with T = 5 on 64 x 64 RRAM crossbars: 48 PEs in 6
    tiles, 15 906 934.026 pJ, 8 425 528.756 um2, 62 832 640 ns.

    Obtained by running the released ``ela_spikesim.py`` (commit c2627bc). To the printed digits.
    """
    cost = load_machine("spikesim_rram").price(vgg9)
    for what, ours, published, unit, exact in (
        ("energy", cost.energy_pj, 15_906_934.026, "pJ", 5e-4),
        ("PEs", cost.cores, 48, "", 0.0),
        ("area", cost.area_mm2 * 1e6, 8_425_528.756, "um2", 5e-4),
        ("latency", cost.latency_us * 1e3, 62_832_640, "ns", 1e-3),
    ):
        oracle(
            "crossbar",
            f"VGG9, CIFAR10, {what}",
            ours,
            published,
            went_in=WENT_IN,
            unit=unit,
            abs=exact,
        )


def test_unstructured_sparsity_buys_nothing_on_crossbars():
    """97.5 % zero weights saved 2x at most on SpikeSim (Bhattacharjee et al., arXiv 2309.03388,
    Table II), though synaptic operations fall 40 times: here nothing, since every row is read.
    """
    machine = load_machine("spikesim_rram")
    dense, sparse = sample_workload(spikes=1.0), sample_workload(spikes=1.0, zeros=0.975)
    layers = [
        sum(o.work.effective_sops for o in w.ops if o.b.kind == "weight" and o.a.kind == "binary")
        for w in (dense, sparse)
    ]
    assert layers[0] > 15 * layers[1]
    assert machine.price(sparse).energy_uj == machine.price(dense).energy_uj


def test_rank_saves_in_steps_of_the_crossbar():
    """Width 64 fits one crossbar, 65 takes two; within a step nothing changes."""
    machine = load_machine("spikesim_rram")
    energies = [machine.price(sample_workload(width=w)).energy_uj for w in (40, 64, 65, 128, 129)]
    assert energies[0] == energies[1] < energies[2] == energies[3] < energies[4]


def test_groups_are_crossbars_of_their_own():
    """A depth-wise layer of 96 channels takes 96 crossbars, a dense one 4."""
    machine = load_machine("spikesim_rram")
    blank = sample_workload(steps=1, samples=1).ops[1]
    dense = altered(blank, k=96, n=96)
    depthwise = altered(blank, name="depthwise", k=1, n=1, groups=96)
    workload = Workload(network="n", samples=1, time_steps=1, ops=(dense, depthwise))
    assert machine.pes(Ops.of([workload])).tolist() == [4, 96]
