"""What a contributor's files say of tools and versions is so."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement


@pytest.fixture
def pyproject(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def script(root):
    """.ci/lowest.py as a module."""
    spec = importlib.util.spec_from_file_location("lowest", root / ".ci" / "lowest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lowest_versions_are_those_of_pyproject(script):
    assert script.TARGET.read_text(encoding="utf-8") == script.constraints()


def test_a_lowest_version_of_each_kind_of_bound(script):
    given = ["a>=1.2", "b[x]>=2.0,<3", "c==4", "d<6,>=5"]
    found = [script.lowest(Requirement(line)) for line in given]
    assert found == ["a==1.2", "b==2.0", "c==4", "d==5"]
    with pytest.raises(ValueError, match=r"no lowest version; expected >= or =="):
        script.lowest(Requirement("e<3"))


def test_extras_are_followed(script):
    extras = {"test": ["pytest>=8", "own[docs]"], "docs": ["sphinx>=8"], "other": ["left>=1"]}
    project = {"name": "own", "optional-dependencies": extras}
    assert [asked.name for asked in script.required(project, "test")] == ["pytest", "sphinx"]


def test_the_hooks_are_the_programs_that_pyproject_pins(root, pyproject):
    """They have no version of their own, and ruff refuses to run in another one."""
    lint = map(Requirement, pyproject["project"]["optional-dependencies"]["lint"])
    pins = {asked.name: str(asked.specifier) for asked in lint}
    assert all(pin.startswith("==") for pin in pins.values())
    assert pyproject["tool"]["ruff"]["required-version"] == pins["ruff"]
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["entry"].split()[0] for hook in hooks} >= set(pins) == {"mypy", "ruff"}


def test_docstrings_say_the_noun(root):
    """Attributes' too: "Energy of each action, in picojoules.", not "Of each action ..."."""
    wrong = []
    for folder in ("autoprune", "benchmarks", "tests"):
        for file in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    text = node.value.value
                    if isinstance(text, str) and text.startswith("Of "):
                        wrong.append(f"{file.relative_to(root)}:{node.lineno}")
    assert wrong == []


def sessions(root: Path) -> set[str]:
    text = (root / "noxfile.py").read_text(encoding="utf-8")
    return set(re.findall(r"^@nox\.session.*\ndef (\w+)\(", text, flags=re.MULTILINE))


def test_every_session_is_named_and_every_name_is_a_session(root):
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {name for names in re.findall(r"nox -s ([\w ]+)", text) for name in names.split()}
    assert named == sessions(root)
    run = (root / ".ci" / "run").read_text(encoding="utf-8")
    run_there = {name for names in re.findall(r"-s ([a-z ]+)", run) for name in names.split()}
    assert run_there == {"lint", "lowest"}
    nox = (root / "noxfile.py").read_text(encoding="utf-8")
    for option in ("full or not full", "--hypothesis-profile=full"):
        assert option in run and option in nox


def test_the_version_is_the_same_everywhere(root, pyproject):
    version = pyproject["project"]["version"]
    assert f"\nversion: {version}\n" in (root / "CITATION.cff").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.*)", (root / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert heads[0].startswith(f"{version} (")
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", head) for head in heads)
