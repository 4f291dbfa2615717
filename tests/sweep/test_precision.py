"""A real study that searches the bits of the weights, and measures at those of its machines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import torch
from optuna.study import StudyDirection

from autoprune.api import open_run
from autoprune.cost.load import load_machine
from autoprune.deploy.load import load
from autoprune.deploy.member import find_member
from autoprune.networks.adapter import Weighted
from autoprune.runs.folder import RunFolder
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import Prepared, prepare
from autoprune.sweep.progress import Nobody
from autoprune.trial.key import TrialKey
from autoprune.trial.trial import run_trial
from tests.refusals import assert_refused
from tests.short import change_space, write_short


@pytest.fixture(scope="module")
def place(tmp_path_factory, root) -> Path:
    """A folder with a space of 4, 6 and 8 bits, and machines of 6 and 16."""
    place = tmp_path_factory.mktemp("bits")
    bits = ("[model]", "[model]\nweight_bits = { values = [4, 6, 8] }")
    change_space(write_short(place), bits)  # all three are sampled
    machine = (root / "cost_models" / "ops45_int8.toml").read_text(encoding="utf-8")
    for bits in (6, 16):
        text = machine.replace("weight_bits = 8", f"weight_bits = {bits}")
        (place / f"int{bits}.toml").write_text(text, encoding="utf-8")
    return place


def study(place: Path, machines: list[str], trials: int) -> Prepared:
    file = write_short(
        place,
        ('["loihi1", "systolic_14x12", "ops45_fp32"]', json.dumps(machines)),
        ('["accuracy", "energy_uj', '["accuracy@loihi1", "weight_bits", "energy_uj'),
    )
    return prepare(str(file), trials=trials, workers=0)


@pytest.fixture(scope="module")
def finished(place) -> Path:
    """Twelve trials on machines of 8 and 6 bits, and on a chip whose neurons do not leak."""
    run(study(place, ["loihi1", "int6.toml", "speck"], 12), place / "run", Nobody())
    return place / "run"


def test_trials_are_measured_at_their_bits_and_at_fewer_that_a_machine_has(finished):
    folder = RunFolder(finished)
    at = {8: [8, 6], 6: [6], 4: [4]}
    trials = folder.read_trials()
    assert {o.plan.weight_bits for o in trials} == {4, 6, 8}
    integers, others = (load_machine(name).machine.arithmetic for name in ("loihi1", "speck"))
    assert folder.record.arithmetics == (integers, others)
    for outcome in trials:
        *rounded, held = outcome.measurement.precisions
        own = outcome.plan.weight_bits
        assert [precision.bits for precision in rounded] == at[own]
        assert (held.bits, held.arithmetic) == (own, integers)
        assert [one.arithmetic for one in outcome.measurement.refused] == [others]
    assert [o.plan.weight_bits for o in trials if o.origin == "uniform"] == [8, 4, 6]
    for baseline in folder.read_baselines().values():
        assert [p.bits for p in baseline.measurement.precisions] == [32, 8, 6, 8]


def test_why_a_chip_does_not_hold_a_network_is_told(finished, autoprune):
    [refused] = RunFolder(finished).read_trials()[0].measurement.refused
    assert re.fullmatch(r"neurons \S+: tau is [\d.]+ steps; expected no decay", refused.cause)
    said = " ".join(autoprune("trial", finished, "0").out.split())
    chip = said[said.index("speck: no published price") :]
    assert f"not in its integers: {refused.cause}" in chip
    assert said.count("not in its integers") == 1


def test_a_chip_without_a_price_has_no_front_and_is_named(finished, autoprune):
    assert json.loads(autoprune("status", finished, "--json").out)["fronts"].keys() == {
        "int6",
        "loihi1",
    }
    for command in ("front", "compare"):
        said = autoprune(command, finished)
        text = " ".join(said.out.split())
        assert (said.code, said.err) == (0, "")
        assert text.count("speck") == 1
        assert "No published price, and so no energies: speck. autoprune trial says" in text
    words = "speck: no published price, and so no front"
    assert_refused(words, autoprune, "front", finished, "--machine", "speck")


def test_test_data_are_evaluated_for_baselines_and_members_of_fronts_alone(finished, tmp_path):
    folder, opened = RunFolder(finished), open_run(finished)
    fronts = opened.fronts().fronts
    members = {row.trial for front in fronts for row in front.rows}
    tested = {
        outcome.key.number
        for outcome in folder.read_trials()
        if all(precision.test for precision in outcome.measurement.precisions)
    }
    assert members <= tested
    others = {o.key.number for o in folder.read_trials() if o.same_as is None} - members
    assert others and not others & tested
    assert all(baseline.measurement.test for baseline in folder.read_baselines().values())
    assert all(row.test for front in fronts for row in front.rows)
    # The record of a trial that was evaluated in its course is the same.
    key = next(key for key in map(TrialKey, sorted(members)) if folder.read(key).same_as is None)
    found, setup = folder.read(key).measurement, find_member(folder, key, print).setup
    record = folder.record
    setup = replace(setup, weight_bits=record.weight_bits, arithmetics=record.arithmetics)
    again, _ = run_trial(setup, found.plan, found.seed, test=True)
    assert replace(again, seconds=found.seconds) == found


def test_a_trial_that_is_on_no_front_shows_a_dash(finished, autoprune):
    opened = open_run(finished)
    members = {row.trial for front in opened.fronts().fronts for row in front.rows}
    frame = opened.trials()
    untested = set(frame.index[frame["test_accuracy"].isna()])
    assert untested and not untested & members
    said = autoprune("trial", finished, min(untested), "--json")
    assert {score["set"] for score in json.loads(said.out)["scores"]} == {"validation"}


def test_optuna_is_told_accuracy_and_energy_at_the_bits_of_the_machine(finished):
    backend = optuna.storages.journal.JournalFileBackend(str(finished / "optuna.journal"))
    storage = optuna.storages.JournalStorage(backend)
    told = optuna.load_study(study_name="autoprune", storage=storage)
    up, down = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    assert told.directions == [up, down, down]
    loihi = load_machine("loihi1").machine.precision
    for frozen, outcome in zip(told.trials, RunFolder(finished).read_trials(), strict=True):
        bits = outcome.plan.weight_bits
        assert frozen.values[:2] == [outcome.measurement.at(*loihi).validation.accuracy, bits]


def test_a_trial_of_four_bits_is_exported_with_its_grid(finished, tmp_path):
    folder = RunFolder(finished)
    key = next(o.key for o in folder.read_trials() if o.plan.weight_bits == 4)
    exported = open_run(finished).export(str(key), tmp_path / "out")
    assert "measured again, as on record: at 4 bits validation" in exported.proofs[1]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["accuracy_bits"] == 4
    assert " 4b |" in manifest["plan"]
    network = load(tmp_path / "out")
    layers = [m.weight.detach().flatten(1) for m in network.modules() if isinstance(m, Weighted)]
    assert len(layers) > 3
    for channel in (channel for weight in layers for channel in weight if channel.any()):
        steps = channel / channel.abs().max() * 7
        assert torch.allclose(steps, steps.round(), atol=1e-5)


def test_a_machine_that_joins_later_is_paired_and_what_is_measured_stays(finished, place):
    before = RunFolder(finished).record.weight_bits
    assert before == (8, 6)
    ended = run(study(place, ["loihi1", "int16.toml"], 13), finished, Nobody())
    assert RunFolder(finished).record.weight_bits == before
    last = ended.outcomes[-1]
    at = {8: [8, 6], 6: [6], 4: [4]}
    *rounded, held = last.measurement.precisions
    assert [precision.bits for precision in rounded] == at[last.plan.weight_bits]
    assert held.arithmetic is not None
    front = ended.fronts["int16"]
    assert (front.accuracy_bits, front.priced_bits) == (8, 16)
    by_number = {o.key.number: o.measurement for o in ended.outcomes}
    for row in front.points:
        assert row.validation == by_number[row.trial].validation  # no plan has more than 8 bits


def test_bits_that_the_space_does_not_search_are_no_objective(short_study):
    study = short_study(('"accuracy"', '"accuracy", "weight_bits"'))
    assert_refused("weight_bits, which short_space.toml does not search", prepare, str(study))
