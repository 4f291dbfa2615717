"""A run folder or a machine file that is another's: no command runs code that it names, unasked."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from autoprune.cost.load import load_machine
from autoprune.runs.artifacts import Artifacts
from autoprune.runs.folder import RunFolder
from autoprune.search.storages import PASSWORD, open_database, read_database
from autoprune.trial.key import TrialKey

READING = {
    "front": ["RUN"],
    "front of one": ["RUN", "--machine", "chip"],
    "pick": ["RUN", "--machine", "chip"],
    "report": ["RUN", "--out", "OUT"],
    "status": ["RUN"],
    "trials": ["RUN"],
    "trial": ["RUN", "1"],
    "compare": ["RUN"],
    "price": ["RUN:1", "--machine", "chip"],
    "clean": ["RUN"],
}
"""Commands that need the machines of a run."""

TRAINING = {
    "export": ["RUN", "1", "--out", "OUT"],
    "measure": ["RUN"],
    "confirm": ["RUN"],
}
"""Commands that need its study, too."""


NAMED = {
    "show": ["CHIP"],
    "check": ["CHIP"],
    "front": ["RUN", "--machine", "CHIP"],
    "pick": ["RUN", "--machine", "CHIP"],
    "compare": ["RUN", "--machine", "loihi1", "--machine", "CHIP"],
    "price": ["RUN:1", "--machine", "CHIP"],
}
"""Commands that take the file of a machine."""


LOOKED_FOR = (
    *("numexpr", "bottleneck", "gmpy2", "flint", "cython", "Cython", "numba", "fastparquet"),
    *("cupy", "jax", "tabulate", "uvloop", "colorama", "sksparse", "scikits", "xarray", "tables"),
    *("lz4", "snappy", "cramjam", "pyximport", "ujson", "orjson", "ipywidgets", "IPython"),
)
"""Modules that libraries import where they find them."""


@pytest.fixture
def foreign(tmp_path, run_folder, root, request):
    """A run with a machine, or with a study, whose module leaves a mark when it is imported."""
    module = f"hostile_{abs(hash(request.node.name))}"  # a name that no test imported before
    text = f"from pathlib import Path\nPath({str(tmp_path / 'mark')!r}).touch()\n"
    (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")

    def make(what: str) -> Path:
        study = (root / "studies" / "digits.toml").read_text(encoding="utf-8")
        if what == "machine":
            machine = Path(load_machine("ops45_int8").machine.where).read_text(encoding="utf-8")
            own = machine.replace('family = "op_energy"', f'family = "{module}:Family"')
            assert own != machine
            (run_folder / "machines" / "chip.toml").write_text(own, encoding="utf-8")
            (tmp_path / "chip.toml").write_text(own, encoding="utf-8")
        else:
            own = study.replace('data = "digits"', f'data = "{module}:load"')
            assert own != study
            study = own
        (run_folder / "study.toml").write_text(study, encoding="utf-8")
        record = json.loads((run_folder / "study.json").read_text(encoding="utf-8"))
        record |= {"machine_folders": {"chip": str(tmp_path)}, "folder": str(tmp_path)}
        record |= {"trials": 3}
        (run_folder / "study.json").write_text(json.dumps(record), encoding="utf-8")
        (run_folder / "checkpoints").mkdir()
        (run_folder / "checkpoints" / "00001.safetensors").touch()
        return run_folder

    return make


@pytest.mark.parametrize(
    ("command", "words"), [*READING.items(), *TRAINING.items(), *NAMED.items()]
)
def test_nothing_is_imported_unasked(autoprune, foreign, tmp_path, command, words):
    run = foreign("study" if command in TRAINING else "machine")
    for name, place in (("RUN", run), ("OUT", tmp_path / "out"), ("CHIP", tmp_path / "chip.toml")):
        words = [word.replace(name, str(place)) for word in words]
    said = autoprune(command.split()[0], *words)
    assert said.code == 2
    assert "names code, 'hostile_" in said.err
    assert "which is not imported; expected --import" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "mark").exists()
    said = autoprune(command.split()[0], *words, "--import")  # it fails: it has no such name
    assert said.code != 0
    assert (tmp_path / "mark").exists()


@pytest.fixture
def decoys(tmp_path, run_folder, root):
    """A run of shipped machines whose record names a folder of modules that leave a mark."""
    place = tmp_path / "decoys"
    place.mkdir()
    mark = f"from pathlib import Path\nPath({str(tmp_path / 'mark')!r}).touch()\n"
    for name in LOOKED_FOR:
        (place / f"{name}.py").write_text(mark, encoding="utf-8")
    study = (root / "studies" / "digits.toml").read_text(encoding="utf-8")
    (run_folder / "study.toml").write_text(study, encoding="utf-8")
    record = json.loads((run_folder / "study.json").read_text(encoding="utf-8"))
    record |= {"machine_folders": {"loihi1": str(place), "ops45_int8": str(place)}}
    record |= {"trials": 3, "folder": str(place)}
    (run_folder / "study.json").write_text(json.dumps(record), encoding="utf-8")
    return place


def _placed(words: list[str], run: Path, tmp_path: Path) -> list[str]:
    given = {"RUN": str(run), "OUT": str(tmp_path / "out"), "chip": "loihi1", "CHIP": "loihi1"}
    for name, place in given.items():
        words = [word.replace(name, place) for word in words]
    return words


@pytest.mark.parametrize(("command", "words"), [*READING.items(), *TRAINING.items()])
def test_no_folder_joins_the_path(monkeypatch, autoprune, decoys, run_folder, command, words):
    """What a folder names is not looked into, also where it names no code."""
    monkeypatch.chdir(decoys)
    before = list(sys.path)
    autoprune(command.split()[0], *_placed(words, run_folder, decoys.parent))
    assert sys.path == before


@pytest.mark.full
@pytest.mark.parametrize(
    ("command", "words"),
    [
        *READING.items(),
        *TRAINING.items(),
        ("check", ["loihi1"]),
        ("show", ["digits"]),
        ("list", []),
        ("doctor", []),
        ("run", ["digits", "--dry-run"]),
        ("profile", ["spikformer", "--help"]),
        ("init", ["OUT"]),
    ],
)
def test_no_module_of_a_folder_is_taken_for_a_library(
    autoprune, decoys, run_folder, tmp_path, command, words
):
    """Each command in a process of its own, in a folder of modules that libraries look for."""
    words = _placed(words, run_folder, tmp_path)
    start = "import sys; from autoprune.cli.main import main; sys.argv[0] = 'autoprune'; main()"
    line = [sys.executable, "-P", "-c", start, command.split()[0], *words]
    done = subprocess.run(line, cwd=decoys, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "mark").exists()


def test_storage_that_is_no_runs_is_not_touched(tmp_path, autoprune, run_folder):
    """A run folder that names another place as its storage of weights."""
    other = RunFolder(tmp_path / "mine")
    other.write_record(RunFolder(run_folder).record)
    other.checkpoints.mkdir()
    weights = other.checkpoint(TrialKey(7))
    weights.write_bytes(b"dear to me")
    study = json.loads((run_folder / "study.json").read_text(encoding="utf-8"))
    study["places"]["artifacts"] = f"file://{other.path}"
    (run_folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    said = autoprune("clean", run_folder)
    assert (said.code, said.out) == (2, "")
    assert f"names storage, 'file://{other.path}', which is not opened; exp" in said.err
    said = autoprune("clean", run_folder, "--import")
    assert (said.code, said.out) == (2, "")
    assert f"file://{other.path}: holds no run of autoprune's" in said.err
    Artifacts(f"file://{other.path}").claim("the mark of mine")
    said = autoprune("clean", run_folder, "--import")
    assert (said.code, said.out) == (2, "")
    assert f"file://{other.path}: holds another run" in said.err
    assert weights.is_file()


@pytest.mark.parametrize("command", TRAINING)
def test_storage_that_only_the_study_of_a_folder_names_is_not_contacted(
    monkeypatch, autoprune, run_folder, root, tmp_path, command
):
    study = (root / "studies" / "digits.toml").read_text(encoding="utf-8")
    study = study.replace("seed = 0", 'seed = 0\nartifacts = "ftp://evil.example.org/x"')
    (run_folder / "study.toml").write_text(study, encoding="utf-8")
    (run_folder / "checkpoints").mkdir()
    (run_folder / "checkpoints" / "00001.safetensors").touch()
    monkeypatch.setattr("autoprune.runs.artifacts.url_to_fs", lambda *_: pytest.fail("opened"))
    said = autoprune(command, *_placed(TRAINING[command], run_folder, tmp_path))
    assert said.code == 2
    assert "study.toml: artifacts: names storage, 'ftp://evil.example.org/x'" in said.err


READING_ALONE = ("front", "report", "status", "trials", "trial", "compare", "price", "pick")


@pytest.mark.parametrize("command", READING_ALONE)
@pytest.mark.parametrize("place", ["artifacts", "storage"])
def test_reading_opens_nothing_that_a_folder_names(
    monkeypatch, autoprune, run_folder, tmp_path, command, place
):
    database = tmp_path / "mine.db"
    sqlite3.connect(database).close()
    study = json.loads((run_folder / "study.json").read_text(encoding="utf-8"))
    study["places"][place] = "ftp://x/y" if place == "artifacts" else f"sqlite:///{database}"
    (run_folder / "study.json").write_text(json.dumps(study), encoding="utf-8")

    def opened(*given: object, **more: object) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr("autoprune.runs.artifacts.url_to_fs", opened)
    monkeypatch.setattr("autoprune.search.storages.RDBStorage", opened)
    words = _placed(READING[command], run_folder, tmp_path)
    said = autoprune(command, *words)
    assert said.code == 0, said.err
    assert database.stat().st_size == 0
    if (command, place) == ("status", "storage"):
        assert "some (--import asks the database) running" in said.out


def test_a_database_that_a_folder_names_is_read_and_not_written(autoprune, run_folder, tmp_path):
    database = tmp_path / "mine.db"
    sqlite3.connect(database).close()
    study = json.loads((run_folder / "study.json").read_text(encoding="utf-8"))
    study["places"] |= {"storage": f"sqlite:///{database}", "study": "x"}
    (run_folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    said = autoprune("status", run_folder, "--import")
    assert said.code == 2
    assert "mine.db" in said.err
    assert "Traceback" not in said.err
    assert database.stat().st_size == 0
    study = optuna.create_study(study_name="x", storage=f"sqlite:///{database}")
    for _ in range(4):  # one more than the folder has
        study.ask()
    before = database.read_bytes()
    assert "1 running" in autoprune("status", run_folder, "--import").out
    assert database.read_bytes() == before


def test_a_password_of_the_environment_stays_here(monkeypatch):
    """What is asked for a database that a run folder names."""
    monkeypatch.setenv(PASSWORD, "s3cr3t")
    monkeypatch.setenv("PGPASSWORD", "s3cr3t")
    seen: list[dict[str, object]] = []

    def connect(url: str, **how: object) -> None:
        seen.append({"url": url, **how})

    monkeypatch.setattr("autoprune.search.storages.RDBStorage", connect)
    read_database("postgresql://me@evil.example.org/runs")
    assert "s3cr3t" not in str(seen)
    [given] = seen
    assert given["engine_kwargs"]["connect_args"]["password"] == "", "PGPASSWORD is not looked at"
    assert "default_transaction_read_only=on" in str(given)
    open_database("postgresql://me@db.example.org/runs")
    assert "s3cr3t" in str(seen[1])
