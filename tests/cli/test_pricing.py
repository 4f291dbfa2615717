"""`compare`, and `price` explained and moved: what a user reads about a cost."""

from __future__ import annotations

import json
import math
import re

import pytest

from autoprune.cost.load import load_machine
from autoprune.report.units import energy_words
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import TrialKey
from tests.refusals import assert_refused, refusals

FAILING = '''
from autoprune.cost.action import Action
from autoprune.cost.model import CostModel


class Picky(CostModel):
    """Prices networks of which no weight is zero."""

    PRICES = {"mac": "pJ"}
    LEFT_TO_HOST = ("masking", "sum")

    def actions(self, ops):
        if (ops.density < 1).any():
            raise RuntimeError("cannot place a zero")
        yield Action("mac", ops.dense_macs)
'''

PICKY = """
title = "picky"
family = "picky_machine:Picky"
weight_bits = 8
[prices]
mac = { value = 2, unit = "pJ", evidence = "measured", scope = "per_term", source = "a setup" }
[capabilities]
spike_sparsity = "none"
weight_sparsity = "none"
real_input = "native"
dynamic_product = "native"
integer_spike = "native"
neuron = "host"
"""


@pytest.fixture
def picky(tmp_path):
    """A machine that fails on whatever has a zero weight."""
    (tmp_path / "picky_machine.py").write_text(FAILING, encoding="utf-8")
    (tmp_path / "picky.toml").write_text(PICKY, encoding="utf-8")
    return tmp_path / "picky.toml"


def test_compare_the_machines_of_a_run(autoprune, run_folder):
    said = autoprune("compare", run_folder)
    assert said.code == 0
    assert "2 trials on 2 machines" in said.out
    assert "Front of loihi1: 1" in said.out
    assert "On all fronts: 1" in said.out
    assert re.search(r"loihi1, ops45_int8 +1\.00 +none", said.out)


def test_compare_for_machines_of_ones_own_as_json(autoprune, run_folder, tmp_path, root):
    text = (root / "cost_models" / "systolic_14x12.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    said = autoprune(
        "compare", run_folder, "--machine", "loihi1", "--machine", tmp_path / "mine.toml", "--json"
    )
    document = json.loads(said.out)
    assert list(document["fronts"]) == ["loihi1", "mine"]
    (pair,) = document["pairs"]
    assert pair["kendall_tau"] is None  # zero weights change nothing on a dense array: all equal
    workload = RunFolder(run_folder).read_workload(TrialKey(0), weight_bits=8)
    assert (
        document["trials"][0]["energy_uj@loihi1"]
        == load_machine("loihi1").price(workload).energy_uj
    )


@refusals(
    (["loihi1"], "--machine: given loihi1; expected two or more, each once"),
    (["loihi1", "loihi1"], "expected two or more, each once"),
    (["loihi1", "lohi1"], "unknown machine 'lohi1'"),
)
def test_compare_refuses(autoprune, run_folder, given, words):
    machines = [word for machine in given for word in ("--machine", machine)]
    assert_refused(words, autoprune, "compare", run_folder, *machines)


def test_a_machine_that_fails_leaves_the_others(autoprune, run_folder, picky):
    every = [w for m in ("loihi1", "ops45_int8", picky) for w in ("--machine", m)]
    said = autoprune("compare", run_folder, *every, "--import")
    assert said.code == 2
    assert "2 trials on 2 machines" in said.out
    assert re.search(r"picky.*RuntimeError: cannot place a zero", said.err)
    (run_folder / "machines" / "picky.toml").write_text(PICKY, encoding="utf-8")
    fronts = autoprune("front", run_folder, "--import")
    assert fronts.code == 2
    assert ("loihi1: front of 1" in fronts.out, "picky: front" in fronts.out) == (True, False)
    assert "cannot place a zero" in fronts.err
    (run_folder / "machines" / "picky.toml").unlink()
    alone = autoprune("front", run_folder, "--machine", picky, "--import")
    assert (alone.code, alone.out) == (2, "")
    assert "cannot place a zero" in alone.err


def test_explained_terms_are_the_total(autoprune, run_folder):
    said = autoprune("price", f"{run_folder}:0", "--machine", "loihi1", "--explain")
    assert said.code == 0
    found = re.findall(r"x 23\.6 pJ = (\S+) pJ \[", said.out)
    cost = load_machine("loihi1").price(
        RunFolder(run_folder).read_workload(TrialKey(0), weight_bits=8)
    )
    assert [float(text) for text in found] == [
        term.energy_pj for term in cost.terms if term.cause == "synaptic operations"
    ]
    assert f"{len(cost.terms)} terms add up to {cost.energy_pj!r} pJ" in said.out
    assert "] synaptic_operation: 23.6 pJ, simulated, per term; Davies" in said.out


def test_a_range_of_prices_has_two_totals(autoprune, run_folder):
    said = autoprune("price", f"{run_folder}:0", "--machine", "truenorth")
    energy = json.loads(
        autoprune("price", f"{run_folder}:0", "--machine", "truenorth", "--json").out
    )["energy_uj"]
    assert f"truenorth: {energy_words(energy, 4)} per inference" in said.out
    lower = energy_words(energy * 2.5 / 26, 4)
    lower += " at the lower end of synaptic_operation at 2.5 to 26 pJ"
    assert lower in " ".join(said.out.split())
    assert "2.5 to 26" in autoprune("show", "truenorth").out


def test_price_says_what_helps_to_read_an_energy(autoprune, run_folder):
    said = autoprune("price", f"{run_folder}:0", "--machine", "systolic_14x12")
    document = json.loads(
        autoprune("price", f"{run_folder}:0", "--machine", "systolic_14x12", "--json").out
    )
    edp = document["energy_uj"] * document["latency_us"] / 1000
    assert math.isclose(document["edp_uj_ms"], edp)
    assert f"energy-delay product {edp:.4g} µJ ms" in said.out
    assert f"synapse and inference {document['spikes_per_synapse']:.3g};" in said.out


def test_sensitivity_of_total_and_front(autoprune, run_folder, tmp_path):
    said = autoprune("price", f"{run_folder}:0", "--machine", "loihi1", "--sensitivity", "0.5")
    cost = load_machine("loihi1").price(
        RunFolder(run_folder).read_workload(TrialKey(0), weight_bits=8)
    )
    spent = sum(t.energy_pj for t in cost.terms if t.price == "update_active")
    share = 50 * spent / cost.energy_pj
    assert re.search(rf"update_active +0\.5 +\S+ +-{share:.1f} % +1 of 1 +0 +-", said.out)
    assert re.search(rf"update_active +1\.5 +\S+ +\+{share:.1f} %", said.out)
    file = tmp_path / "w.json"
    autoprune("workload", run_folder, "0", "--weight-bits", "8", "--out", file)
    alone = autoprune("price", file, "--machine", "loihi1", "--sensitivity", "0.5")
    assert re.search(rf"update_active +0\.5 +\S+ +-{share:.1f} % *\n", alone.out)
    assert "front keeps" not in alone.out


@refusals(
    (["--sensitivity", "0"], "0<x<=1"),
    (["--explain", "--json"], "one of --explain, --sensitivity and --json"),
)
def test_price_refuses(autoprune, run_folder, given, words):
    assert_refused(words, autoprune, "price", f"{run_folder}:0", "--machine", "loihi1", *given)
