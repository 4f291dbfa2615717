"""What a host does for a machine: outside the energy, or in it at the machine's prices."""

from __future__ import annotations

import json
import shutil

import pytest

from autoprune.api import open_run
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.report.front.pick import Limits, pick
from autoprune.study.check import load_checked
from tests.refusals import assert_refused, refusals

NUMBER = 'unit = "pJ", evidence = "assumed", scope = "per_term", source = "x"'
MACS = {"stem": 4 * 8 * 9 * 32, "head": 32 * 10}
"""Work of the sample on a machine that leaves real numbers to its host."""


def with_host(root, tmp_path, name, *lines, asked=True):
    """A machine with such a table [host]."""
    text = (root / "cost_models" / f"{name}.toml").read_text(encoding="utf-8")
    text = text.replace("[capabilities]", "\n".join(["[host]", *lines, "[capabilities]"]), 1)
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    return load_machine(str(tmp_path / "m.toml"), price_host=asked)


def test_a_host_that_is_asked_for_is_a_cause_of_its_own():
    """Stem and head read real numbers: 900 pJ a MAC."""
    work = sample_workload()
    outside, inside = (load_machine("loihi1", price_host=asked) for asked in (False, True))
    without, found = outside.price(work), inside.price(work)
    host = {name: 900.0 * macs for name, macs in MACS.items()}
    terms = {term.op: term.energy_pj for term in found.terms if term.cause == "host"}
    assert terms == host and "host" not in without.by_cause()
    assert found.energy_pj == pytest.approx(without.energy_pj + sum(host.values()), rel=1e-12)
    assert [h.energy_pj for h in without.host] == [h.energy_pj for h in found.host]
    assert [h.energy_pj for h in found.host] == list(host.values())
    assert {h.counted for h in found.host} == {True} != {h.counted for h in without.host}
    many = inside.price_all(Ops.of([sample_workload(steps=2), work]))
    assert many.cost(1) == found and many.energy_uj[1] == found.energy_uj
    assert outside.fingerprint != inside.fingerprint


def test_the_price_is_that_of_the_fewest_bits_that_hold_both_operands(root, tmp_path):
    """Spikes times spikes take 1 bit, times integers of 4 bits 8; pixels and means take 32."""
    lines = (f"mac_{bits} = {{ value = {bits}, {NUMBER} }}" for bits in (32, 1, 8))
    cost = with_host(root, tmp_path, "sata", *lines).price(sample_workload())
    prices = {t.op: (t.price, t.energy_pj / t.count) for t in cost.terms if t.cause == "host"}
    assert prices == {
        "stem": ("host.mac_32", 32),
        "head": ("host.mac_32", 32),
        "blocks.0.attention.product1": ("host.mac_1", 1),
        "blocks.0.attention.product2": ("host.mac_8", 8),
    }


def test_macs_of_more_bits_than_any_price_are_named(root, tmp_path):
    model = with_host(root, tmp_path, "spikesim_rram", f"mac_2 = {{ value = 2, {NUMBER} }}")
    cost = model.price(sample_workload())
    assert cost.energy_uj is None
    (item,) = cost.unpriced
    assert item.action == "blocks.0.attention.product2: host MACs of 4 bits"
    assert model.machine.price_host and "host.mac_2" in {t.price for t in cost.terms}


@refusals(
    (
        (),
        "no price, though real_input, dynamic_product, real_times_spike are left to a host*mac_32",
    ),
    ((f"mac_8 = {{ value = 1, {NUMBER} }}",), "MACs of at most 8 bits, though real_input*mac_32"),
    ((f"mac = {{ value = 1, {NUMBER} }}",), "host.mac: unknown key; expected mac_BITS"),
    ((f"mac_0 = {{ value = 1, {NUMBER} }}",), "host.mac_0: unknown key"),
    (
        (f"mac_32 = {{ value = 1, {NUMBER} }}".replace("pJ", "ns"),),
        "host.mac_32: no price of a MAC",
    ),
    ((f"mac_32 = {{ value = 1, {NUMBER} }}".replace('"x"', '""'),), "host.mac_32: *no source"),
)
def test_a_host_without_a_price_that_a_study_asks_for_is_refused(root, tmp_path, given, words):
    assert_refused(f"m.toml*{words}", with_host, root, tmp_path, "sata", *given)


def test_a_study_that_asks_names_the_machine_without_a_price(short_study):
    study = short_study(("systolic_14x12", "loas"), before="price_host = true")
    assert_refused("loas.toml: [host]: no price*price_host*mac_32", load_checked, str(study))


def test_a_run_of_such_a_study_prices_every_machine_with_its_host(short_run, tmp_path):
    """Also one that it never saw; the share on the host then sets no network apart."""
    run = tmp_path / "run"
    shutil.copytree(short_run, run)
    before = open_run(run).machine_front("loihi1")
    record = json.loads((run / "study.json").read_text(encoding="utf-8"))
    record["identity"]["price_host"] = True
    (run / "study.json").write_text(json.dumps(record), encoding="utf-8")
    after = open_run(run).machine_front("loihi1")
    taken = sum(work.energy_pj for work in before.host) * 1e-6
    assert after.parent_energy_uj == pytest.approx(before.parent_energy_uj + taken) and taken > 0
    assert "in the energy" in pick(after, Limits(min_accuracy=0.0)).remarks[0]
    assert "outside the energy" in pick(before, Limits(min_accuracy=0.0)).remarks[0]
    assert after.hosted == ()
    assert_refused("sata.toml: [host]: no price", open_run(run).machine_front, "sata")
