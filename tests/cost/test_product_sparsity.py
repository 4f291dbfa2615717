"""product_sparsity: what Prosperity's simulator gives for the spikes that are released with it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace

import pytest

from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.cost.tiles import traffic
from autoprune.workload.op import Op
from autoprune.workload.parts import Activity, Geometry
from autoprune.workload.workload import Workload
from tests.operations import altered

PROSPERITY = load_machine("prosperity")
Network = Callable[[str], Workload]


def layer(row: dict[str, str]) -> Op:
    """A layer of the table, whose M counts all steps."""
    steps, rows, k, n, kernel = (int(row[key]) for key in ("T", "M", "K", "N", "kernel"))
    tiles = tuple(int(row[key]) for key in ("spikes", "left", "emptied", "searched"))
    blank = sample_workload(steps=steps, samples=1).ops[1]
    sops = tiles[0] * n
    one = (1, 1)
    return altered(
        blank,
        name=row["layer"],
        kind="conv" if row["kind"] == "conv2d" else "linear",
        m=rows // steps,
        k=k,
        n=n,
        b_size=k * n,
        a_size=rows * k // kernel**2,
        neurons=0,
        fanout_sops=sops,
        effective_sops=sops,
        effective_sops_per_step=(sops, *[0] * (steps - 1)),
        activity=Activity(
            silent=0, windows=(0, 0, 0), empty_groups=(0, 0), groups=(0, 0), tiles=tiles
        ),
        geometry=Geometry(
            kernel=(kernel, kernel),
            stride=one,
            padding=one,
            dilation=one,
            in_size=one,
            out_size=one,
        ),
    )


@pytest.fixture
def network(root) -> Network:
    def network(name: str) -> Workload:
        ops: list[Op] = []
        file = root / "tests" / "cost" / "oracles" / f"prosperity_tiles_{name}.csv"
        with file.open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                if row["kind"] == "lif":
                    ops[-1] = altered(ops[-1], neurons=int(row["elements"]))
                else:
                    ops.append(layer(row))
        steps = ops[0].sizes.time_steps
        return Workload(network=name, samples=1, time_steps=steps, ops=tuple(ops))

    return network


SPIKES = "shapes, spikes"


@pytest.mark.parametrize(
    ("name", "bit", "product"),
    [
        ("vgg9_cifar10", 0.135011258332625, 0.0455644027046535),
        ("lenet5_mnist", 0.253639946627197, 0.0156137872264083),
    ],
)
def test_densities(oracle, network, name, bit, product):
    """Bit and product density of Prosperity's reference sheet ``density_analysis``. The spikes are
    those that it releases, which are not shipped here: the census counted them once, and the table
    has its counts. To the printed digits.
    """
    ops = Ops.of([network(name)])
    across = -(-ops.n // 128)
    whole = (ops.m * ops.time_steps * ops.k * across).sum()
    for what, counts, published in (
        ("bit density", ops.tile_spikes, bit),
        ("product density", ops.tile_left, product),
    ):
        ours = (counts * across).sum() / whole
        what = f"{name}, {what}"
        oracle("product_sparsity", what, ours, published, went_in=SPIKES, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "cycles", "bits"),
    [("vgg9_cifar10", 360_240, 53_886_976), ("lenet5_mnist", 41_178, 1_102_848)],
)
def test_cycles_and_bits(oracle, network, name, cycles, bits):
    """Obtained by running the released simulator (commit 6ee1c6f) on the spikes that it releases,
    with its own search in Python in place of that for a GPU. Exact.
    """
    workload = network(name)
    found = PROSPERITY.price(workload).cycles
    oracle("product_sparsity", name, found, cycles, went_in=SPIKES, unit="cycles")
    ops = Ops.of([workload])
    moved = float(traffic(ops, PROSPERITY.weight_bits(ops)).sum())
    oracle("product_sparsity", f"{name}, DRAM", moved, bits, went_in=SPIKES, unit="bits")


def test_attention_by_hand():
    """Two heads of 32 dimensions and 64 tokens, four steps: eight products of each kind.

    First, 32 x 64 times 64 x 32: 100 additions each; the search takes 4 x 32 / 8 cycles and one per
    row. It starts after (16 x 32 x 8 + 16 x 32) / 1024 = 4.5 cycles; of 18 432 bits the rest,
    13 824, takes 13 cycles, in the shade of the additions. Second, 64 x 32 times the 32 x 32 of the
    first: 7 additions, 20 cycles of search and 2 x 8 for the rows; no weights are fetched, and the
    spikes of its first tile take (16 x 64) / 1024 = 1 cycle.
    """
    blanks = [op for op in sample_workload(steps=4, samples=1).ops if op.order == "executed"]
    sizes = ((32, 64, 32), (64, 32, 32))
    counts = ((700, 500, 300, 0), (60, 56, 0, 160))
    first, second = (
        altered(
            blank,
            m=m,
            k=k,
            n=n,
            heads=2,
            neurons=0,
            fanout_sops=tiles[0] * n,
            effective_sops=0,
            effective_sops_per_step=(0,) * 4,
            activity=replace(blank.activity, tiles=tiles),
        )
        for blank, (m, k, n), tiles in zip(blanks, sizes, counts, strict=True)
    )
    ops = Ops.of([Workload(network="n", samples=1, time_steps=4, ops=(first, second))])
    assert PROSPERITY.cycles(ops).tolist() == [800 + 8 * 4, 160 + 8 * 2 * 8 + 8 * 1]
    driving = altered(second, neurons=64 * 64)
    ops = Ops.of([Workload(network="n", samples=1, time_steps=4, ops=(first, driving))])
    whole = 64 * 64 / 32 * 2 * 4  # fewer than 256 x 128 / 4 neurons, the whole of them behind it
    assert PROSPERITY.cycles(ops)[1] == 160 + 8 * 2 * 8 + 8 + whole


def test_a_layer_waits_for_memory_and_an_integer_is_added_again():
    """32 x 16 inputs, 16 x 256 weights: two column tiles, whose bits take longer than 2 x 40
    additions; 40 spikes, of which one is a 3: two more additions in each.
    """
    blank = sample_workload(steps=4, samples=1).ops[1]
    tiles = (40, 40, 0, 0)
    seen = replace(blank.activity, tiles=tiles)
    sizes = dict(m=8, k=16, n=256, a_size=32 * 16, b_size=16 * 256, neurons=0)
    sops = 42 * 256
    work = dict(fanout_sops=sops, effective_sops=sops, effective_sops_per_step=(sops, 0, 0, 0))
    op = altered(blank, **sizes, **work, activity=seen)
    ops = Ops.of([Workload(network="n", samples=1, time_steps=4, ops=(op,))])
    start = 16 * 128 * 8  # the spikes, 512 bits, are on the chip
    rest = 16 * 256 * 8 + 2 * 32 * 16 - start
    assert PROSPERITY.cycles(ops)[0] == max(84, rest // 1024) + start // 1024 == 100
    few = altered(op, activity=replace(seen, tiles=(1, 1, 0, 0)), fanout_sops=256, **NOTHING)
    ops = Ops.of([Workload(network="n", samples=1, time_steps=4, ops=(few,))])
    assert PROSPERITY.cycles(ops)[0] == max(2 * 32 // 8, rest // 1024) + 16 == 33


NOTHING = {"effective_sops": 0, "effective_sops_per_step": (0,) * 4}


def test_a_workload_without_product_sparsity_is_refused():
    workload = sample_workload()
    ops = tuple(
        op if op.activity is None else replace(op, activity=replace(op.activity, tiles=None))
        for op in workload.ops
    )
    with pytest.raises(UnknownCost, match=r"prosperity\.toml: .* without product sparsity"):
        PROSPERITY.price(replace(workload, ops=ops))
