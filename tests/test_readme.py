"""What the README shows works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from autoprune.cli.main import cli
from autoprune.cost.contract import check_contract
from autoprune.cost.load import FAMILIES, load_machine
from autoprune.spec import bundled


@pytest.fixture
def readme(root) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def blocks(readme: str, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def test_the_machine_in_ten_lines(readme, tmp_path):
    text = next(text for text in blocks(readme, "toml") if "family" in text)
    assert len([line for line in text.splitlines() if line]) <= 10
    (tmp_path / "my_chip.toml").write_text(text, encoding="utf-8")
    check_contract(load_machine(str(tmp_path / "my_chip.toml")))


@pytest.mark.ray
def test_a_network_of_ones_own_on_ray(readme, root, tmp_path):
    """The README's network, adapter and study, from a folder of their own, as a user runs them."""
    (code,) = blocks(readme, "python")
    adapter = code[code.index("class MyAdapter") :]
    assert len([line for line in adapter.splitlines() if line]) <= 20
    network = next(text for text in blocks(readme, "toml") if "my_network" in text)
    study = (root / "tests" / "studies" / "short.toml").read_text(encoding="utf-8")
    start, end = study.index("[network]"), study.index("[parent]")
    space = (root / "tests" / "studies" / "short_space.toml").read_text(encoding="utf-8")
    (tmp_path / "my_network.py").write_text(code, encoding="utf-8")
    network = network.replace("time_steps = 4", "time_steps = 3")  # what the short space offers
    (tmp_path / "my_study.toml").write_text(study[:start] + network + study[end:], "utf-8")
    (tmp_path / "short_space.toml").write_text(space, encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("autoprune"), "run", "my_study.toml", "--trials", "3"],
        cwd=tmp_path,
        env={**os.environ, "AUTOPRUNE_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "3 plans measured, 0 duplicates, 0 failed" in done.stdout


def test_every_command_exists_with_its_options(readme):
    lines = [line for block in blocks(readme, "") for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("autoprune ")]
    assert {words[1] for words in commands} >= {
        "front",
        "export",
        "price",
        "workload",
        "show",
        "check",
        "list",
    }
    for _, name, *arguments in commands:
        command = cli.get_command(None, name)
        known = {option for param in command.params for option in param.opts}
        assert {word for word in arguments if word.startswith("--")} <= known


def test_families_and_machines_are_those_that_ship(readme):
    for name in (*FAMILIES, *bundled.names("cost_models")):
        assert f"`{name}`" in readme


def test_the_tree_is_the_packages_tree(readme, root):
    tree = next(block for block in blocks(readme, "") if block.startswith("autoprune/"))
    files = {path.name for path in (root / "autoprune").iterdir()} - {"__init__.py", "__pycache__"}
    for name in files - {"_bundled"}:
        assert name in tree, name


def test_pictures_are_there(readme, root):
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", readme):
        assert (root / target).stat().st_size > 10_000
