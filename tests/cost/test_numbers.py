"""Prices and parameters that no machine can have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.price import Price, Quantity
from autoprune.errors import InputError


def quantity(value: float, unit: str, evidence: str = "specified") -> Quantity:
    return Quantity(name="rows", value=value, unit=unit, evidence=evidence, source="a datasheet")


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        (0, "count", "value is 0; expected more than 0"),
        (14.5, "count", "value is 14.5; expected a whole count"),
        (7.5, "bit", "value is 7.5; expected a whole bit"),
        (float("nan"), "MHz", "value is nan; expected a finite number"),
        (8, "bits", "unknown unit 'bits'.*did you mean 'bit'"),
    ],
)
def test_impossible_parameters(value, unit, message):
    with pytest.raises(InputError, match=f"parameter 'rows': {message}"):
        quantity(value, unit)


def test_a_clock_may_be_fractional_and_evidence_is_one_of_its_words():
    assert quantity(2.5, "MHz").value == 2.5
    with pytest.raises(InputError, match=r"unknown 'specifed'.*did you mean 'specified'"):
        quantity(1, "count", "specifed")


def test_a_price_is_not_specified():
    with pytest.raises(InputError, match="price 'mac': unknown 'specified'"):
        Price(name="mac", value=1, unit="pJ", evidence="specified", scope="per_term", source="x")


def changed(name: str, price: str, **fields) -> CostModel:
    """A bundled machine with one other price."""
    model = load_machine(name)
    prices = tuple(replace(p, **fields) if p.name == price else p for p in model.machine.prices)
    return type(model)(replace(model.machine, prices=prices))


def test_a_memory_price_says_how_many_bits_an_access_moves():
    with pytest.raises(InputError, match="prices.sram_read: per access, without access_bits"):
        changed("systolic_14x12", "sram_read", access_bits=None)
    with pytest.raises(InputError, match="prices.mac: access_bits 8; expected none"):
        changed("systolic_14x12", "mac", access_bits=8)


def test_a_time_is_no_energy():
    with pytest.raises(InputError, match="price 'mac' is in ns; expected pJ"):
        changed("systolic_14x12", "mac", unit="ns")
