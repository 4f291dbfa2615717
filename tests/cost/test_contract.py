"""The contract catches each kind of wrong machine, by the rule that it breaks, and says how."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from autoprune.cost.action import Action
from autoprune.cost.contract import check_contract, verdicts
from autoprune.cost.cost import Cost, UnknownCost
from autoprune.cost.families.op_energy import OpEnergy
from autoprune.cost.families.systolic import Systolic
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from tests.refusals import assert_refused, refusals

Rule = Callable[[Ops], np.ndarray]
TRAVELS = "it travels to a worker, and costs the same there"


def machine(right: type[CostModel], name: str, rule: Rule, figure: Rule | None = None) -> CostModel:
    """A bundled machine whose every action counts `rule(ops)` times as often."""

    class Spoilt(CostModel):
        PRICES = right.PRICES
        PARAMETERS = right.PARAMETERS
        CHOICES = right.CHOICES
        PER_ACCESS = right.PER_ACCESS
        LEFT_TO_HOST = right.LEFT_TO_HOST
        NOT_ADDITIVE = right.NOT_ADDITIVE

        def actions(self, ops):
            for action in right(self.machine).actions(ops):
                yield replace(action, count=action.count * rule(ops))

        def figures(self, ops):
            given = right(self.machine).figures(ops)
            return given if figure is None else {"latency_us": figure(ops)}

    return Spoilt(load_machine(name).machine)


def holding(state: Rule) -> CostModel:
    """A bundled machine whose membranes take other bits."""

    class Forgetful(CostModel):
        PRICES = OpEnergy.PRICES
        CHOICES = OpEnergy.CHOICES

        def actions(self, ops):
            return OpEnergy(self.machine).actions(ops)

        def state(self, ops):
            return state(ops)

    return Forgetful(load_machine("ops45_fp32").machine)


def broken(model: CostModel) -> dict[str, str]:
    """Rules that a machine breaks; that a class of a function here cannot travel is no news."""
    found = {v.rule: v.counterexample for v in verdicts(model) if v.counterexample}
    assert "cannot be imported in another process" in found.pop(
        TRAVELS, "cannot be imported in another process"
    )
    return found


def steps(ops: Ops) -> np.ndarray:
    return ops.steps[ops.workload]


def width(ops: Ops) -> np.ndarray:
    return ops.most(np.where(ops.name == "blocks.0.mlp.fc1", ops.n, 0))[ops.workload]


def zeros(ops: Ops) -> np.ndarray:
    return ops.total(np.where(ops.static, ops.b_size - ops.b_nonzeros, 0.0))[ops.workload]


def spikes(ops: Ops) -> np.ndarray:
    return ops.total(np.where(ops.static, ops.a_events, 0.0))[ops.workload]


def kept_bits(ops: Ops) -> np.ndarray:
    return 1 / ops.most(np.where(ops.static, ops.b_bits, 0))[ops.workload]


def kept_weights(ops: Ops) -> np.ndarray:
    return 1 / ops.total(np.where(ops.static, ops.b_nonzeros, 0.0))[ops.workload]


def least(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 1)


def by_workload(rule: Rule) -> Rule:
    """One value per workload of a rule that gives one per row."""
    return lambda ops: ops.most(rule(ops))


CALLS = iter(range(1, 1000))


@pytest.mark.parametrize(
    ("rule", "name", "counterexample"),
    [
        (lambda ops: next(CALLS), "the same workload costs the same", "pJ, then"),
        (lambda ops: ops.workloads, "alone and among others", "pJ beside two others"),
        (
            lambda ops: 1 / steps(ops) ** 2,
            "more time steps never",
            "energy at 1 time steps: .* 2: ",
        ),
        (
            lambda ops: 1 / np.maximum(width(ops), 1) ** 2,
            "more dimensions kept never",
            "energy at . dimensions kept: .* pJ, ",
        ),
        (lambda ops: 1 + zeros(ops), "zero weights save", "with half of the weights zero"),
        (
            lambda ops: 1 / np.maximum(spikes(ops), 1) ** 2,
            "fewer spikes save",
            "with half as many spikes",
        ),
        (lambda ops: ops._samples[ops.workload], "the mean over samples", "as many again"),
        (
            lambda ops: ops.name != "stem",
            "priced, left to the host",
            "stem is none.* 'linear' in LEFT_TO_HOST",
        ),
        (lambda ops: len(ops), "priced one by one add up", "one by one, .* together"),
        (lambda ops: 1 / (ops.kind == "masking"), "counts are finite", "mac of stem counts inf"),
        (lambda ops: -1.0, "counts are finite", "mac of stem counts -9216"),
        (lambda ops: math.nan, "counts are finite", "mac of stem counts nan"),
        (lambda ops: np.ones(3), "counts are finite", r"failed \(ValueError: operands"),
        (lambda ops: ops.softmax, "counts are finite", "asks for 'softmax', which no workload"),
        (
            lambda ops: np.multiply(ops.a_events, 2, out=ops.a_events),
            "counts are finite",
            "ValueError: output array is read-only",
        ),
    ],
)
def test_every_rule_catches_its_breach(rule, name, counterexample):
    found = broken(machine(OpEnergy, "ops45_fp32", rule))
    (text,) = (text for words, text in found.items() if name in words)
    import re

    assert re.search(counterexample, text), text


def test_a_larger_network_never_holds_less():
    found = broken(holding(lambda ops: 8192 / steps(ops)))
    (rule,) = found
    assert rule.startswith("more time steps never cost or hold less")
    assert found[rule].startswith("memory at 1 time steps: ")


@refusals(
    (lambda ops: 1 / (ops.neurons - ops.neurons), "membranes take inf bits; expected bits >= 0"),
    (lambda ops: -1.0 * ops.neurons, "membranes take -*bits; expected bits >= 0"),
    (lambda ops: ops.softmax, "asks for 'softmax', which no workload carries"),
)
def test_what_holds_no_bits_is_refused(given, words):
    assert_refused(words, holding(given).price, sample_workload(), by=UnknownCost)


def test_a_right_machine_keeps_all_rules():
    """What `machine` adds breaks nothing by itself."""
    assert broken(machine(OpEnergy, "ops45_fp32", lambda ops: 1.0)) == {}
    assert broken(machine(Systolic, "systolic_14x12", lambda ops: 1.0)) == {}


def test_all_breaches_are_told_at_once():
    def rule(ops: Ops) -> np.ndarray:
        return ops._samples[ops.workload] / least(width(ops)) ** 2

    with pytest.raises(
        InputError, match=r"ops45_fp32\.toml: breaks .*dimensions kept.*the mean over"
    ):
        check_contract(machine(OpEnergy, "ops45_fp32", rule))


@pytest.mark.parametrize(
    ("rule", "figure", "name", "counterexample"),
    [
        (lambda ops: 1 / (1 + zeros(ops)), None, "zero weights save", "sparsity is none: "),
        (spikes, None, "fewer spikes save", "sparsity is none: "),
        (lambda ops: 1.0, by_workload(zeros), "zero weights save", "none: latency and cycles"),
        (lambda ops: 1.0, by_workload(spikes), "fewer spikes save", "none: latency and cycles"),
        (
            lambda ops: 1.0,
            lambda ops: 1 / ops.steps,
            "more time steps never",
            "latency at 1 time st",
        ),
        (kept_bits, None, "more bits of a weight never", "energy at 1 bits of a weight: "),
        (kept_weights, None, "more % of the weights kept never", "energy at "),
        (lambda ops: 1.0, by_workload(kept_bits), "more bits of", "latency at 1 bits of a"),
        (lambda ops: 1.0, by_workload(kept_weights), "more % of the", "latency at 1 % of the"),
    ],
)
def test_a_machine_that_skips_nothing_gains_nothing(rule, figure, name, counterexample):
    found = broken(machine(Systolic, "systolic_14x12", rule, figure))
    (text,) = (text for words, text in found.items() if name in words)
    assert counterexample in text


def test_nothing_costs_nothing():
    class PerLayer(CostModel):
        PRICES = OpEnergy.PRICES
        CHOICES = OpEnergy.CHOICES

        def actions(self, ops):
            yield Action("mac", np.ones(len(ops)))

    found = broken(PerLayer(load_machine("ops45_fp32").machine))
    assert "a layer without a dimension left costs 4.6 pJ" in found["nothing costs nothing"]


def test_a_machine_that_says_it_skips_has_to():
    class Dense(CostModel):
        PRICES = OpEnergy.PRICES
        CHOICES = OpEnergy.CHOICES

        def actions(self, ops):
            yield Action("mac", ops.dense_macs)

    found = broken(Dense(load_machine("ops45_fp32").machine))
    assert "sparsity is skip: " in found[next(r for r in found if r.startswith("zero weights"))]


def test_a_class_that_no_other_process_can_import_does_not_travel():
    model = machine(OpEnergy, "ops45_fp32", lambda ops: 1.0)
    (found,) = (v for v in verdicts(model) if v.rule == TRAVELS)
    assert "test_contract.machine.<locals>.Spoilt cannot be imported" in found.counterexample


@refusals(
    ([("mac", 1.0)], "charges ('mac', 1.0); expected an Action"),
    ([Action("macs", np.ones(1))], "charges 'macs'; expected one of its PRICES"),
    ([Action("barrier_time", np.ones(1))], "charges 'barrier_time'*in pJ or mW"),
    ([Action("synaptic_operation", np.ones(3))], "not one count for each of 4 operations"),
    ([Action("synaptic_operation", "many")], "not one count for each"),
)
def test_what_cannot_be_charged_is_refused(given, words):
    loihi = load_machine("loihi1")

    class Wrong(CostModel):
        PRICES = type(loihi).PRICES
        PARAMETERS = type(loihi).PARAMETERS
        CHOICES = type(loihi).CHOICES

        def actions(self, ops):
            return given

    wrong = Wrong(loihi.machine)
    assert_refused(f"loihi1.toml: *{words}", wrong.price, sample_workload(), by=UnknownCost)


@refusals(
    ({"latency_ms": 1.0}, "latency_ms: no known figure; expected one of latency_us"),
    ({"latency_us": -1.0}, "latency_us is [-1.0]; expected finite"),
    ({"cycles": math.nan}, "cycles is [nan]"),
    ({"static_power_mw": 1.0}, "expected latency_us with it, and static_power in mW"),
    ({"static_power_mw": 1.0, "latency_us": 1.0}, "and static_power in mW among PRICES"),
)
def test_what_is_no_figure_is_refused(given, words):
    class Wrong(CostModel):
        PRICES = OpEnergy.PRICES
        CHOICES = OpEnergy.CHOICES

        def actions(self, ops):
            return ()

        def figures(self, ops):
            return given

    wrong = Wrong(load_machine("ops45_fp32").machine)
    assert_refused(words, wrong.price, sample_workload(), by=UnknownCost)


@pytest.mark.parametrize("energy_pj", [-1.0, math.nan, math.inf])
def test_a_cost_cannot_hold_an_impossible_energy(energy_pj):
    term = load_machine("ops45_fp32").price(sample_workload()).terms[0]
    with pytest.raises(InputError, match="MACs of real inputs of stem is"):
        Cost(machine="m", terms=(replace(term, energy_pj=energy_pj),))


def test_the_sample_is_consistent():
    """Counts of the sample double with its samples and with its steps."""
    once, twice, longer = (
        sample_workload(),
        sample_workload(samples=4),
        sample_workload(steps=8),
    )
    for count in ("dense_macs", "effective_sops", "fanout_sops", "updates_active", "a_events"):
        assert twice.total(count) == 2 * once.total(count)
    assert longer.total("effective_sops") == 2 * once.total("effective_sops")
    assert sample_workload(zeros=0.5).total("effective_sops") < once.total("effective_sops")
