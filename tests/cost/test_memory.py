"""What a network takes on a machine: weights in the smallest form that it reads, and membranes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.config import bundled_names
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from tests.refusals import assert_refused, refusals

WIDE = sample_workload(width=64, zeros=0.9)
LAYER = replace(WIDE, ops=WIDE.ops[1:2])
"""32 x 64 weights of which 205 are not 0, at 8 positions: 512 neurons."""

STATE = 512 * (1 + 8 + 5)
"""A spike times 8 bits, 32 of them added up, for every neuron."""

BITS = {
    "loihi1": {"as synapse lists": 205 * 8 * 8},
    "systolic_14x12": {"dense": 2048 * 8},
    "loas": {"bitmap": 2048 + 205 * 8},
    "ops45_int8": {"dense": 2048 * 8},
    "mem45": {"as words": 205 * 32},
}


def of(name, workload):
    return load_machine(name).price(workload)


@pytest.mark.parametrize("name", BITS)
def test_bits_of_one_layer_by_hand(name):
    """Synapse lists are private to a neuron, hence 8 copies; the array's neurons are a host's."""
    cost = of(name, LAYER)
    state = {"systolic_14x12": 0, "mem45": 512 * 32}.get(name, STATE)
    assert dict(cost.weights) == BITS[name]
    assert cost.state_bits == state
    assert cost.memory_kib == (sum(BITS[name].values()) + state) / 8192


def test_what_is_smallest_is_held_so_indices_included(root, tmp_path):
    """205 weights with a column of 6 bits, and 33 pointers of 8; half of the weights are a map."""
    text = (root / "cost_models" / "ops45_int8.toml").read_text(encoding="utf-8")
    file = tmp_path / "m.toml"
    formats = 'weight_bits = 8\nweight_formats = ["dense", "bitmap", "csr"]\n'
    file.write_text(text.replace("weight_bits = 8\n", formats, 1), encoding="utf-8")
    assert dict(of(str(file), LAYER).weights) == {"csr": 205 * (8 + 6) + 33 * 8}
    half = sample_workload(width=64, zeros=0.5)
    half = replace(half, ops=half.ops[1:2])
    assert dict(of(str(file), half).weights) == {"bitmap": 2048 + 1024 * 8}
    full = sample_workload(width=64)
    assert dict(of(str(file), replace(full, ops=full.ops[1:2])).weights) == {"dense": 2048 * 8}


@pytest.mark.parametrize("name", bundled_names("cost_models"))
def test_memory_is_the_same_alone_and_among_others(name):
    model, workloads = load_machine(name), [WIDE, sample_workload(), LAYER]
    found = model.price_all(Ops.of(workloads))
    alone = [model.price(workload) for workload in workloads]
    assert found.memory_kib.tolist() == [cost.memory_kib for cost in alone]
    assert found.host_share.tolist() == [cost.host_share for cost in alone]
    for cost in alone:
        assert cost.host_share == pytest.approx(sum(host.share for host in cost.host))


def test_membranes_are_no_wider_than_the_machines_weights_ask_for():
    (layer,) = LAYER.ops
    assert layer.b.bits == 32
    rounded = replace(LAYER, ops=(replace(layer, b=replace(layer.b, bits=4)),))
    assert of("loihi1", LAYER).state_bits == STATE
    assert of("loihi1", rounded).state_bits == 512 * (1 + 4 + 5)
    assert of("ops45_fp32", LAYER).state_bits == 512 * 32


@refusals(
    (("systolic_14x12", '"csr"'), "given 'csr'; expected what family 'systolic' can read: dense"),
    (("loihi1", '"bitmap"'), "given 'bitmap'; expected what family 'event_driven' can read: dense"),
    (("loas", '"csr"'), "given 'csr'; expected *'dual_sparse' can read: dense, bitmap"),
    (("a100", '"dense", "csr"'), "given 'csr'; expected *'roofline' can read: dense, *1:2"),
    (("sata", '"dense", "2:4"'), "given '2:4'; expected what family 'gated_array' can read: dense"),
)
def test_a_format_that_a_machine_cannot_read_is_refused(root, tmp_path, given, words):
    name, formats = given
    text = (root / "cost_models" / f"{name}.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("weight_formats")]
    place = next(i for i, line in enumerate(lines) if line.startswith("weight_bits"))
    lines.insert(place, f"weight_formats = [{formats}]")
    (tmp_path / "m.toml").write_text("\n".join(lines), encoding="utf-8")
    assert_refused(f"weight_formats: {words}", load_machine, str(tmp_path / "m.toml"))
