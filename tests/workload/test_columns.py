"""Every figure of an operation has one column, and every column one place."""

from __future__ import annotations

from dataclasses import fields

import pytest

from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.workload.columns import ACTIVITY, COLUMNS, NAMES, PLACES, TILES, reader
from autoprune.workload.op import Op
from autoprune.workload.parts import PARTS, Activity
from tests.refusals import assert_refused, refusals


def test_the_map_of_columns_is_whole():
    own = {field.name for field in fields(Op)} - set(PARTS)
    inside = {f"{part}.{f.name}" for part, kind in PARTS.items() for f in fields(kind)}
    assert set(PLACES.values()) == own | inside
    assert len(NAMES) == len(PLACES)
    assert set(COLUMNS) - set(ACTIVITY) - set(TILES) <= set(PLACES)
    assert {*ACTIVITY.values(), "tiles"} == {field.name for field in fields(Activity)}


def test_a_column_reads_the_figure_in_its_part():
    op = sample_workload().ops[1]
    assert reader("a_class")(op) == op.a.kind == "binary"
    assert reader("neurons")(op) == op.neurons.count == 8 * 16
    with pytest.raises(InputError, match="no column 'a_event'; .*did you mean 'a_events'"):
        sample_workload().total("a_event")


@refusals(
    (("b_class", "wieght"), "second operand: b_class is 'wieght'*did you mean 'weight'"),
    (("a_bits", 0), "activation: a_bits is 0; expected at least 1"),
    (("heads", 0), "sizes: heads is 0; expected at least 1"),
    (("updates_active", 0.5), "neurons: updates_active is 0.5; expected whole counts"),
    (("effective_sops_std", -1.0), "work: effective_sops_std is -1.0; expected a number >= 0"),
)
def test_what_is_wrong_with_a_part_is_named_with_its_operation(given, words):
    column, value = given
    figures = {**sample_workload().ops[1].to_dict(), column: value}
    assert_refused(f"op 'blocks.0.mlp.fc1': {words}", Op.from_dict, figures)
