"""A study that begins with what another run has measured, or with what that one learnt."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autoprune.cost.load import load_machine
from autoprune.deploy.member import find_member
from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody
from autoprune.sweep.worker import Worker
from autoprune.trial.key import PARENT, TrialKey
from tests.refusals import assert_refused, refusals
from tests.short import SHORT


@pytest.fixture(scope="module")
def source(short_run, tmp_path_factory) -> Path:
    """The short study on its own machines, made longer."""
    place = Path(shutil.copytree(short_run, tmp_path_factory.mktemp("runs") / "source"))
    run(prepare(SHORT, trials=9, workers=0), place, Nobody())
    return place


@pytest.fixture
def study(short_study, source):
    """Writes the short study with some text replaced, beginning with the source run."""

    def write(*changes: tuple[str, str], folder: Path = source) -> str:
        warm = ("seed = 3", f'seed = 3\nwarm_start = "{folder}"')
        return str(short_study(warm, *changes))

    return write


@pytest.fixture
def trained(monkeypatch) -> list[TrialKey]:
    """Keys of what a worker is given."""
    keys: list[TrialKey] = []
    plain = Worker.run

    def noting(self, job):
        keys.append(job.key)
        return plain(self, job)

    monkeypatch.setattr(Worker, "run", noting)
    return keys


OTHER_MACHINES = (
    ('["loihi1", "systolic_14x12", "ops45_fp32"]', '["ops45_int8", "sata"]'),
    ("energy_uj@loihi1", "energy_uj@sata"),
)


def test_on_other_machines_nothing_is_trained_again(study, source, trained, tmp_path):
    prepared = prepare(study(*OTHER_MACHINES), trials=2, workers=0)
    assert "priced on the machines of this study; none is trained again" in str(prepared.warm)
    finished = run(prepared, tmp_path / "run", Nobody())
    assert len(trained) == 2
    assert [o.key for o in finished.outcomes if o.origin == "sampled"] == trained
    theirs = {o.plan.hash: o for o in RunFolder(source).read_trials()}
    ours = {o.plan.hash: o for o in finished.outcomes if o.origin != "sampled"}
    assert ours.keys() == theirs.keys()
    sata = load_machine("sata")
    for plan, outcome in ours.items():
        assert outcome.measurement == theirs[plan].measurement
        energy = sata.price(outcome.measurement.at(8).workload).energy_uj
        assert dict(outcome.charges)["sata"].energy_uj == energy
    assert {row.origin for row in finished.fronts["sata"].points} >= {"uniform", "warm", "sampled"}
    taken = next(o for o in finished.outcomes if o.origin == "warm")
    assert taken.seed == taken.measurement.seed


def test_a_taken_trial_is_exported_as_it_was_measured(study, tmp_path):
    """Its weights are with the other run: it is trained again with that run's seed."""
    finished = run(prepare(study(*OTHER_MACHINES), trials=1, workers=0), tmp_path / "run", Nobody())
    taken = next(o for o in finished.outcomes if o.origin == "warm")
    torch.manual_seed(1)
    member = find_member(RunFolder(tmp_path / "run"), taken.key, lambda line: None)
    assert member.rebuilt  # and compared with the record, or it would have raised


def test_it_goes_on_with_what_it_began_with(study, source, trained, tmp_path):
    other = Path(shutil.copytree(source, tmp_path / "other"))
    file = study(*OTHER_MACHINES, folder=other)
    run(prepare(file, trials=1, workers=0), tmp_path / "run", Nobody())
    last = max((other / "trials").glob("*.parquet"))
    last.unlink()
    before = RunFolder(tmp_path / "run").read_trials()
    run(prepare(file, trials=2, workers=0), tmp_path / "run", Nobody())
    assert RunFolder(tmp_path / "run").read_trials()[: len(before)] == before
    assert len(trained) == 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(("time_steps = 3\nembed", "time_steps = 2\nembed"), marks=pytest.mark.full),
        pytest.param(("seed = 3", "seed = 4"), marks=pytest.mark.slow),
        pytest.param(("epochs = 1", "epochs = 2"), marks=pytest.mark.slow),
    ],
)
def test_trials_of_other_networks_are_data_and_on_no_front(
    study, source, trained, tmp_path, changes
):
    learning = ('sampler = "tpe"', 'sampler = "block_response"')
    file = study(learning, changes)
    prepared = prepare(file, trials=9, workers=0)
    assert "as data for block_response, on no front" in str(prepared.warm)
    finished = run(prepared, tmp_path / "warm", Nobody())
    assert finished.baselines[PARENT].measurement.plan.effort.time_steps == (
        prepared.built.parts.network.time_steps
    )
    assert {o.origin for o in finished.outcomes} <= {"baseline", "uniform", "sampled"}
    sampled = [o for o in finished.outcomes if o.origin == "sampled" and o.state == "measured"]
    assert finished.folder.record.calibration.trials == len(sampled) > 0
    assert [*finished.folder.record.calibration.errors] == [*prepared.built.objectives]
    assert len([key for key in trained if key.is_trial]) == 9
    cold = replace(prepared, warm=None)
    warm_points = [o.configuration for o in finished.outcomes]
    cold_points = [o.configuration for o in run(cold, tmp_path / "cold", Nobody()).outcomes]
    first = next(i for i, o in enumerate(finished.outcomes) if o.origin == "sampled")
    assert warm_points[:first] == cold_points[:first]
    assert warm_points != cold_points  # what it learnt makes a difference


@refusals(
    ([("seed = 3", "seed = 4")], "a run of other seed, with sampler 'tpe'*block_response"),
    ([("mlp_ratio = 2.0", "mlp_ratio = 4.0")], "network.mlp_ratio differs"),
    ([("embed_dims = 16", "embed_dims = 8")], "network.embed_dims differs"),
    ([('data = "digits"', 'data = { name = "digits", validation = 0.2 }')], "data differs"),
)
def test_an_incompatible_run_is_refused(study, given, words):
    assert_refused(words, prepare, study(*given), workers=0)


def test_a_space_that_shares_no_trial_is_refused(study, tmp_path):
    (tmp_path / "short_space.toml").write_text(
        "title = 'other'\n[branch.mlp]\nl1p = { values = [0.33, 0.66] }\n[uniform]\nl1p = [0.33]\n"
    )
    file = study()
    with pytest.raises(InputError, match="none of its trials|does not offer"):
        prepare(file, workers=0)


def test_no_run_and_another_parent_are_refused(study, source, tmp_path):
    with pytest.raises(RecordError, match="not a run folder"):
        prepare(study(folder=tmp_path / "nothing"), workers=0)
    other = Path(shutil.copytree(source, tmp_path / "other"))
    content = bytearray((other / "parent.safetensors").read_bytes())
    content[-1] ^= 1
    (other / "parent.safetensors").write_bytes(bytes(content))
    prepared = prepare(study(folder=other), workers=0)
    with pytest.raises(InputError, match="its parent has other weights"):
        run(prepared, tmp_path / "run", Nobody())
