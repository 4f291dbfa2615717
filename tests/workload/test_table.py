"""Operations come back out of an Arrow table, whole or as columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload, with_spike_logic
from autoprune.errors import InputError
from autoprune.workload.columns import COLUMNS
from autoprune.workload.op import Op
from autoprune.workload.parts import Activity, Geometry
from autoprune.workload.table import column, to_ops, to_table
from autoprune.workload.workload import Workload
from tests.operations import altered

GEOMETRY = Geometry(
    kernel=(3, 3),
    stride=(2, 1),
    padding=(1, 0),
    dilation=(1, 1),
    in_size=(8, 8),
    out_size=(4, 6),
)
SEEN = Activity(silent=4, windows=(8, 6, 4), empty_groups=(2, 1), groups=(4, 2), tiles=(9, 5, 1, 2))


def workloads() -> list[Workload]:
    long, short = with_spike_logic(sample_workload()), sample_workload(steps=2)
    ops = [replace(op, activity=SEEN, producers=("a", "b")) for op in long.ops]
    ops[0] = altered(
        ops[0], kind="conv", activity=None, geometry=GEOMETRY, effective_sops_std=0.1 + 0.2
    )
    return [
        replace(long, ops=tuple(ops)),
        replace(short, ops=tuple(replace(op, activity=SEEN) for op in short.ops)),
    ]


def operations() -> list[Op]:
    return [op for workload in workloads() for op in workload.ops]


def test_operations_come_back_equal():
    assert to_ops(to_table(operations())) == tuple(operations())
    assert to_ops(to_table([])) == ()


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_those_of_the_operations_themselves(name):
    table, several = to_table(operations()), workloads()
    direct = Ops.of(several)
    ops = Ops(
        lambda wanted: column(table, wanted),
        direct.workload,
        np.array([w.samples for w in several]),
        direct.steps,
        direct.uncounted,
    )
    found, expected = getattr(ops, name), getattr(direct, name)
    assert found.dtype.kind == expected.dtype.kind
    assert np.array_equal(found, expected)


def test_what_was_counted_without_activity_is_named():
    table = to_table([replace(op, activity=None) for op in sample_workload().ops])
    with pytest.raises(InputError, match="op 'blocks.0.mlp.fc1': .*'windows'.*counted without"):
        column(table, "windows")
