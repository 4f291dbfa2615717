"""The array's cycles and memory accesses, against an array that is walked fold by fold."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoprune.cost.families.systolic import Systolic, cycles
from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.workload.op import Op
from autoprune.workload.parts import Geometry
from autoprune.workload.workload import Workload
from tests.operations import altered

ARRAY = (3, 2)
SIZES = st.integers(1, 9)
FLOWS = ("ws", "os", "is")


def array(dataflow: str, rows: int, columns: int) -> Systolic:
    """The bundled machine with another array and dataflow."""
    model = load_machine("systolic_14x12")
    sizes = {"rows": rows, "columns": columns}
    parameters = tuple(
        replace(q, value=sizes.get(q.name, q.value)) for q in model.machine.parameters
    )
    choices = {**model.machine.choices, "dataflow": dataflow}
    return Systolic(replace(model.machine, parameters=parameters, choices=choices))


def layer(m: int, k: int, n: int, **fields) -> Op:
    blank = sample_workload(steps=1, samples=1, spikes=1.0).ops[1]
    sizes: dict[str, object] = {"m": m, "k": k, "n": n, "a_size": m * k, "a_nonzeros": m * k}
    sizes["nonzeros_per_step"] = (m * k,)
    return altered(blank, **{**sizes, "dense_macs": m * k * n, **fields})


def between(op: Op) -> Workload:
    """An operation that neither reads the network's input nor makes its output."""
    first, last = (replace(layer(1, 1, 1), name=name) for name in ("first", "last"))
    return Workload(network="n", samples=1, time_steps=1, ops=(first, op, last))


def walked(dataflow: str, m: int, k: int, n: int) -> Counter[str]:
    """Operands that pass between SRAM and array: each MAC of each fold, operands read once a fold.

    In every dataflow two of the three dimensions are laid over rows and columns, a fold being
    one tile of them; the third one streams. A partial sum leaves at the end of a fold and
    comes back in the next fold that adds to it.
    """
    sizes = {"m": m, "k": k, "n": n}
    over_rows, over_columns = {"ws": "kn", "os": "mn", "is": "km"}[dataflow]
    counts: Counter[str] = Counter()
    written: set[tuple[int, int]] = set()
    for top in range(0, sizes[over_rows], ARRAY[0]):
        for left in range(0, sizes[over_columns], ARRAY[1]):
            spans = {name: range(size) for name, size in sizes.items()}
            spans[over_rows] = range(top, min(top + ARRAY[0], sizes[over_rows]))
            spans[over_columns] = range(left, min(left + ARRAY[1], sizes[over_columns]))
            inputs, weights, sums = set(), set(), set()
            for i in spans["m"]:
                for j in spans["n"]:
                    for x in spans["k"]:
                        counts["mac"] += 1
                        inputs.add((i, x))
                        weights.add((x, j))
                        sums.add((i, j))
            counts["inputs"] += len(inputs)
            counts["weights"] += len(weights)
            counts["sums written"] += len(sums)
            counts["sums read"] += len(sums & written)
            written |= sums
    return counts


@pytest.mark.parametrize("dataflow", FLOWS)
@given(m=SIZES, k=SIZES, n=SIZES)
def test_accesses_are_those_of_a_walk_over_the_folds(dataflow, m, k, n):
    """Brute force, exact: 8-bit inputs and weights, 24-bit partial sums, 384-bit accesses."""
    model = array(dataflow, *ARRAY)
    cost = model.price(between(layer(m, k, n)))
    found = {term.price: term.count for term in cost.terms if term.op == "blocks.0.mlp.fc1"}
    counts = walked(dataflow, m, k, n)
    read = (counts["inputs"] + counts["weights"]) * 8 + counts["sums read"] * 24
    assert found["mac"] == counts["mac"]
    assert found["sram_read"] * 384 == pytest.approx(read)
    written = counts["sums written"] * 24 + k * n * 8
    assert found["sram_write"] * 384 == pytest.approx(written)
    assert found["dram_read"] * 64 == pytest.approx(k * n * 8)


@pytest.mark.parametrize(
    ("dataflow", "rows", "columns", "sizes", "expected"),
    [
        ("ws", 32, 32, (3025, 363, 96), 112_283),
        ("os", 16, 8, (64, 48, 32), 1119),
        ("ws", 16, 8, (64, 48, 32), 1223),
        ("is", 16, 8, (64, 48, 32), 1679),
        ("os", 16, 8, (16, 100, 8), 121),
        ("ws", 16, 8, (16, 100, 8), 377),
        ("is", 16, 8, (16, 100, 8), 643),
    ],
)
def test_a_machine_gives_the_cycles_of_scale_sim(dataflow, rows, columns, sizes, expected):
    """SCALE-Sim through a whole machine, exact. First row: golden trace of scale-sim-v2 (22f88b1),
    AlexNet conv1; others: scalesim 3.0.0 run on a 16 x 8 array, (M, K, N) as given.
    """
    model = array(dataflow, rows, columns)
    workload = Workload(network="n", samples=1, time_steps=1, ops=(layer(*sizes),))
    cost = model.price(workload)
    assert cost.cycles == expected
    assert cost.latency_us == expected / 500


@pytest.mark.parametrize("dataflow", FLOWS)
@given(m=SIZES, k=SIZES, n=SIZES, grow=st.sampled_from("mkn"))
def test_a_larger_product_never_takes_fewer_cycles(dataflow, m, k, n, grow):
    sizes = {"m": m, "k": k, "n": n}
    larger = {**sizes, grow: sizes[grow] + 1}
    assert cycles(dataflow, ARRAY, **larger) >= cycles(dataflow, ARRAY, **sizes)


def test_the_image_comes_from_dram_once_and_not_once_per_kernel_position():
    """A 3 x 3 convolution of an 8 x 8 image, stride 1: 64 entries, not the 36 x 9 of M x K."""
    geometry = Geometry(
        kernel=(3, 3),
        stride=(1, 1),
        padding=(0, 0),
        dilation=(1, 1),
        in_size=(8, 8),
        out_size=(6, 6),
    )
    op = altered(
        layer(36, 9, 4),
        kind="conv",
        geometry=geometry,
        a_size=64,
        a_nonzeros=64,
        nonzeros_per_step=(64,),
        name="stem",
    )
    whole = Workload(network="n", samples=1, time_steps=1, ops=(op, layer(1, 1, 1)))
    read = {
        t.op: t.count
        for t in load_machine("systolic_14x12").price(whole).terms
        if t.price == "dram_read"
    }
    assert read["stem"] == (64 * 8 + 9 * 4 * 8) / 64


@pytest.mark.parametrize("dataflow", FLOWS)
def test_a_product_that_was_pruned_away_costs_nothing(dataflow):
    model = array(dataflow, *ARRAY)
    cost = model.price(between(layer(4, 0, 4, b_size=0, b_nonzeros=0)))
    assert {term.op for term in cost.terms} == {"first", "last"}
    assert cycles(dataflow, ARRAY, 4, 0, 4) == 0
