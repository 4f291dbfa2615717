"""`autoprune clean` removes what no front needs, and nothing else."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from autoprune.cli.main import cli
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer


@pytest.fixture(scope="module")
def folder(short_run, tmp_path_factory):
    return RunFolder(shutil.copytree(short_run, tmp_path_factory.mktemp("clean") / "run"))


def contents(folder) -> dict:
    return {f: f.read_bytes() for f in folder.path.rglob("*") if f.is_file()}


def test_it_removes_what_no_front_needs(folder):
    before = contents(folder)
    weights = folder.checkpoints / "00099.safetensors"
    weights.write_bytes(bytes(3_000_000))
    torn = folder.trials / f"00005.parquet.{'0' * 16}.partial"
    torn.write_bytes(bytes(10))
    said = CliRunner().invoke(cli, ["clean", str(folder.path), "--dry-run"], catch_exceptions=False)
    assert "checkpoints/00099.safetensors  3.0 MB" in said.output
    assert "3.0 MB would be freed, 2 files" in said.output
    assert weights.is_file()
    said = CliRunner().invoke(cli, ["clean", str(folder.path)], catch_exceptions=False)
    assert "3.0 MB freed, 2 files" in said.output
    assert contents(folder) == before
    assert list(folder.checkpoints.glob("*.safetensors")), "weights on a front stay"
    said = CliRunner().invoke(cli, ["clean", str(folder.path)], catch_exceptions=False)
    assert "0.0 MB freed, 0 files" in said.output


def test_a_file_called_as_a_reading_takes_no_weights_with_it(folder):
    kept = next(folder.checkpoints.glob("0*.safetensors"))
    foreign = kept.with_stem(f"{kept.stem}@1")
    foreign.touch()
    CliRunner().invoke(cli, ["clean", str(folder.path)], catch_exceptions=False)
    assert kept.is_file() and foreign.is_file()
    foreign.unlink()


def test_it_waits_for_who_writes(folder):
    with sole_writer(folder.path), pytest.raises(RecordError, match="in use by process"):
        CliRunner().invoke(cli, ["clean", str(folder.path)], catch_exceptions=False)


def test_what_is_no_run_is_refused_and_left_alone(tmp_path):
    with pytest.raises(RecordError, match="not a run folder"):
        CliRunner().invoke(cli, ["clean", str(tmp_path)], catch_exceptions=False)
    assert not list(tmp_path.iterdir())
