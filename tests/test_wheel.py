"""The wheel holds everything: built, installed, and used from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed(root, tmp_path_factory) -> Path:
    """Where the wheel, built of this tree, is installed on its own."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(root)]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    assert not [n for n in zipfile.ZipFile(wheel).namelist() if n.startswith("tests")]
    install = ["install", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    return target


def autoprune(installed: Path, folder: Path, *arguments: str) -> str:
    code = (
        "import autoprune, sys; from autoprune.cli.main import main\n"
        f"assert autoprune.__file__.startswith({str(installed)!r}), autoprune.__file__\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_bundled_is_found(installed, root, tmp_path):
    listed = autoprune(installed, tmp_path, "list")
    for folder in ("studies", "search_spaces", "cost_models"):
        for file in (root / folder).glob("*.toml"):
            assert f"  {file.stem} " in listed
            bundled = installed / "autoprune" / "_bundled" / folder / file.name
            assert bundled.read_bytes() == file.read_bytes()


@pytest.mark.full
def test_a_study_is_checked_and_planned_without_training(installed, tmp_path):
    assert "a correct study" in autoprune(installed, tmp_path, "check", "digits")
    planned = autoprune(installed, tmp_path, "run", "digits", "--dry-run")
    assert "48 trials: uniform sweep of 18, then" in " ".join(planned.split())
    assert list(tmp_path.iterdir()) == []
