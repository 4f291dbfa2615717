"""`autoprune init` writes files that work as they are, and overwrites none."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoprune.cli.init import NAMES


def test_files_are_accepted_as_they_are(autoprune, tmp_path) -> None:
    folder = tmp_path / "new" / "study"
    said = autoprune("init", folder)
    assert (said.code, said.err) == (0, "")
    assert sorted(file.name for file in folder.iterdir()) == sorted(NAMES)
    for name in NAMES:
        said = autoprune("check", folder / name)
        assert (said.code, said.err) == (0, ""), name
    said = autoprune("run", folder / NAMES[0], "--dry-run")
    assert (said.code, said.err) == (0, "")
    assert "energy_uj@my_chip" in said.out


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_overwritten(autoprune, tmp_path, name) -> None:
    (tmp_path / name).write_text("mine")
    said = autoprune("init", tmp_path)
    assert said.code == 2
    assert f"{name}: is there already" in said.err
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("folder", "given"), [("", "a run's folder"), ("/../", "the root of all folders")]
)
def test_runs_and_the_root_are_no_place_to_start(autoprune, tmp_path, folder, given) -> None:
    (tmp_path / "study.json").touch()
    place = Path(folder or tmp_path)
    said = autoprune("init", place)
    assert (said.code, said.out) == (2, "")
    assert f"autoprune: {place}: {given}; expected a folder of your own" in said.err
    assert not [name for name in NAMES if (place / name).exists()]
