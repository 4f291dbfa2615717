"""The contract catches each kind of wrong machine, by the name of the rule that it breaks."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from autoprune.cost.contract import check_contract, sample_workload
from autoprune.cost.cost import Cost
from autoprune.cost.families.op_energy import OpEnergy
from autoprune.cost.families.systolic import Systolic
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.errors import InputError


def broken(right: type[CostModel], machine: str, spoil) -> CostModel:
    """The model of a bundled machine, whose cost `spoil(cost, workload)` then falsifies."""

    class Spoilt(CostModel):
        PRICES = right.PRICES
        PARAMETERS = right.PARAMETERS
        CHOICES = right.CHOICES
        PER_ACCESS = right.PER_ACCESS

        def price(self, workload) -> Cost:
            return spoil(right(self.machine).price(workload), workload)

    return Spoilt(load_machine(machine).machine)


def scaled(cost: Cost, factor: float) -> Cost:
    """The same cost with every count and energy times `factor`."""
    return replace(
        cost,
        terms=tuple(
            replace(t, count=t.count * factor, energy_pj=t.energy_pj * factor) for t in cost.terms
        ),
    )


def width(workload) -> int:
    return next(op.n for op in workload.ops if op.name.endswith("fc1"))


def zeros(workload) -> int:
    return sum(op.b_size - op.b_nonzeros for op in workload.ops if op.b_class == "weight")


def silence(workload) -> float:
    first = workload.ops[1]
    return first.a_size / first.a_nonzeros


def meddle(cost: Cost, workload) -> Cost:
    object.__setattr__(workload, "network", "priced")
    return cost


CALLS = iter(range(1, 100))


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda c, w: scaled(c, next(CALLS)), "the same workload costs the same"),
        (meddle, "pricing leaves the workload as it was"),
        (lambda c, w: scaled(c, 1 / w.time_steps**2), "more time steps never cost less"),
        (lambda c, w: replace(c, latency_us=1 / w.time_steps), "more time steps are never faster"),
        (lambda c, w: scaled(c, 1 / width(w) ** 2), "smaller matrices never cost more"),
        (lambda c, w: scaled(c, 1 + zeros(w)), "zero weights never cost more"),
        (lambda c, w: scaled(c, silence(w) ** 2), "fewer spikes never cost more"),
        (lambda c, w: scaled(c, w.samples), "the mean over samples"),
        (lambda c, w: replace(c, machine="another"), "the machine's name"),
        (lambda c, w: replace(c, terms=c.terms[1:]), "by name; 'stem' is not"),
        (
            lambda c, w: replace(c, terms=tuple(replace(t, price="ac") for t in c.terms)),
            "a term is its count at its price",
        ),
        (
            lambda c, w: replace(c, terms=(replace(c.terms[0], op="softmax"), *c.terms)),
            "not 'softmax'",
        ),
        (
            lambda c, w: replace(c, terms=(replace(c.terms[0], price="magic"), *c.terms)),
            "not 'magic'",
        ),
    ],
)
def test_every_rule_catches_its_breach(spoil, rule):
    with pytest.raises(InputError, match=rf"ops45_fp32\.toml: breaks the contract.*{rule}"):
        check_contract(broken(OpEnergy, "ops45_fp32", spoil))


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda c, w: scaled(c, 1 / (1 + zeros(w))), "zero weights change nothing"),
        (lambda c, w: replace(c, cycles=zeros(w)), "zero weights change no time"),
        (lambda c, w: scaled(c, w.total("a_events")), "fewer spikes change nothing"),
        (lambda c, w: replace(c, cycles=w.total("a_events") / w.time_steps), "fewer spikes change"),
    ],
)
def test_a_machine_that_skips_nothing_gains_nothing(spoil, rule):
    with pytest.raises(InputError, match=f"breaks the contract.*{rule}"):
        check_contract(broken(Systolic, "systolic_14x12", spoil))


def test_a_machine_that_says_it_skips_has_to():
    fields = ("op", "price", "cause")

    def dense(cost: Cost, workload) -> Cost:
        full = load_machine("ops45_fp32").price(sample_workload(steps=workload.time_steps))
        counts = {tuple(getattr(t, f) for f in fields): t for t in full.terms}
        if width(workload) != 16:
            return cost
        return replace(
            cost, terms=tuple(counts[tuple(getattr(t, f) for f in fields)] for t in cost.terms)
        )

    with pytest.raises(InputError, match="zero weights save energy, as the machine says"):
        check_contract(broken(OpEnergy, "ops45_fp32", dense))


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
