"""What a killed export leaves is found by its run, and nothing else is taken for it."""

from __future__ import annotations

import json

import pytest

from autoprune.files import PARTIAL
from autoprune.runs.exports import being_made, left, remove, size
from autoprune.runs.folder import RunFolder

TOKEN = "0123456789abcdef"


@pytest.fixture
def run(tmp_path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    return folder


def note(run: RunFolder, token: str, folder: object) -> None:
    run.exports.mkdir(exist_ok=True)
    (run.exports / f"{token}.json").write_text(json.dumps({"folder": folder}), encoding="utf-8")


def test_one_that_is_being_made_is_nobodys_to_remove(run, tmp_path):
    with being_made(run, tmp_path, "out") as part:
        (part / "file").write_text("half", encoding="utf-8")
        assert left(run) == []
    assert not part.exists()
    assert not run.exports.exists()


def test_one_whose_maker_died_is_found_with_its_size_and_removed(run, tmp_path):
    part = tmp_path / f".out.{TOKEN}{PARTIAL}"
    (part / "inner").mkdir(parents=True)
    (part / "inner" / "file").write_text("half", encoding="utf-8")
    note(run, TOKEN, str(part))
    [found] = left(run)
    assert (found[1], size(part)) == (part, 4)
    remove(*found)
    assert not part.exists()
    assert list(run.path.iterdir()) == []


@pytest.mark.parametrize("kind", ["mine", "other token", "no name", "number", "link"])
def test_no_other_folder_is_taken_for_one(run, tmp_path, kind):
    dear = tmp_path / "dear"
    dear.mkdir()
    (dear / "file").write_text("to me", encoding="utf-8")
    link = tmp_path / f".out.{TOKEN}{PARTIAL}"
    link.symlink_to(dear)
    other = tmp_path / f".out.{'f' * 16}{PARTIAL}"
    other.mkdir()
    named = {"mine": str(dear), "other token": str(other), "no name": "", "number": 3}
    note(run, TOKEN, named.get(kind, str(link)))
    for found in left(run):
        assert kind == "link"
        remove(*found)
    assert (dear / "file").read_text(encoding="utf-8") == "to me"
    assert other.is_dir()


def test_a_run_that_cannot_be_written_is_exported_all_the_same(run, tmp_path, monkeypatch):
    (run.path / "exports").write_text("in the way", encoding="utf-8")
    with being_made(run, tmp_path, "out") as part:
        assert part.is_dir()
    assert not part.exists()
