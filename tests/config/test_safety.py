"""What is read from files that may be another's runs nothing of theirs."""

from __future__ import annotations

import ast
import os
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from autoprune.cli.main import cli
from autoprune.compress.configuration import make_plan
from autoprune.compress.effort import Effort
from autoprune.config import find_file
from autoprune.deploy.load import read_form
from autoprune.deploy.manifest import write_manifest
from autoprune.errors import AutopruneError, InputError
from autoprune.networks.checkpoint import load_checkpoint
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.runs.outcome_file import write_outcome
from autoprune.runs.record import RunRecord
from autoprune.runs.weights import weights_place
from autoprune.sweep.prepare import prepare
from autoprune.sweep.record import write_study
from autoprune.trial.key import TrialKey

PICKLES = {
    "autoprune/trial/method_laws.py": "a law of methods: what this process has made pickles itself",
    "autoprune/data/cifar.py": "CIFAR ships as pickles; an error of theirs",
    "autoprune/data/plain_pickle.py": "they are read here, by a reader of plain types",
    "autoprune/trial/setup.py": "between a driver and its own workers",
    "autoprune/cost/contract.py": "between a process and its own child",
}
"""Files that may speak of pickle, and why."""


class Bomb:
    """What a hostile pickle does when it is read."""

    def __init__(self, mark) -> None:
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_pickle_is_read_nowhere_else(root):
    for file in sorted((root / "autoprune").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(root).as_posix()
        spoken = re.search(r"\b(pickle|cloudpickle|joblib|dill|shelve)\.load|import pickle", text)
        assert not spoken or name in PICKLES, name
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        loads = [ast.unparse(call) for call in calls if ast.unparse(call.func) == "torch.load"]
        assert all("weights_only=True" in call for call in loads), name
        assert "allow_pickle=True" not in text, name


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_a_checkpoint_that_is_a_pickle_does_nothing(tmp_path, network, ending):
    file, mark = tmp_path / f"parent.{ending}", tmp_path / "ran"
    file.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(InputError):
        load_checkpoint(network, file)
    assert not mark.exists()
    pickle.loads(file.read_bytes())  # it would have
    assert mark.exists()


def test_a_trial_that_is_a_pickle_does_nothing(tmp_path):
    mark, folder = tmp_path / "ran", RunFolder(tmp_path)
    folder.trials.mkdir()
    folder.file(TrialKey(3)).write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(AutopruneError):
        folder.read(TrialKey(3))
    folder.study_file.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(AutopruneError):
        _ = folder.record
    assert not mark.exists()


MACHINE = """
title = "a chip with code"
family = "hostile:Family"
weight_bits = 8
capabilities = { spike_sparsity = "skip", weight_sparsity = "skip", real_input = "host", dynamic_product = "native", integer_spike = "native", neuron = "host" }
[prices]
ac = { value = 0.05, unit = "pJ", evidence = "simulated", scope = "per_term", source = "a report" }
"""  # noqa: E501


def test_check_imports_nothing_unless_it_is_asked_to(root, tmp_path):
    mark = tmp_path / "ran"
    (tmp_path / "hostile.py").write_text(f"import os; os.mkdir({str(mark)!r})", encoding="utf-8")
    (tmp_path / "chip.toml").write_text(MACHINE, encoding="utf-8")
    study = (root / "studies" / "digits.toml").read_text(encoding="utf-8")
    study = study.replace('"ops45_int8"]', '"chip.toml"]')
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    for name in ("chip.toml", "study.toml"):
        with pytest.raises(InputError, match="hostile:Family.*not imported; expected --import"):
            CliRunner().invoke(cli, ["check", str(tmp_path / name)], catch_exceptions=False)
    assert not mark.exists()
    with pytest.raises(InputError, match="Family"):
        CliRunner().invoke(
            cli, ["check", "--import", str(tmp_path / "chip.toml")], catch_exceptions=False
        )
    assert mark.exists()


HOSTILE_KEYS = ["../outside", "a/../../outside", "/etc/passwd", "..\\outside", "x\0"]


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_key_cannot_leave_the_run_folder(tmp_path, shape, key):
    folder = RunFolder(tmp_path / "run")
    folder.write_record(RunRecord(shape=shape))
    for use in (
        folder.file,
        folder.checkpoint,
        folder.read,
        lambda name: weights_place(folder, name),
        lambda name: folder.read_workload(name, 8),
    ):
        with pytest.raises(AutopruneError, match="is no trial and no baseline"):
            use(TrialKey.parse(key))


def test_an_outcome_that_calls_itself_a_file_elsewhere_stays_inside(tmp_path, measured, shape):
    effort = Effort(time_steps=4, learning_rate=1e-3, epochs=1)
    outcome = Outcome(
        key=TrialKey(3),
        origin="sampled",
        configuration=(),
        plan=make_plan({}, shape, effort),
        seed=0,
        state="measured",
        measurement=measured(make_plan({}, shape, effort)),
    )
    folder = RunFolder(tmp_path / "run")
    folder.write(outcome)
    hostile = replace(folder.read(TrialKey(3)), key="../../outside")  # type: ignore[arg-type]
    write_outcome(hostile, folder.file(TrialKey(3)))
    (tmp_path / "outside.parquet").write_bytes(folder.file(TrialKey(3)).read_bytes())
    with pytest.raises(AutopruneError, match="is no trial and no baseline"):
        folder.read_heads()
    with pytest.raises(AutopruneError, match="is no trial and no baseline"):
        folder.read(TrialKey(3))
    with pytest.raises(AutopruneError, match="is no trial and no baseline"):
        TrialKey(name="../../outside")


@pytest.mark.parametrize("machine", ["../chip.toml", "a/../../chip.toml"])
def test_a_copy_of_a_machine_lies_in_the_run_folder(root, tmp_path, machine):
    (tmp_path / "study" / "a").mkdir(parents=True)
    text = find_file("cost_models", "ops45_int8", Path()).read_text(encoding="utf-8")
    (tmp_path / "chip.toml").write_text(text, encoding="utf-8")
    study = (root / "studies" / "digits.toml").read_text(encoding="utf-8")
    study = study.replace('"ops45_int8"]', f'"{machine}"]')
    (tmp_path / "study" / "study.toml").write_text(study, encoding="utf-8")
    prepared, folder = prepare(str(tmp_path / "study" / "study.toml")), RunFolder(tmp_path / "run")
    write_study(prepared, folder)
    assert (folder.machines / "chip.toml").is_file()
    written = {file for file in tmp_path.rglob("*") if file.is_file()}
    inside = {file for file in written if file.is_relative_to(folder.path)}
    assert written - inside == {tmp_path / "chip.toml", tmp_path / "study" / "study.toml"}


@pytest.mark.parametrize("name", ["../outside.txt", "link.txt"])
def test_a_manifest_reads_no_file_outside_its_folder(tmp_path, name):
    folder = tmp_path / "export"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("not yours", encoding="utf-8")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    write_manifest(folder, {}, [name])
    with pytest.raises(InputError, match=r"manifest.json: names '.*txt'; expected files of the"):
        read_form(folder)
