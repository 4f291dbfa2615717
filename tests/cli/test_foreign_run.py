"""A run folder or a machine file that is another's: no command runs code that it names, unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoprune.cost.load import load_machine
from autoprune.runs.folder import RunFolder
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
    assert f"file://{other.path}: holds no run of autoprune's" in said.err
    assert weights.is_file()
