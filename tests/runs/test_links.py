"""A run folder that is another's leads nowhere: links are refused, foreign files stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoprune.errors import RecordError
from autoprune.files import PARTIAL, half_written, write_text
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer
from autoprune.runs.record import RunRecord
from autoprune.runs.weights import kept_weights
from autoprune.sweep.watchdog import leftovers
from autoprune.trial.key import TrialKey

INSIDE = ("ended", "checkpoints", "trials", "machines", "fronts/loihi1", "run.lock", "study.toml")


@pytest.fixture
def folder(tmp_path, shape) -> RunFolder:
    found = RunFolder(tmp_path / "run")
    found.write_record(RunRecord(shape=shape))
    return RunFolder(found.path)


@pytest.mark.parametrize("name", INSIDE)
def test_a_link_anywhere_inside_is_refused_before_anything_is_read_or_written(
    folder, tmp_path, name
):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "dear").write_text("to me", encoding="utf-8")
    (folder.path / name).parent.mkdir(exist_ok=True)
    (folder.path / name).symlink_to(outside)
    with pytest.raises(RecordError, match=f"{name}: a link that leads elsewhere; a run folder"):
        _ = folder.record
    with pytest.raises(RecordError, match="a link that leads elsewhere"), sole_writer(folder.path):
        pytest.fail("it is held")
    assert [f.name for f in outside.iterdir()] == ["dear"]


def test_a_pipe_is_refused_and_not_waited_for(folder):
    folder.trials.mkdir()
    os.mkfifo(folder.file(TrialKey(1)))
    with pytest.raises(RecordError, match=r"00001.parquet: no regular file; a run folder"):
        _ = folder.record


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    (tmp_path / "here").symlink_to(folder.path)
    assert RunFolder(tmp_path / "here").record == folder.record


def test_files_that_no_run_writes_are_nobodys_outcomes_weights_or_leftovers(folder):
    mine = {
        folder.trials: ("notes.parquet", "17.parquet", "00001-2.parquet", "a\\b.parquet"),
        folder.baselines: ("notes.parquet", "00003.parquet"),
        folder.checkpoints: ("notes.safetensors", "17.safetensors", "a\\b.safetensors"),
        folder.path / "ended": ("notes.txt", "00001.txt", "notes.memory"),
        folder.path: (f"thesis{PARTIAL}", f"thesis.77{PARTIAL}", f"x.{'g' * 16}{PARTIAL}"),
    }
    for place, names in mine.items():
        place.mkdir(exist_ok=True)
        for name in names:
            (place / name).write_text("dear to me", encoding="utf-8")
    assert folder.recover() == []
    assert kept_weights(folder) == {}
    assert list(leftovers(folder.path / "ended")) == []
    assert list(half_written(folder.path)) == []
    assert folder.read_heads() == folder.read_confirmed() == [] == [*folder.read_baselines()]
    assert {(p, n) for p, names in mine.items() for n in names} == {
        (f.parent, f.name) for f in folder.path.rglob("*") if f.is_file() and f.suffix != ".json"
    }


def test_a_temporary_file_follows_no_link_and_is_nobodys_to_guess(tmp_path, monkeypatch):
    target, seen = tmp_path / "file", []
    outside = tmp_path / "outside"
    outside.write_text("dear to me", encoding="utf-8")
    replace = Path.replace

    def noting(self, other):
        seen.append(self.name)
        return replace(self, other)

    monkeypatch.setattr(Path, "replace", noting)
    for _ in range(2):
        write_text(target, "text")
    assert len(set(seen)) == 2
    monkeypatch.setattr("secrets.token_hex", lambda count: "0" * 16)
    (tmp_path / f"file.{'0' * 16}{PARTIAL}").symlink_to(outside)
    with pytest.raises(RecordError, match="cannot be written"):
        write_text(target, "other")
    assert outside.read_text(encoding="utf-8") == "dear to me"
    assert target.read_text(encoding="utf-8") == "text"


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_only_a_regular_file_is_replaced(tmp_path, kind):
    """As root, /dev/null would become a file."""
    target, other = tmp_path / "out", tmp_path / "other"
    other.write_text("dear to me", encoding="utf-8")
    {
        "pipe": lambda: os.mkfifo(target),
        "link": lambda: target.symlink_to(other),
        "folder": target.mkdir,
    }[kind]()
    before = target.lstat()
    with pytest.raises(RecordError, match="out: no regular file, and not replaced by one"):
        write_text(target, "text")
    assert os.path.samestat(target.lstat(), before)
    assert other.read_text(encoding="utf-8") == "dear to me"
    assert {f.name for f in tmp_path.iterdir()} == {"out", "other"}
