"""A family of a user's own, named as module:Class."""

from __future__ import annotations

import pytest

from autoprune.cost.contract import check_contract
from autoprune.cost.load import load_machine
from tests.refusals import assert_refused, refusals

MODULE = '''
from autoprune.cost.action import Action
from autoprune.cost.model import CostModel


class Flat(CostModel):
    """Every dense MAC at one price."""

    PRICES = {"mac": "pJ"}
    LEFT_TO_HOST = ("masking", "sum")

    def actions(self, ops):
        yield Action("mac", ops.dense_macs)


class Empty(CostModel):
    PRICES = {"mac": "pJ"}


class Priceless(CostModel):
    def actions(self, ops):
        return ()


FLAT = Flat
NUMBER = 3
'''

FILE = """
title = "flat"
family = "{family}"
weight_bits = 8
[prices]
mac = {{ value = 2, unit = "pJ", evidence = "measured", scope = "all_in", source = "my setup" }}
[capabilities]
spike_sparsity = "none"
weight_sparsity = "none"
real_input = "native"
dynamic_product = "native"
integer_spike = "native"
neuron = "native"
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    (tmp_path / "my_lab_machines.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    def load(family: str):
        file = tmp_path / "flat.toml"
        file.write_text(FILE.format(family=family))
        return load_machine("flat.toml", base=tmp_path)

    return load


def test_a_class_of_ones_own_is_found_and_keeps_the_contract(load):
    model = load("my_lab_machines:Flat")
    check_contract(model)
    assert model.machine.name == "flat"


@refusals(
    ("my_lab_machine:Flat", "cannot be imported *No module named 'my_lab_machine'*PYTHONPATH"),
    ("my_lab_machines:Flatt", "cannot be imported *no attribute 'Flatt'"),
    ("my_lab_machines:NUMBER", "is of type int; expected something to call"),
    ("my_lab_machines:Empty", "is incomplete; expected PRICES and actions"),
    ("my_lab_machines:Priceless", "is incomplete; expected PRICES and actions"),
    ("my_lab_machines:", "given 'my_lab_machines:'; expected module:name"),
    (":Flat", "given ':Flat'; expected module:name"),
    (".machines:Flat", "given '.machines:Flat'; expected module:name"),
)
def test_what_is_wrong_with_a_family_is_named(load, given, words):
    assert_refused(f"flat.toml: *{words}", load, given)
