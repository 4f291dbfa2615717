"""Counting samples together is counting each of them and adding up, in every figure there is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from autoprune.networks.build import adapter_for
from autoprune.workload.census.count import count
from autoprune.workload.columns import PLACES, reader
from autoprune.workload.op import Op
from autoprune.workload.workload import Workload

STRONGER = ("binary", "ternary", "integer", "real")
SHAPES = {
    *("name", "kind", "block", "branch", "order", "m", "k", "n", "groups", "heads", "time_steps"),
    *("geometry", "norm_folded", "neurons", "producers", "b_row_max", "b_column_max"),
    *("b_max_of_2", "b_max_of_4", "b_max_of_8"),
}
OF_WEIGHTS = {"b_size", "b_nonzeros", "b_events", "b_bits"}
DEVIATIONS = {
    "a_events_std": "a_events",
    "effective_sops_std": "effective_sops",
    "output_spikes_std": "output_spikes",
}


def check_added(whole: Op, parts: list[Op]) -> None:
    """Every column of `whole` is what the parts, of one sample each, say together."""
    for column in PLACES:
        found = reader(column)(whole)
        each = [reader(column)(part) for part in parts]
        if column in SHAPES or (column in OF_WEIGHTS and whole.b.kind == "weight"):
            assert all(value == found for value in each), column
        elif column in ("a_class", "b_class"):
            assert found == "weight" or found == max(each, key=STRONGER.index), column
        elif column in ("a_bits", "b_bits"):
            assert found == max(each), column
        elif column in DEVIATIONS:
            totals = [reader(DEVIATIONS[column])(part) for part in parts]
            assert found == pytest.approx(np.std(totals)), column
        elif column == "activity":
            figures = [np.hstack(dataclasses.astuple(value)) for value in each]
            assert np.array_equal(np.hstack(dataclasses.astuple(found)), sum(figures))
        else:
            assert np.array_equal(found, np.sum(each, 0)), column


@pytest.mark.parametrize("family", ["sdt", "token", "channel", "maxformer", "cifar", "spikformer"])
def test_eight_samples_at_once(family, small, firing_images):
    """In float64, where no neuron's threshold is within rounding of its membrane."""
    network, images = small(family).double(), firing_images(8).double()
    adapter = adapter_for(network, None)
    whole = count(network, adapter, images, product_sparsity=True)
    parts = [count(network, adapter, images[i : i + 1], product_sparsity=True) for i in range(8)]
    assert any(op.neurons.output_spikes for op in whole.ops)
    for index, op in enumerate(whole.ops):
        check_added(op, [part.ops[index] for part in parts])
    check_rest(whole, parts)


def check_rest(whole: Workload, parts: list[Workload]) -> None:
    """What is done entry by entry, and what is not counted, adds up, too."""
    for index, item in enumerate(whole.elementwise):
        each = [part.elementwise[index] for part in parts]
        assert {(e.kind, e.places) for e in each} == {(item.kind, item.places)}
        assert item.entries == sum(e.entries for e in each)
    for index, missing in enumerate(whole.uncounted):
        assert missing.dense_macs == sum(part.uncounted[index].dense_macs for part in parts)
