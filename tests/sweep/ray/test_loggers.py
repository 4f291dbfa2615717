"""TensorBoard and MLflow get what the record has, each outcome once; by their own readers."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from mlflow.tracking import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from autoprune.cli.main import cli
from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Head
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody
from autoprune.sweep.ray.loggers import Loggers
from autoprune.sweep.record import write_study
from autoprune.trial.key import TrialKey
from tests.refusals import assert_refused, refusals
from tests.short import write_short

BOTH = 'track = ["tensorboard", "mlflow"]'


@pytest.fixture(scope="module", autouse=True)
def surroundings():
    """None of the user's MLflow."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TRACKING_URI", "EXPERIMENT_NAME", "EXPERIMENT_ID"):
            patch.delenv(f"MLFLOW_{name}", raising=False)
        yield


def study(folder: Path, track: str) -> str:
    """The short study with another line."""
    return str(write_short(folder, ("\nseed = 3\n", f"\nseed = 3\n{track}\n")))


@pytest.fixture(scope="module")
def tracked(tmp_path_factory, one_ray) -> RunFolder:
    """The short study, tracked, with two workers of Ray."""
    one_ray()
    folder = tmp_path_factory.mktemp("tracked")
    run(prepare(study(folder, BOTH)), folder / "sweep", Nobody())
    return RunFolder(folder / "sweep")


def recorded(folder: RunFolder) -> dict:
    """All outcomes by the names of their files."""
    found = [*folder.read_baselines().values(), *folder.read_trials()]
    return {outcome.key.stem: outcome for outcome in found}


def mlflow_runs(folder: RunFolder) -> list:
    client = MlflowClient(f"sqlite:///{folder.path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(folder.path.name)
    return list(client.search_runs([experiment.experiment_id]))


def wanted(outcome) -> dict[str, float]:
    """Some numbers of an outcome, as the record has them; tests of trials come after the search."""
    measurement = outcome.measurement
    tested = {"test_accuracy": measurement.test.accuracy} if outcome.key.is_baseline else {}
    return {
        "val_accuracy": measurement.validation.accuracy,
        **tested,
        "parameters": measurement.parameters,
        "kept_weights": measurement.kept_weights,
        "effective_sops": measurement.workload.per_sample("effective_sops"),
        **{f"energy_uj/{name}": charge.energy_uj for name, charge in outcome.charges},
        "latency_us/loihi1": dict(outcome.charges)["loihi1"].latency_us,
    }


@pytest.mark.full
@pytest.mark.ray
def test_mlflow_has_the_numbers_of_the_record(tracked):
    outcomes = recorded(tracked)
    runs = {found.info.run_name: found for found in mlflow_runs(tracked)}
    assert set(runs) == set(outcomes) and len(outcomes) == 14
    for name, outcome in outcomes.items():
        metrics, params = runs[name].data.metrics, runs[name].data.params
        assert {key: metrics[key] for key in wanted(outcome)} == wanted(outcome), name
        assert "latency_us/ops45_fp32" not in metrics  # which it does not define
        point = {str(p): str(value) for p, value in outcome.configuration}
        assert params == {**point, "origin": outcome.origin, "state": outcome.state}
        assert runs[name].info.status == "FINISHED"
    assert runs["00006"].data.params["blocks.0.mlp.l1p"]


@pytest.mark.full
@pytest.mark.ray
def test_tensorboard_has_the_numbers_of_the_record(tracked):
    outcomes = recorded(tracked)
    assert {file.name for file in tracked.tensorboard.iterdir()} == set(outcomes)
    for name, outcome in outcomes.items():
        read = EventAccumulator(str(tracked.tensorboard / name)).Reload()
        step = outcome.key.number
        for key, value in wanted(outcome).items():
            (event,) = read.Scalars(f"ray/tune/{key}")
            assert event.value == pytest.approx(value, rel=1e-6), (name, key)
            assert event.step == step
        start = read.summary_metadata["_hparams_/session_start_info"].plugin_data.content
        params = HParamsPluginData.FromString(start).session_start_info.hparams
        point = {"origin": outcome.origin, **{str(p): value for p, value in outcome.configuration}}
        for key, value in point.items():
            found = params[key]
            kind = "string_value" if isinstance(value, str) else "number_value"
            assert getattr(found, kind) == value, (name, key)
    assert not (tracked.path / ".tensorboard").exists()


@pytest.mark.full
@pytest.mark.ray
def test_the_command_says_where_they_are(tracked):
    study = tracked.path.parent / "study.toml"
    said = CliRunner().invoke(cli, ["run", str(study), "--out", str(tracked.path)])
    assert said.exit_code == 0, said.output
    for name, what in (("tensorboard", "TensorBoard"), ("mlflow.db", "MLflow")):
        assert f"\n{what}: {tracked.path / name}\n" in said.stdout


def trained(head: Head) -> Head:
    """What a training gave: without its time, and without test data, which members of fronts have.

    A run that was ended on the way had other members then.
    """
    scores = tuple(replace(score, test=None) for score in head.scores)
    return replace(head, ended=replace(head.ended, seconds=0), scores=scores)


@pytest.mark.full
@pytest.mark.ray
def test_a_run_that_goes_on_logs_what_is_missing_and_nothing_twice(tracked, tmp_path):
    """It began untracked, without Ray; then come a kill's leftovers, and more trials."""
    folder = RunFolder(tmp_path / "sweep")
    run(prepare(study(tmp_path, ""), trials=4, workers=0), folder.path, Nobody())
    assert not folder.tensorboard.exists()
    assert not (folder.path / "mlflow.db").exists()
    file = study(tmp_path, BOTH)
    run(prepare(file, trials=5, workers=0), folder.path, Nobody())
    before = {found.info.run_name: found.info.run_id for found in mlflow_runs(folder)}
    assert set(before) == set(recorded(folder))
    events = {path: path.stat().st_mtime_ns for path in folder.tensorboard.rglob("events*")}

    client = MlflowClient(f"sqlite:///{folder.path / 'mlflow.db'}")
    killed = client.get_run(before["parent"])
    client.delete_run(killed.info.run_id)
    half = client.create_run(
        killed.info.experiment_id,
        tags={"autoprune_run": killed.data.tags["autoprune_run"], "trial_name": "parent"},
    )
    (folder.path / ".tensorboard" / "00006").mkdir(parents=True)
    run(prepare(file, workers=0), folder.path, Nobody())
    after = {found.info.run_name: found.info.run_id for found in mlflow_runs(folder)}
    assert len(mlflow_runs(folder)) == len(after) == len(recorded(folder)) == 14
    assert half.info.run_id not in after.values()
    assert {name for name in before if before[name] != after[name]} == {"parent"}
    assert all(path.stat().st_mtime_ns == time for path, time in events.items())
    assert not (folder.path / ".tensorboard").exists()
    # tracking and Ray change nothing of what is recorded
    assert [*map(trained, folder.read_heads())] == [*map(trained, tracked.read_heads())]


@pytest.mark.full
@pytest.mark.ray
def test_a_failed_trial_is_failed_there(tracked, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ours")
    tracking = Loggers(["tensorboard", "mlflow"], tracked)
    failed = replace(
        tracked.read(TrialKey(6)),
        key=TrialKey(17),
        state="failed",
        measurement=None,
        charges=(),
        cause="no",
    )
    tracking.log(failed)
    client = MlflowClient(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    experiment = client.get_experiment_by_name("ours")
    (found,) = client.search_runs([experiment.experiment_id])
    assert (found.info.status, found.data.params["state"]) == ("FAILED", "failed")
    assert found.data.metrics == {}
    assert list((tracked.tensorboard / "00017").iterdir())
    shutil.rmtree(tracked.tensorboard / "00017")  # the record has no such trial
    assert capfd.readouterr() == ("", "")  # MLflow would tell of its tables


def test_mlflow_knows_a_run_again_that_was_not_tracked_for_a_while(tmp_path):
    folder = RunFolder(tmp_path / "sweep")
    names = []
    for track in ("", BOTH, "", BOTH):
        write_study(prepare(study(tmp_path, track)), folder)
        names.append(folder.record.places.mlflow)
    assert names[0] is None
    assert names[1] is not None and names[1:] == 3 * [names[1]]


@pytest.mark.full
@pytest.mark.ray
def test_a_log_that_cannot_be_written_is_named(tracked, tmp_path):
    folder = RunFolder(tmp_path)
    folder.tensorboard.write_text("a file where a folder belongs")
    with pytest.raises(RecordError, match="tensorboard: cannot be written"):
        Loggers(["tensorboard"], folder).log(tracked.read(TrialKey(6)))


@refusals(
    ('track = ["tensorbord"]', "did you mean 'tensorboard'"),
    ('track = ["mlflow", "mlflow"]', "expected each once"),
)
def test_what_cannot_be_tracked_is_said(tmp_path, given, words):
    assert_refused(words, prepare, study(tmp_path, given))


@pytest.mark.parametrize(
    ("module", "extra"), [("mlflow", "mlflow"), ("tensorboardX", "tensorboard")]
)
def test_a_missing_package_is_named_before_anything_trains(tmp_path, monkeypatch, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"track: .*pip install 'autoprune\[{extra}\]'"):
        prepare(study(tmp_path, BOTH))


@pytest.mark.full
@pytest.mark.ray
def test_a_server_that_does_not_answer_ends_it_before_anything_trains(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    prepared = prepare(study(tmp_path, BOTH), workers=0)
    with pytest.raises(InputError, match="MLFLOW_TRACKING_URI: MLflow cannot be used") as caught:
        run(prepared, tmp_path / "sweep", Nobody())
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "sweep" / "parent.safetensors").exists()
