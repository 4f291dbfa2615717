"""Weights and copies of outcomes on storage that all nodes share."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from autoprune.cli.main import cli
from autoprune.deploy.member import find_member
from autoprune.errors import InputError, RecordError
from autoprune.runs.artifacts import Artifacts
from autoprune.runs.folder import RunFolder
from autoprune.runs.record import Places, RunRecord
from autoprune.runs.weights import kept_weights
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody
from autoprune.sweep.ray.node import Needs, lacks
from autoprune.sweep.record import write_study
from autoprune.trial.key import FINE_TUNED, TrialKey
from tests.refusals import assert_refused, refusals


@pytest.fixture
def study(short_study):
    """The short study with its files on an address."""
    return lambda address: str(short_study(before=f"artifacts = {address!r}"))


@pytest.mark.parametrize("address", ["file://{}/shared", "memory://autoprune-test/shared/"])
def test_what_is_stored_comes_back_and_goes(tmp_path, address):
    artifacts, file = Artifacts(address.format(tmp_path)), tmp_path / "weights"
    assert artifacts.sizes("checkpoints") == {}
    for content in (b"first", b"the second"):
        file.write_bytes(content)
        artifacts.put(file, "checkpoints/00001.safetensors")
    assert artifacts.sizes("checkpoints") == {"00001.safetensors": 10}
    artifacts.get("checkpoints/00001.safetensors", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == b"the second"
    for _ in range(2):
        artifacts.remove("checkpoints/00001.safetensors")
    assert artifacts.sizes("checkpoints") == {}
    artifacts.check()
    with pytest.raises(RecordError, match="shared: holds no run of autoprune's"):
        artifacts.check_claimed("ours")
    artifacts.claim("ours")
    artifacts.check_claimed("ours")
    for mark in ("theirs", "our", ""):
        with pytest.raises(RecordError, match="shared: holds another run"):
            artifacts.check_claimed(mark)


def test_an_address_that_nothing_understands(tmp_path):
    with pytest.raises(RecordError, match=r"s4://runs: cannot be used \(Protocol not known: s4"):
        Artifacts("s4://runs")
    (tmp_path / "a file").touch()
    with pytest.raises(RecordError, match="a file/runs: cannot be used"):
        Artifacts(f"file://{tmp_path}/a file/runs").check()


@refusals(
    ("/mnt/shared", "artifacts: not an address; expected PROTOCOL://PLACE"),
    ("s3://me:pass@host/x", "holds a password"),
    ("s3://host/x?secret=1", "holds a password"),
)
def test_what_is_no_address_is_refused_with_the_study(study, given, words):
    assert "pass@" not in assert_refused(words, prepare, study(given))


def test_a_bad_address_is_told_before_anything_trains(study, tmp_path):
    with pytest.raises(RecordError, match="Protocol not known"):
        run(prepare(study("s4://runs"), workers=0), tmp_path / "run", Nobody())
    assert not (tmp_path / "run").exists()


def test_a_node_without_access_says_so(tmp_path):
    assert lacks(Needs.here([], None, f"file://{tmp_path}/shared")) == []
    (tmp_path / "a file").touch()
    [said] = lacks(Needs.here([], None, f"file://{tmp_path}/a file/x"))
    assert said.startswith("access to storage (file:///")


def test_a_run_stays_below_the_address_that_its_study_names(study, tmp_path, shape):
    """A run folder of a stranger's, gone on with by a study of one's own."""
    prepared, folder = prepare(study(f"file://{tmp_path}/mine")), RunFolder(tmp_path / "run")
    evil = Places(artifacts=f"file://{tmp_path}/evil/run", mark="theirs")
    folder.write_record(RunRecord(shape=shape, places=evil))
    with pytest.raises(InputError, match=r"artifacts: given 'file:///.*mine'; expected .*evil"):
        write_study(prepared, folder)


@pytest.mark.full
@pytest.mark.ray
def test_a_run_on_ray_keeps_weights_and_copies_there(study, one_ray, tmp_path):
    one_ray()
    shared, folder = tmp_path / "shared", RunFolder(tmp_path / "run")
    prepared = prepare(study(f"file://{shared}"), trials=5)
    finished = run(prepared, folder.path, Nobody())
    folder.imports = True
    [place] = shared.iterdir()
    assert not folder.checkpoints.exists()
    stems = {file.stem for file in (place / "checkpoints").iterdir()}
    trials = {row.trial for front in finished.fronts.values() for row in front.rows}
    trained = {finished.trials[trial].same_as or TrialKey(trial) for trial in trials}
    assert stems == {folder.checkpoint(key).stem for key in {FINE_TUNED, *trained}}
    assert stems == {key.stem for key in kept_weights(folder)}
    for name in ("trials", "baselines"):
        own = {file.name: file.read_bytes() for file in (folder.path / name).iterdir()}
        copies = {file.name: file.read_bytes() for file in (place / name).iterdir()}
        assert own == copies
    assert not find_member(folder, TrialKey(min(trials)), print).rebuilt

    lost = place / "trials" / "00001.parquet"
    lost.unlink()
    (place / "checkpoints" / "00099.safetensors").write_bytes(bytes(7))
    run(prepared, folder.path, Nobody())
    assert lost.read_bytes() == (folder.trials / "00001.parquet").read_bytes()
    assert [*shared.iterdir()] == [place], "the run stays where it was on its first day"
    (place / "checkpoints" / "00099.safetensors").write_bytes(bytes(3_000_000))
    torn = [place / "checkpoints" / "00098.safetensors.1f.partial", place / "trials" / "9.partial"]
    for file in torn:
        file.write_bytes(bytes(2_000_000))
    said = CliRunner().invoke(cli, ["clean", str(folder.path), "--import"], catch_exceptions=False)
    assert "checkpoints/00099.safetensors  3.0 MB" in said.output
    assert "checkpoints/00098.safetensors.1f.partial  2.0 MB" in said.output
    assert not any(file.exists() for file in torn)
    assert {file.stem for file in (place / "checkpoints").iterdir()} == stems
