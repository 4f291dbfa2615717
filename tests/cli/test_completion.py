"""Shell completion: click's own, which the installed script answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from autoprune.cli.main import cli

SCRIPT = [sys.executable, "-c", "from autoprune.cli.main import main; main()"]


def ask(words: str, place: int) -> list[str]:
    """What bash is offered for the word at that place of a line."""
    environment = {"COMP_WORDS": words, "COMP_CWORD": str(place)}
    done = subprocess.run(
        SCRIPT,
        env=os.environ | environment | {"_AUTOPRUNE_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_every_command_is_offered():
    assert ask("autoprune ", 1) == cli.list_commands(None)  # type: ignore[arg-type]


def test_options_of_a_command_are_offered():
    assert {"--machine", "--max-energy-uj"} <= set(ask("autoprune pick --m", 2))


def offered(*words: str) -> set[str]:
    """What is offered for the last word of a line, as `ask`, in this process."""
    found = ShellComplete(cli, {}, "autoprune", "").get_completions([*words[:-1]], words[-1])
    return {item.value if item.type == "plain" else item.type for item in found}


def test_machines_studies_and_trials_are_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("machines/mine.toml", "trials/00007.parquet", "baselines/fine-tuned.parquet"):
        (tmp_path / "run" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / file).touch()
    assert {"digits", "imagenet_sdt"} <= offered("run", "")
    assert offered("run", "digits_") == {"digits_events"}
    assert {"mine", "loihi1"} <= offered("front", "run", "--machine", "")
    assert offered("pick", "run", "--machine", "mi") == {"mine"}
    assert offered("price", "run:7", "--machine", "lo") >= {"loihi1", "loas"}
    for command in ("trial", "export", "workload"):
        assert offered(command, "run", "") == {"7", "fine-tuned"}
    assert offered("check", "./my_chip") == {"file"}


def test_what_a_shell_would_run_is_not_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run" / "machines").mkdir(parents=True)
    for name in ("$(id)", "a;id", "`id`", "a\nplain,b", "a|b", "a b", "-x", "mine-8.2"):
        (tmp_path / "run" / "machines" / f"{name}.toml").touch()
    bundled = offered("front", "nowhere", "--machine", "")
    assert offered("front", "run", "--machine", "") - bundled == {"mine-8.2"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell, root, tmp_path):
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert "_AUTOPRUNE_COMPLETE=bash_source autoprune" in readme and shell in readme
    environment = os.environ | {"_AUTOPRUNE_COMPLETE": f"{shell}_source"}
    done = subprocess.run(SCRIPT, env=environment, capture_output=True, text=True)
    assert "_AUTOPRUNE_COMPLETE" in done.stdout
    if shell == "bash":
        file = Path(tmp_path / "completion")
        file.write_text(done.stdout, encoding="utf-8")
        subprocess.run(["bash", "-n", file], check=True)
