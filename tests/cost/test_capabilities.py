"""What a machine says that it cannot do, it does not do; what it does instead is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import pytest

from autoprune.cost.action import Action
from autoprune.cost.capabilities import Capabilities
from autoprune.cost.cost import Cost
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload, with_spike_logic
from autoprune.errors import InputError
from autoprune.workload.op import Op
from autoprune.workload.workload import Workload
from tests.operations import PRICED, altered
from tests.refusals import assert_refused, refusals


def saying(name: str, *, emulation: Mapping[str, str] | None = None, **words: str) -> CostModel:
    """A bundled machine with other capabilities, and with rules of emulation for them."""
    model = load_machine(name)
    kept = {k: v for k, v in model.machine.emulation.items() if k not in words}
    emulation = {**kept, **(emulation or {})}
    capabilities = model.machine.capabilities.model_copy(update=words)
    return type(model)(replace(model.machine, capabilities=capabilities, emulation=emulation))


def with_integers() -> Workload:
    """The sample, whose first layer reads a residual sum."""
    workload = sample_workload()
    stem, first, *others = workload.ops
    return replace(workload, ops=(stem, altered(first, a_class="integer"), *others))


@pytest.mark.parametrize("name", PRICED)
@pytest.mark.parametrize(
    ("need", "operation"),
    [
        ("real_input", "stem"),
        ("dynamic_product", r"blocks\.0\.attention\.product1"),
        ("integer_spike", r"blocks\.0\.mlp\.fc1"),
    ],
)
def test_what_is_unsupported_makes_the_total_unknown(name, need, operation):
    cost = saying(name, **{need: "unsupported"}).price(with_integers())
    assert cost.energy_uj is None
    assert cost.latency_us is None
    assert cost.unpriced[0].action == f"{operation}: {need}".replace("\\", "")


@pytest.mark.parametrize("name", PRICED)
def test_bundled_machines_price_everything(name):
    cost = load_machine(name).price(with_integers())
    assert cost.unpriced == ()
    assert cost.energy_uj > 0


@refusals(
    (("loihi1", {"real_input": "native"}), "real_input is 'native'*'event_driven' cannot do"),
    (("systolic_14x12", {"weight_sparsity": "skip"}), "weight_sparsity is 'skip'*'systolic'"),
    (("ops45_fp32", {"neuron": "host"}), "neuron is 'host'*'op_energy'"),
    (("loihi1", {"real_times_spike": "mac"}), "real_times_spike is 'mac'*'event_driven'"),
    (("systolic_14x12", {"real_times_spike": "ac"}), "0 rules of emulation*(real_times_spike)"),
)
def test_a_file_cannot_claim_what_the_formulas_do_not_do(given, words):
    name, claim = given
    assert_refused(words, saying, name, **claim)


def test_a_rule_of_emulation_belongs_to_an_emulated_capability():
    machine = load_machine("loihi1").machine
    with pytest.raises(InputError, match=r"1 rules of emulation \(dynamic_product\); expected"):
        replace(machine, emulation={"dynamic_product": "a rule"})


def test_only_the_rules_that_were_needed_are_reported():
    loihi = load_machine("loihi1")
    binary, integer = sample_workload(), with_integers()
    assert [rule.split(":")[0] for rule in loihi.price(binary).emulated] == ["attention products"]
    assert len(loihi.price(integer).emulated) == 2
    layers = replace(binary, ops=tuple(o for o in binary.ops if o.kind != "attention_product"))
    assert loihi.price(layers).emulated == ()


def test_neurons_that_a_host_updates_are_not_charged():
    class Updates(CostModel):
        PRICES: ClassVar = {"mac": "pJ", "ac": "pJ"}
        CHOICES: ClassVar = {"attention_order": ("published",), "attention_count": ("events",)}

        def actions(self, ops):
            yield Action("mac", ops.updates_active + ops.updates_inactive + ops.output_spikes)
            yield Action("ac", ops.neurons * 1.0)

    charged = Updates(load_machine("ops45_fp32").machine)
    assert charged.price(sample_workload()).energy_pj > 0
    words = charged.machine.capabilities.model_copy(update={"neuron": "host"})
    left = Updates(replace(charged.machine, capabilities=words))
    cost = left.price(sample_workload())
    assert cost.terms == ()
    updates = sum(
        op.neurons.count * op.sizes.time_steps for op in sample_workload().select("published")
    )
    assert [host.name for host in cost.host] == [f"{updates} neuron updates"]


def test_a_machine_of_operations_may_ignore_zero_weights():
    """weight_sparsity "none": every event at its dense fan-out, as papers do that do not prune."""
    skips, counts = load_machine("ops45_fp32"), saying("ops45_fp32", weight_sparsity="none")
    dense, sparse = sample_workload(), sample_workload(zeros=0.5)
    assert counts.price(sparse) == counts.price(dense)
    assert counts.price(dense).energy_uj == skips.price(dense).energy_uj
    assert skips.price(sparse).energy_uj < skips.price(dense).energy_uj


def of_real_times_spikes(word: str) -> tuple[Op, Cost]:
    """The sample's product of real numbers with spikes, and its cost on a machine that says so."""
    workload = with_spike_logic(sample_workload())
    op = next(op for op in workload.ops if op.b.kind == "real")
    rule = {"real_times_spike": "a rule"} if word == "ac" else {}
    model = saying("ops45_fp32", real_times_spike=word, emulation=rule)
    return op, model.price(replace(workload, ops=(op,)))


@pytest.mark.parametrize(("word", "price"), [("ac", 0.9), ("mac", 4.6)])
def test_spikes_select_rows_of_real_numbers_at_the_price_that_the_machine_says(word, price):
    op, cost = of_real_times_spikes(word)
    rows = op.a.events * op.sizes.n
    assert op.work.fanout_sops == rows > 0
    assert [(term.price, term.count) for term in cost.terms] == [(word, rows / 2)]
    assert cost.energy_pj == pytest.approx(rows / 2 * price)
    assert cost.emulated == (("a rule",) if word == "ac" else ())
    assert cost.host == ()


def test_or_a_host_does_it_and_is_named():
    op, cost = of_real_times_spikes("host")
    assert cost.energy_pj == 0
    (host,) = cost.host
    assert host.name.startswith(f"{op.name}: product of real numbers with spikes")


@pytest.mark.parametrize(
    ("real", "product", "word"),
    [("native", "native", "mac"), ("host", "native", "host"), ("native", "host", "host")],
)
def test_what_a_file_does_not_say_of_real_numbers_times_spikes(real, product, word):
    others = load_machine("ops45_fp32").machine.capabilities.model_dump()
    others |= {"real_input": real, "dynamic_product": product, "real_times_spike": None}
    assert Capabilities(**others).real_times_spike == word


def test_what_is_left_to_a_host_cannot_be_accumulated():
    words = load_machine("mem45").machine.capabilities.model_dump()
    with pytest.raises(ValueError, match="real_times_spike is 'ac' with dynamic_product 'host'"):
        Capabilities(**words | {"real_times_spike": "ac"})
