"""The contributor's table says what has to be touched, and the tree agrees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autoprune.cli.main import cli
from autoprune.config import bundled_names
from autoprune.cost.load import FAMILIES as MACHINE_FAMILIES
from autoprune.data.spec import DATA_SETS
from autoprune.networks.families import FAMILIES

ROOT = Path(__file__).resolve().parents[2]


def rows() -> list[tuple[str, list[str], str]]:
    """What is added, which files that touches, and an example that is there."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## To add something")[2].partition("\n\n")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [(a, re.findall(r"`([^`]+)`", b), c.strip("`")) for a, b, c in cells[2:]]


@pytest.mark.parametrize(("what", "files", "example"), rows(), ids=[row[0] for row in rows()])
def test_every_file_that_is_named_is_there_and_knows_the_example(what, files, example):
    assert files
    for name in files:
        file = ROOT / name.replace("NAME", example)
        assert file.is_file(), file
        if example and "NAME" not in name:
            assert re.search(rf"\b{example}\b", file.read_text(encoding="utf-8")), (file, example)


def without_docstrings(text: str) -> str:
    return re.sub(r'""".*?"""', "", text, flags=re.DOTALL)


@pytest.mark.parametrize("example", ["dual_sparse", "qkformer", "digits_events", "nsga3", "doctor"])
def test_no_other_file_has_to_know_it(example):
    """The example stands in no file of the package but those that the table names."""
    named = next(files for _, files, own in rows() if own == example)
    allowed = {name.replace("NAME", example) for name in named}
    quoted = re.compile(rf"[\"'.]{example}[\"':.]")
    package = ROOT / "autoprune"
    found = {
        str(file.relative_to(ROOT))
        for file in package.rglob("*.py")
        if quoted.search(
            re.sub(r'""".*?"""', "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        )
    }
    assert found <= allowed, found - allowed


def test_a_registry_line_stands_for_every_file():
    package = ROOT / "autoprune"
    families = {file.stem for file in (package / "cost" / "families").glob("[a-z]*.py")}
    assert families == set(MACHINE_FAMILIES)
    assert {f"{module}.py" for module in DATA_SETS.values()} <= {
        file.name for file in (package / "data").glob("*.py")
    }
    for family in FAMILIES.values():
        assert family.network().__name__ and family.adapter()
    assert set(bundled_names("cost_models")) == {f.stem for f in (ROOT / "cost_models").glob("*")}
    commands = {file.stem for file in (package / "cli").glob("[a-z]*.py")}
    assert set(cli.list_commands(None)) <= commands  # type: ignore[arg-type]
