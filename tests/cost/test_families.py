"""The physics of the families: what each kind of sparsity buys, by hand-computed examples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.config import bundled_names
from autoprune.cost.contract import check_contract
from autoprune.cost.cost import UnknownCost, Unpriced
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.runs.metrics import energy_uj, latency_us
from autoprune.workload.workload import Uncounted
from tests.operations import PRICED, altered

MACHINES = bundled_names("cost_models")
SYSTOLIC = ("systolic_14x12", "systolic_32x32")


@pytest.mark.parametrize("name", MACHINES)
def test_every_bundled_machine_keeps_the_contract(name):
    check_contract(load_machine(name))


@pytest.mark.parametrize("name", MACHINES)
def test_every_number_has_a_source(name):
    machine = load_machine(name).machine
    assert all(len(number.source) > 10 for number in (*machine.prices, *machine.parameters))
    assert machine.not_modelled


@pytest.mark.parametrize("name", PRICED)
def test_cost_falls_with_rank_and_with_fewer_steps_on_every_machine(name):
    """Energy, and the latency of a machine that has one; see the contract for what may not rise."""
    model = load_machine(name)
    few, many = sample_workload(steps=1, width=1), sample_workload(steps=16, width=128)
    small, large = model.price(few), model.price(many)
    assert small.energy_pj < large.energy_pj
    assert small.latency_us is None or small.latency_us < large.latency_us


def test_unstructured_sparsity_buys_nothing_on_a_dense_array_and_structure_does():
    array, chip = load_machine("systolic_14x12"), load_machine("loihi1")
    dense, sparse, narrow = (
        sample_workload(),
        sample_workload(zeros=0.9),
        sample_workload(width=4),
    )
    assert array.price(sparse) == array.price(dense)
    assert array.price(narrow).energy_uj < array.price(dense).energy_uj
    assert array.price(narrow).cycles < array.price(dense).cycles
    assert chip.price(sparse).energy_uj < chip.price(dense).energy_uj
    assert chip.price(sparse).latency_us < chip.price(dense).latency_us


def test_systolic_energy_of_one_layer_by_hand():
    """M = 8 tokens x 4 steps, K = 32, N = 16 on 14 x 12: 3 x 2 folds, weight-stationary."""
    array = load_machine("systolic_14x12")
    workload = sample_workload()
    cost = array.price(workload)
    terms = {(t.op, t.price): t for t in cost.terms}
    m, k, n = 32, 32, 16
    assert terms["blocks.0.mlp.fc1", "mac"].energy_pj == 0.5 * m * k * n
    registers = {"weight_register": 1.0, "input_register": 1.0}
    for name, price in {**registers, "sum_register_read": 1.5, "sum_register_write": 2.0}.items():
        assert terms["blocks.0.mlp.fc1", name].energy_pj == price * m * k * n
    per_mac = {name: load_machine(name).machine.prices[:5] for name in SYSTOLIC}
    assert {n: sum(p.value for p in prices[1:]) for n, prices in per_mac.items()} == {
        "systolic_14x12": 5.5,
        "systolic_32x32": pytest.approx(0.137),
    }
    read = k * n * 8 + m * k * 8 * 2 + m * n * 24 * 2
    assert terms["blocks.0.mlp.fc1", "sram_read"].energy_pj == pytest.approx(read * 100 / 384)
    written = m * n * 24 * 3 + k * n * 8
    assert terms["blocks.0.mlp.fc1", "sram_write"].energy_pj == pytest.approx(written * 130 / 384)
    assert terms["blocks.0.mlp.fc1", "dram_read"].energy_pj == k * n * 8 * 1000 / 64
    assert ("blocks.0.mlp.fc1", "dram_write") not in terms
    assert ("blocks.0.attention.product1", "dram_read") not in terms
    assert array.op_cycles(Ops.of([workload]))[1] == 6 * (2 * 14 + 12 + m - 2) - 1
    assert cost.latency_us == cost.cycles / 500


def test_weights_of_fewer_bits_move_fewer_bits_and_never_more_than_the_machine_holds():
    array = load_machine("systolic_14x12")

    def loaded(bits: int) -> float:
        workload = sample_workload()
        layer = altered(workload.ops[1], b_bits=bits)
        cost = array.price(replace(workload, ops=(workload.ops[0], layer, workload.ops[-1])))
        (read,) = (t for t in cost.terms if (t.op, t.price) == (layer.name, "dram_read"))
        return read.count

    assert loaded(4) == 32 * 16 * 4 / 64
    assert loaded(8) == loaded(16) == loaded(32) == 32 * 16 * 8 / 64


def test_a_first_layer_that_is_gone_reads_nothing():
    first = altered(sample_workload().ops[0], n=0, neurons=0, b_size=0, b_nonzeros=0)
    gone = altered(first, dense_macs=0, real_macs=0, updates_active=0, updates_inactive=0)
    workload = replace(sample_workload(), ops=(gone,))
    assert gone.a.size > 0
    assert load_machine("systolic_14x12").price(workload).energy_pj == 0


def chip_cores(chip, op, samples=2) -> float:
    """Cores of one operation alone, counted on so many samples."""
    workload = replace(sample_workload(samples=samples), ops=(op,))
    (cores,) = chip.cores(Ops.of([workload]))
    return cores


def test_event_driven_leaves_real_values_to_the_host_and_emulates_attention():
    workload = sample_workload()
    cost = load_machine("loihi1").price(workload)
    assert [host.name.split(":")[0] for host in cost.host] == ["stem", "head"]
    assert {term.op for term in cost.terms}.isdisjoint({"stem", "head"})
    assert sum(host.share for host in cost.host) == pytest.approx(
        (workload.ops[0].work.dense_macs + workload.ops[-1].work.dense_macs)
        / workload.total("dense_macs")
    )
    assert "one synaptic operation per coincidence" in cost.emulated[0]
    missed = Uncounted(name="softmax", dense_macs=workload.total("dense_macs"), reason="no rule")
    halved = load_machine("loihi1").price(replace(workload, uncounted=(missed,)))
    assert sum(host.share for host in halved.host) == pytest.approx(
        sum(host.share for host in cost.host) / 2
    )


def test_placement_replicates_private_weights_per_position():
    chip = load_machine("loihi1")
    op = sample_workload().ops[1]
    large = altered(op, m=64, b_nonzeros=300_000, neurons=100, a_size=100 * 8)
    bits = 300_000 * 8 * 64
    assert chip_cores(chip, large) == -(-bits // (128 * 8192))
    shared = type(chip)(
        replace(chip.machine, choices={**chip.machine.choices, "weight_sharing": "shared"})
    )
    assert chip_cores(shared, large) == 3
    assert chip_cores(chip, altered(large, b_nonzeros=1, neurons=5000)) == 5
    assert chip_cores(chip, altered(large, b_nonzeros=1, a_size=9000 * 8)) == 3


def test_attention_is_priced_in_one_order_only():
    workload = sample_workload()
    papers = load_machine("ops45_fp32")
    executed = type(papers)(
        replace(papers.machine, choices={**papers.machine.choices, "attention_order": "executed"})
    )
    published = [op for op in workload.select("published") if op.kind == "attention_product"]
    spent = {t.op: t.count for t in papers.price(workload).terms if "product" in t.op}
    assert spent == {op.name: op.work.fanout_sops / 2 for op in published}
    assert papers.price(workload).energy_uj != executed.price(workload).energy_uj


def test_an_action_without_a_price_makes_the_total_unknown():
    cost = replace(
        load_machine("loihi1").price(sample_workload()),
        unpriced=(Unpriced(action="softmax", count=3),),
    )
    assert cost.energy_uj is None
    with pytest.raises(UnknownCost, match="loihi1: energy unknown, no price for softmax"):
        energy_uj(cost)
    with pytest.raises(UnknownCost, match="ops45_int8: defines no latency"):
        latency_us(load_machine("ops45_int8").price(sample_workload()))
