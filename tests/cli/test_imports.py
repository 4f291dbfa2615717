"""Commands that need no network start without torch, Ray and Optuna; `--help` without more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autoprune as package

HEAVY = ("torch", "ray", "optuna", "sklearn", "matplotlib")
SCRIPT = """
import sys
from autoprune.cli.main import main
try:
    main()
finally:
    print(*(name for name in {heavy} if name in sys.modules), file=sys.stderr)
"""


def imports(*arguments: object, heavy: tuple[str, ...] = HEAVY) -> set[str]:
    """Which of the modules a command has imported in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(heavy=heavy), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.fixture
def workload_file(autoprune, run_folder: Path, tmp_path: Path) -> Path:
    file = tmp_path / "w.json"
    autoprune("workload", run_folder, "1", "--out", file)
    return file


def test_help_imports_nothing_heavy() -> None:
    assert not imports("--help", heavy=(*HEAVY, "pandas", "pyarrow", "pydantic", "rich"))


def test_python_m_autoprune_takes_no_module_of_the_current_folder(tmp_path) -> None:
    (tmp_path / "click.py").write_text("raise ImportError('of the current folder')\n")
    done = subprocess.run(
        [sys.executable, "-m", "autoprune", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("autoprune")


def test_price_of_a_file_imports_nothing_heavy(workload_file) -> None:
    heavy = (*HEAVY, "pandas", "pyarrow")
    assert not imports("price", workload_file, "--machine", "loihi1", heavy=heavy)


def test_price_of_a_trial_and_front_import_nothing_heavy(run_folder) -> None:
    assert not imports("price", f"{run_folder}:1", "--machine", "loihi1")
    assert not imports("front", run_folder)


@pytest.mark.parametrize("arguments", [("list",), ("show", "loihi1"), ("show", "digits")])
def test_list_and_show_import_nothing_heavy(arguments) -> None:
    assert not imports(*arguments)


@pytest.mark.parametrize("file", ["cost_models/loihi1", "search_spaces/digits", "studies/digits"])
def test_check_imports_nothing_heavy(root: Path, file: str) -> None:
    assert not imports("check", root / f"{file}.toml", heavy=(*HEAVY, "pandas"))
