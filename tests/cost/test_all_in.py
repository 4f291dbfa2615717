"""all_in: a published price per synaptic operation, and ranges of which both ends are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.config import bundled_names
from autoprune.cost.load import load_machine
from autoprune.cost.price import Price
from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.workload.workload import Workload
from tests.operations import altered

CHIPS = [
    model
    for model in map(load_machine, bundled_names("cost_models"))
    if model.machine.family == "all_in"
]
TRUENORTH = load_machine("truenorth")


def test_the_power_of_truenorth(oracle):
    """Merolla et al., Science 345, 2014: 72 mW where each of 4096 x 256 neurons fires 20 times a
    second into 128 active synapses. A second of that at 26 pJ an operation; within 4 %.
    """
    neurons = 4096 * 256
    events, sops = 20 * neurons, 20 * 128 * neurons
    op = altered(
        sample_workload(steps=1, samples=1).ops[1],
        m=1,
        k=neurons,
        n=256,
        neurons=neurons,
        a_size=events,
        a_nonzeros=events,
        nonzeros_per_step=(events,),
        a_events=events,
        events_per_step=(events,),
        fanout_sops=sops,
        effective_sops=sops,
        effective_sops_per_step=(sops,),
    )
    second = Workload(network="n", samples=1, time_steps=1, ops=(op,))
    milliwatt = TRUENORTH.price(second).energy_uj * 1e-3
    went_in = "shapes, densities, prices"
    oracle("all_in", "TrueNorth, power", milliwatt, 72, went_in=went_in, unit="mW", rel=0.04)


def test_the_prices_are_those_of_the_table():
    """Tang et al., SENECA, Front. Neurosci. 17, 2023, Table 3; of TrueNorth its lower end."""
    found = {
        c.machine.name: c.machine.prices[0].least or c.value("synaptic_operation") for c in CHIPS
    }
    assert found == {
        "odin": 12.7,
        "reckon": 5.3,
        "ubrain": 26,
        "truenorth": 2.5,
        "tianjic": 1.54,
        "neuronflow": 20,
        "spinnaker2": 10,
        "seneca": 2.8,
    }


def test_every_operation_is_charged_once_and_the_stem_is_a_hosts():
    workload = sample_workload(zeros=0.5)
    odin = load_machine("odin")
    cost = odin.price(workload)
    ops = [op for op in workload.select("executed") if op.a.kind != "real"]
    expected = sum(op.work.effective_sops for op in ops) / workload.samples * 12.7
    assert cost.energy_pj == pytest.approx(expected)
    assert [host.name.split(":")[0] for host in cost.host] == ["stem", "head"]
    assert cost.latency_us is None


def test_a_price_of_one_term_is_refused():
    (price,) = TRUENORTH.machine.prices
    machine = replace(TRUENORTH.machine, prices=(replace(price, scope="per_term"),))
    with pytest.raises(InputError, match="synaptic_operation: scope 'per_term'; expected 'all_in'"):
        type(TRUENORTH)(machine)


@pytest.mark.parametrize("least", [0, -1, 26, 27, float("nan")])
def test_a_range_has_two_ends(least):
    """The value is the upper one; a range given as one number is no range."""
    (price,) = TRUENORTH.machine.prices
    with pytest.raises(InputError, match=f"a range from {least:g} to 26; expected two ends"):
        replace(price, least=least)


def test_a_parameter_has_no_range(root, tmp_path):
    text = (root / "cost_models" / "sata.toml").read_text(encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace("rows = { value = 16", "rows = { value = 16, least = 8"))
    with pytest.raises(InputError, match=r"parameters\.rows: scope, access_bits or least"):
        load_machine(str(file))


def test_both_ends_are_shown_and_the_upper_is_charged():
    (price,) = TRUENORTH.machine.prices
    assert isinstance(price, Price)
    assert (price.range, TRUENORTH.value("synaptic_operation")) == ("2.5 to 26", 26)
    assert "2.5 to 26 pJ" in TRUENORTH.machine.title
