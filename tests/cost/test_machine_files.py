"""A machine's file says what is wrong with it: where, what was given, what was expected."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace

import pytest

from autoprune.config import bundled_names, find_file
from autoprune.cost.load import load_machine
from autoprune.cost.machine import Machine, read_machine
from autoprune.errors import InputError
from tests.refusals import assert_refused, refusals

NUMBER = 'unit = "pJ", evidence = "assumed", scope = "per_term", source = "somewhere"'
GOOD = f"""
title = "a chip"
family = "op_energy"
weight_bits = 8
[prices]
mac = {{ value = 2, {NUMBER} }}
ac = {{ value = 0.5, {NUMBER} }}
[choices]
attention_order = "published"
attention_count = "events"
[capabilities]
spike_sparsity = "skip"
weight_sparsity = "skip"
real_input = "native"
dynamic_product = "native"
integer_spike = "native"
neuron = "native"
"""


@pytest.mark.parametrize("name", bundled_names("cost_models"))
def test_a_machine_without_a_file_is_that_of_its_file(name):
    """Every number, rule and source of it survives as tables, and as the text of a file."""
    machine = read_machine(find_file("cost_models", name))
    again = Machine.of(name, **tomllib.loads(machine.to_toml()))
    assert replace(again, where=machine.where) == machine


def load(tmp_path, text: str | bytes):
    file = tmp_path / "chip.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_machine(str(file))


def test_a_machine_in_a_file_of_its_own(tmp_path):
    model = load(tmp_path, GOOD)
    assert (model.machine.name, model.value("mac"), model.machine.weight_bits) == ("chip", 2, 8)


@refusals(
    ((', source = "somewhere" }\nac', " }\nac"), "prices.mac: *no source"),
    (('2, unit = "pJ"', '2, unit = "pJoule"'), "unknown unit 'pJoule'*mean 'pJ'"),
    (("value = 2,", "value = -2,"), "prices.mac: *-2"),
    (("value = 2,", "value = nan,"), "prices.mac*nan"),
    (("value = 2,", "value = inf,"), "prices.mac*inf"),
    (("value = 2,", 'value = "2",'), "prices.mac.value*given '2'"),
    (("value = 2,", "value = true,"), "prices.mac.value*given True"),
    (('"assumed", scope', '"guessed", scope'), "unknown 'guessed'"),
    (('scope = "per_term", ', ""), "prices.mac: no scope"),
    (("mac = ", "mca = "), "no price 'mca'*mean 'mac'"),
    (('family = "op_energy"', 'family = "op_enrgy"'), "unknown family*mean 'op_energy'"),
    (('"op_energy"', '"no.such:Thing"'), "cannot be imported"),
    (('"op_energy"', '"pathlib:Path"'), "no cost model; expected a subclass of CostModel"),
    (('attention_order = "published"', ""), "choices.attention_order is None"),
    (('"published"', '"publishd"'), "mean 'published'"),
    (('weight_sparsity = "skip"', 'weight_sparsity = "skpi"'), "weight_sparsity*mean 'skip'"),
    (("weight_bits", "weightbits"), "unknown key 'weightbits'*mean 'weight_bits'"),
    (("title =", "title = 1\ntitle ="), "Cannot overwrite"),
    (('neuron = "native"', 'neuron = "emulated"'), "0 rules of emulation"),
    (
        (
            "[choices]",
            '[parameters]\nrows = { value = 1, unit = "count", evidence = "assumed", '
            'source = "x" }\n[choices]',
        ),
        "no parameter 'rows'",
    ),
    (
        ("[choices]", '[neurons]\ndecay = { finest = "chanel" }\n[choices]'),
        "neurons.decay.finest: given 'chanel'*mean 'channel'",
    ),
    (
        (
            "[choices]",
            '[neurons.decay]\nfinest = "layer"\nevidence = "assumed"\nsource = " "\n[choices]',
        ),
        "neurons.decay.source: given ' '",
    ),
    (("[choices]", "[neurons]\ndecays = 1\n[choices]"), "unknown key 'decays'*mean 'decay'"),
)
def test_what_is_wrong_is_named(tmp_path, given, words):
    old, new = given
    assert old in GOOD
    assert_refused(f"chip.toml*{words}", load, tmp_path, GOOD.replace(old, new, 1))


def test_a_missing_price(tmp_path):
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith("ac"))
    with pytest.raises(InputError, match="price 'ac' is missing; expected price in pJ"):
        load(tmp_path, text)


def test_all_in_prices_do_not_meet_prices_per_term(tmp_path):
    mixed = GOOD.replace("per_term", "all_in", 1)
    with pytest.raises(InputError, match="all-in prices beside prices per term"):
        load(tmp_path, mixed)


@refusals(
    (("systolic_14x12", "rows = { value = 14", "rows = { value = -14"), "rows*finite number >="),
    (("systolic_14x12", "rows = { value = 14", "rows = { value = 1.5"), "rows*a whole count"),
    (("systolic_14x12", 'dataflow = "ws"', 'dataflow = "rs"'), "dataflow is 'rs'"),
    (("sata", 'weight_sparsity = "gate"', 'weight_sparsity = "skip"'), "weight_sparsity is 'skip'"),
    (("sata", 'spike_sparsity = "gate"', 'spike_sparsity = "gates"'), "did you mean 'gate'"),
    (("loas", '["bitmap", "dense"]', '["bitmaps"]'), "did you mean 'bitmap'"),
    (("loas", '["bitmap", "dense"]', "[]"), "weight_formats"),
    (("spikesim_rram", "overlap = ", "overlapp = "), "did you mean 'overlap'"),
    (("prosperity_mint", 'cycle_rule = "mint"', 'cycle_rule = "ptb"'), "cycle_rule is 'ptb'"),
    (("mem45", "access_bits = 32", "access_bits = 0"), "access_bits"),
    (("truenorth", "26, least = 2.5", "[2.5, 26]"), "operation.value: *of a range its upper end"),
    (("truenorth", "26, least = 2.5", '"2.5 to 26"'), "operation.value: *of a range its upper end"),
    (("truenorth", "value = 26, least", "least"), "operation.value: missing"),
    (
        ("loihi1", "state = { bits = 24", "state = { bits = 12"),
        "arithmetic: a state of 12 bits; expected at least 24, for a threshold of 17",
    ),
)
def test_what_is_wrong_with_any_family_is_named(root, tmp_path, given, words):
    name, old, new = given
    text = (root / "cost_models" / f"{name}.toml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert_refused(f"mine.toml: *{words}", load_machine, str(file))


def test_bytes_that_are_not_utf8(tmp_path):
    with pytest.raises(InputError, match="not UTF-8"):
        load(tmp_path, GOOD.encode() + b"# \xff\xfe")


def test_names_and_paths():
    with pytest.raises(InputError, match="unknown machine 'lohi1'.*mean 'loihi1'"):
        load_machine("lohi1")
    with pytest.raises(InputError, match=r"no/such\.toml: no such file"):
        load_machine("no/such.toml")


def test_a_machine_whose_name_is_no_text_is_refused(tmp_path):
    """A table of its energies would not hold it."""
    file = tmp_path / os.fsdecode(b"\xff.toml")
    file.write_bytes(find_file("cost_models", "loihi1").read_bytes())
    with pytest.raises(InputError, match="a name that is not UTF-8"):
        load_machine(str(file))
