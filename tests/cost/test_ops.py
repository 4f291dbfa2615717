"""Columns of operations are the operations' own figures, for one workload and for many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.workload.columns import reader
from autoprune.workload.parts import Activity
from tests.operations import PRICED, altered

MANY = [sample_workload(), sample_workload(steps=2, samples=3), sample_workload(width=5)]


@pytest.mark.parametrize(
    "name", ["m", "a_class", "events_per_step", "effective_sops", "b_nonzeros"]
)
def test_columns_are_means_per_inference_of_the_operations(name):
    ops = Ops.of(MANY)
    row = 0
    for index, workload in enumerate(MANY):
        for op in workload.ops:
            value = reader(name)(op)
            counted = name in ("events_per_step", "effective_sops")
            divided = counted or (name == "b_nonzeros" and op.b.kind != "weight")
            expected = np.array(value) / workload.samples if divided else np.array(value)
            found = getattr(ops, name)[row]
            assert np.array_equal(
                np.trim_zeros(np.atleast_1d(found), "b") if counted else found,
                np.trim_zeros(np.atleast_1d(expected), "b") if counted else expected,
            )
            assert ops.workload[row] == index
            row += 1
    assert row == len(ops)


def test_activity_is_read_where_it_was_counted():
    workload = sample_workload()
    seen = Activity(silent=4, windows=(8, 6, 4), empty_groups=(2, 1), groups=(4, 2))
    counted = replace(workload, ops=tuple(replace(op, activity=seen) for op in workload.ops))
    ops = Ops.of([counted])
    assert ops.silent[1] == 4 / 2
    stem = replace(workload.ops[0], activity=None)  # real numbers do not spike
    unseen = Ops.of([replace(counted, ops=(stem, *counted.ops[1:]))])
    assert unseen.windows[0].tolist() == [0, 0, 0]
    assert ops.windows[1].tolist() == [4, 3, 2]
    assert (ops.empty_groups / ops.row_groups)[0].tolist() == [0.5, 0.5]
    bare = replace(workload, ops=tuple(replace(op, activity=None) for op in workload.ops))
    with pytest.raises(InputError, match="fc1': .*'silent'.*counted without activity"):
        _ = Ops.of([bare]).silent
    with pytest.raises(UnknownCost, match=r"loas\.toml: .*counted without activity"):
        load_machine("loas").price(bare)


def test_density_is_of_static_weights_only():
    ops = Ops.of([sample_workload(zeros=0.5)])
    assert ops.density[ops.static].tolist() == [1.0, 0.5, 0.5, 1.0]
    assert (ops.b_nonzeros < ops.b_size)[~ops.static].all()
    assert (ops.density[~ops.static] == 1).all()


def test_a_column_that_nothing_carries_is_named():
    with pytest.raises(InputError, match="asks for 'a_event'.*did you mean 'a_events'"):
        _ = Ops.of(MANY).a_event


def test_storage_of_a_matrix_by_hand():
    """hardware: dense n b; bitmap n + nnz b; CSR nnz (b + log2 columns) + (rows + 1) log2(nnz + 1).

    32 x 16 weights at 8 bits, half of them 0: 4096; 512 + 2048; 256 x 12 + 33 x 9 bits.
    """
    workload = sample_workload(zeros=0.5)
    layer = altered(workload.ops[1], b_bits=8)
    ops = Ops.of([replace(workload, ops=(layer,))])
    assert ops.storage("dense", ops.b_bits).tolist() == [4096]
    assert ops.storage("bitmap", ops.b_bits).tolist() == [512 + 2048]
    assert ops.storage("csr", ops.b_bits).tolist() == [256 * 12 + 33 * 9]
    assert ops.storage("bitmap", ops.b_bits / 2).tolist() == [512 + 1024]
    assert ops.density.tolist() == [0.5]
    # one bit and eight, and 32 of them to add up
    assert ops.accumulator_bits.tolist() == [1 + 8 + 5]
    assert ops.state_bits(ops.b_bits).tolist() == [8 * 16 * 14]
    assert ops.input_bits.tolist() == [4 * 8 * 32]
    assert ops.output_bits.tolist() == [4 * 8 * 16]
    assert ops.sum_bits.tolist() == [4 * 8 * 16 * 14]


@given(st.data())
@pytest.mark.parametrize("name", PRICED)
def test_many_cost_what_each_costs_alone_to_the_last_bit(name, data):
    sizes = st.fixed_dictionaries(
        {
            "steps": st.integers(1, 5),
            "width": st.integers(1, 20),
            "zeros": st.sampled_from([0.0, 0.3, 0.9]),
            "spikes": st.floats(0.01, 1),
            "samples": st.integers(1, 7),
        }
    )
    workloads = [
        sample_workload(**size) for size in data.draw(st.lists(sizes, min_size=1, max_size=5))
    ]
    model = load_machine(name)
    together = model.price_all(Ops.of(workloads))
    for index, workload in enumerate(workloads):
        alone = model.price(workload)
        assert together.cost(index) == alone
        assert together.energy_uj[index] == alone.energy_uj
        for figure, values in together.figures.items():
            assert values[index] == getattr(alone, figure)
