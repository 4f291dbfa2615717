"""Real studies on real Ray: the same trials as without it, after a kill, and with dying workers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pandas as pd
import pytest
import ray
from optuna.trial import TrialState
from safetensors.torch import load_file

from autoprune.compress.surgery.apply import compress
from autoprune.cost.load import load_machine
from autoprune.errors import InputError, RecordError
from autoprune.networks.spikformer import SpikformerAdapter
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer
from autoprune.study.parent import load_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody
from autoprune.trial.key import FINE_TUNED, PARENT, TrialKey
from autoprune.trial.trial import run_trial
from tests.short import SHORT, Noting, untested, untimed


@pytest.fixture(scope="module")
def short() -> str:
    return SHORT


@pytest.fixture(scope="module")
def alone(short_run, tmp_path_factory) -> Path:
    """The short study, run in this process."""
    return Path(shutil.copytree(short_run, tmp_path_factory.mktemp("runs") / "alone"))


def trials(folder: Path) -> list:
    """Everything that has to repeat itself."""
    return untimed(RunFolder(folder).read_trials())


@pytest.mark.ray
def test_ray_gives_the_trials_of_one_process(short, alone, one_ray, tmp_path):
    folder = tmp_path / "two"
    one_ray()
    finished = run(prepare(short), folder, Nobody())
    assert trials(folder) == trials(alone)
    assert set(finished.fronts) == {"loihi1", "systolic_14x12", "ops45_fp32"}
    for name in finished.fronts:
        files = [folder / "fronts" / name / f"front.{e}" for e in ("csv", "json", "png")]
        assert all(file.stat().st_size > 100 for file in files)
        assert len(pd.read_csv(files[0])) == len(finished.fronts[name].rows) > 0
        noted = RunFolder(folder).record.hypervolumes[name]
        assert noted.trials == finished.fronts[name].hypervolume
        assert noted.reference == finished.fronts[name].reference


PICKY = """
from autoprune.cost.action import Action
from autoprune.cost.model import CostModel

class Picky(CostModel):
    PRICES = {"mac": "pJ", "ac": "pJ"}
    CHOICES = {"attention_order": ("published",), "attention_count": ("events",)}

    def actions(self, ops):
        if (ops.density < 0.5).any():
            raise RuntimeError("cannot place so many zeros")
        yield Action("mac", ops.dense_macs)
"""


@pytest.mark.ray
def test_a_machine_of_a_users_own_reaches_a_worker(alone, one_ray, root, tmp_path):
    """Its class lies beside its file, where no worker looks by itself."""
    (tmp_path / "worker_chip.py").write_text(PICKY, encoding="utf-8")
    chip = (root / "cost_models" / "ops45_fp32.toml").read_text(encoding="utf-8")
    (tmp_path / "worker.toml").write_text(chip.replace('"op_energy"', '"worker_chip:Picky"'))
    model = load_machine(str(tmp_path / "worker.toml"))
    workload = RunFolder(alone).read_workload(PARENT)
    one_ray()
    there = ray.get(ray.remote(lambda m, w: m.price(w)).remote(model, workload))
    assert there == model.price(workload)
    assert there.energy_uj > 0


def test_a_failing_machine_fails_its_own_column(short_study, alone, root, tmp_path):
    """A machine of a user's own that raises on some trials costs no trial and no other front."""
    (tmp_path / "picky_chip.py").write_text(PICKY, encoding="utf-8")
    chip = (root / "cost_models" / "ops45_fp32.toml").read_text(encoding="utf-8")
    chip = chip.replace('"op_energy"', '"picky_chip:Picky"')
    (tmp_path / "picky.toml").write_text(chip, encoding="utf-8")
    short_study(('"ops45_fp32"]', '"ops45_fp32", "picky.toml"]'))
    finished = run(prepare(str(tmp_path / "study.toml"), workers=0), tmp_path / "run", Nobody())
    assert sorted(finished.fronts) == ["loihi1", "ops45_fp32", "systolic_14x12"]
    assert any("No front of picky" in w and "so many zeros" in w for w in finished.warnings)
    pairs = zip(trials(tmp_path / "run"), trials(alone), strict=True)
    for ours, theirs in pairs:
        assert replace(ours, charges=()) == replace(theirs, charges=())
        charges = dict(ours.charges)
        failed = "cannot place so many zeros" in charges.pop("picky").cause
        assert failed == any(
            op.b.nonzeros < op.b.size / 2
            for op in ours.measurement.workload.ops
            if op.b.kind == "weight" and op.b.size
        )
        assert charges == dict(theirs.charges)
        for name, charge in charges.items():
            model = load_machine(name)
            cost = model.price(ours.measurement.at(*model.machine.precision).workload)
            assert (charge.energy_uj, charge.latency_us) == (cost.energy_uj, cost.latency_us)


def test_the_optuna_study_is_whole(alone):
    backend = optuna.storages.journal.JournalFileBackend(str(alone / "optuna.journal"))
    storage = optuna.storages.JournalStorage(backend)
    study = optuna.load_study(study_name="autoprune", storage=storage)
    assert {t.state for t in study.trials} == {TrialState.COMPLETE}
    assert study.user_attrs["objectives"] == ["accuracy", "energy_uj@loihi1"]
    for frozen, outcome in zip(study.trials, RunFolder(alone).read_trials(), strict=True):
        assert frozen.values[0] == outcome.measurement.validation.accuracy
        assert frozen.user_attrs["hash"] == outcome.plan.hash


def test_checkpoints_are_those_of_front_members_and_any_trial_can_be_rebuilt(short, alone):
    prepared, folder = prepare(short, workers=0), RunFolder(alone)
    finished = run(prepared, alone, Nobody())
    members = {row.trial for front in finished.fronts.values() for row in front.rows}
    outcomes = {o.key.number: o for o in finished.outcomes}
    kept = {folder.checkpoint(outcomes[n].same_as or TrialKey(n)) for n in members}
    assert set(folder.checkpoints.iterdir()) == {*kept, folder.checkpoint(FINE_TUNED)}
    parts = prepared.built.parts
    parent = load_parent(parts, folder.parent)
    setup = make_setup(parts, load_data(parts), parent, (32, 8))
    number = max(n for n in members if outcomes[n].origin != "baseline")
    chosen = outcomes[number]
    measurement, model = run_trial(setup, chosen.plan, chosen.measurement.seed)
    assert measurement.workload == chosen.measurement.workload
    weights = load_file(folder.checkpoint(TrialKey(number)))
    assert all((tensor == weights[name]).all() for name, tensor in model.state_dict().items())
    fresh = compress(setup.parent, chosen.plan, setup.adapter)
    fresh.load_state_dict(weights)


def test_running_again_adds_what_is_missing_and_nothing_else(short, alone, tmp_path):
    folder = tmp_path / "grows"
    run(prepare(short, trials=5, workers=0), folder, Nobody())
    first = {f.name: f.read_bytes() for f in (folder / "trials").iterdir()}
    watcher = Noting()
    run(prepare(short, trials=7, workers=0), folder, watcher)
    assert watcher.epochs == []
    after = {f.name: f.read_bytes() for f in (folder / "trials").iterdir()}
    states = [o.state for o in trials(folder) if o.origin != "baseline"]
    assert (len(first), states.count("measured")) == (7, 7)
    assert all(after[name] == content for name, content in first.items())


def test_a_folder_of_another_study_is_refused_with_the_difference(short_study, alone):
    other = short_study(("seed = 3", "seed = 4"), ("epochs = 1", "epochs = 2"))
    before = {f: f.stat().st_mtime_ns for f in alone.rglob("*")}
    with pytest.raises(InputError, match="finetune.epochs is 1 there and 2.*seed is 3 there and 4"):
        run(prepare(str(other)), alone, Nobody())
    assert {f: f.stat().st_mtime_ns for f in alone.rglob("*")} == before


def test_a_second_driver_is_refused(short, alone):
    with sole_writer(alone), pytest.raises(RecordError, match="in use by process .* It is running"):
        run(prepare(short, workers=0), alone, Nobody())


def test_a_driver_that_was_taken_for_dead_stops_before_it_writes(short, alone, tmp_path):
    folder = tmp_path / "taken"

    class Taken(Nobody):
        def progress(self, standing):
            if standing.done == 3:
                (folder / "run.lock").unlink(missing_ok=True)

    with pytest.raises(RecordError, match="another has taken the run over"):
        run(prepare(short, workers=0), folder, Taken())
    states = [o.state for o in RunFolder(folder).read_trials() if o.origin != "baseline"]
    assert states == ["measured"] * 3
    run(prepare(short, workers=0), folder, Nobody())
    assert trials(folder) == trials(alone)


class Deadly(SpikformerAdapter.__base__):  # type: ignore[misc, name-defined]
    """An adapter with which plans of 2 steps kill their process and plans of 1 step raise."""

    def __init__(self) -> None:
        self.inner = SpikformerAdapter()

    def branches(self, model):
        return self.inner.branches(model)

    def set_time_steps(self, model, time_steps):
        if time_steps == 2:
            os._exit(9)
        if time_steps == 1:
            raise ValueError("one step is not enough")
        self.inner.set_time_steps(model, time_steps)


@pytest.mark.full
@pytest.mark.ray
def test_dying_workers_and_exceptions_end_as_failed_trials(
    short_of_steps, one_ray, tmp_path, monkeypatch
):
    one_ray()
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    original = make_setup
    monkeypatch.setattr(
        "autoprune.sweep.driver.make_setup",
        lambda *given, **named: replace(original(*given, **named), adapter=Deadly()),
    )
    folder = tmp_path / "deadly"
    finished = run(prepare(short_of_steps), folder, Nobody())
    causes = {o.plan.effort.time_steps: o.cause for o in finished.outcomes if o.state == "failed"}
    assert "the process that ran it died" in causes[2]
    assert "ValueError: one step is not enough" in causes[1]
    assert all(o.plan.effort.time_steps == 3 for o in finished.outcomes if o.state == "measured")
    counted = [o for o in finished.outcomes if o.origin != "baseline" and o.state != "duplicate"]
    assert len(counted) == 7
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "optuna.journal"))
    study = optuna.load_study(
        study_name="autoprune", storage=optuna.storages.JournalStorage(backend)
    )
    assert {t.state for t in study.trials} == {TrialState.COMPLETE, TrialState.FAIL}


class Hopeless(Deadly):
    """An adapter with which nothing runs."""

    def set_time_steps(self, model, time_steps):
        raise ValueError("no network like this")


@pytest.mark.ray
@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.full)])
def test_a_parent_that_cannot_be_measured_ends_the_run_with_the_cause(
    short, one_ray, tmp_path, monkeypatch, workers
):
    if workers:
        one_ray()
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    original = make_setup
    monkeypatch.setattr(
        "autoprune.sweep.driver.make_setup",
        lambda *given, **named: replace(original(*given, **named), adapter=Hopeless()),
    )
    with pytest.raises(RecordError, match="(?s)(parent|fine-tuned) network could not.*no network"):
        run(prepare(short, workers=workers), tmp_path / "hopeless", Nobody())


@pytest.mark.full
def test_a_killed_driver_is_resumed_to_the_same_trials(short, alone, tmp_path):
    folder = tmp_path / "killed"
    start = "from autoprune.cli.main import main; main()"
    driver = subprocess.Popen(
        [sys.executable, "-c", start, "run", short, "--workers", "0", "--out", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 600
    while len(list((folder / "trials").glob("*.parquet"))) < 6:
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.stderr.read()
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    done = {trial.key: untested(trial) for trial in RunFolder(folder).read_trials()}
    run(prepare(short, workers=0), folder, Nobody())
    after = {trial.key: untested(trial) for trial in RunFolder(folder).read_trials()}
    assert len(done) >= 6  # with the seconds that each took: none was trained again
    assert all(after[key] == trial for key, trial in done.items())
    assert trials(folder) == trials(alone)


@pytest.mark.full
@pytest.mark.ray
def test_an_interrupted_driver_says_so_and_goes_on_the_next_time(short, tmp_path):
    start = "from autoprune.cli.main import main; main()"
    command = [sys.executable, "-c", start, "run", short, "--trials", "60", "--out", "run"]
    driver = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 600
    while len(list((tmp_path / "run" / "trials").glob("*.parquet"))) < 6:
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.stderr.read()
        time.sleep(0.05)
    driver.send_signal(signal.SIGINT)
    out, err = driver.communicate(timeout=600)
    assert driver.returncode == 130, err
    assert "Interrupted. The same command goes on" in out
    assert "Traceback" not in err
    settled = len(RunFolder(tmp_path / "run").read_trials())
    finished = run(prepare(short, trials=7, workers=0), tmp_path / "run", Nobody())
    assert not finished.interrupted
    assert len(finished.outcomes) >= settled
