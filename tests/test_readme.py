"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import shlex

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
    (text,) = blocks(readme, "toml")
    assert len([line for line in text.splitlines() if line]) <= 10
    (tmp_path / "my_chip.toml").write_text(text, encoding="utf-8")
    check_contract(load_machine(str(tmp_path / "my_chip.toml")))


def test_every_command_exists_with_its_options(readme):
    lines = [line for block in blocks(readme, "") for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("autoprune ")]
    assert {words[1] for words in commands} >= {
        "front",
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
