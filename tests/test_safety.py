"""What is read from files that may be another's runs nothing of theirs."""

from __future__ import annotations

import os
import pickle
import re

import pytest
from click.testing import CliRunner

from autoprune.cli.main import cli
from autoprune.errors import AutopruneError, InputError
from autoprune.models.checkpoint import load_checkpoint
from autoprune.run_folder import RunFolder

PICKLES = {
    "autoprune/data/cifar.py": "CIFAR ships as pickles; they are read by a reader of plain types",
    "autoprune/trial.py": "between a driver and its own workers",
    "autoprune/cost/contract.py": "between a process and its own child",
    "autoprune/models/checkpoint.py": "the name of an error",
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
        loads = re.findall(r"torch\.load\([^)]*\)", text)
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
    folder.file("3").write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(AutopruneError):
        folder.read("3")
    folder.study_file.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(AutopruneError):
        folder.read_study()
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
