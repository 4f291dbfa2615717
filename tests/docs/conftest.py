"""The blocks of README and pages, found by walking the files, and a short run to use them on."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from autoprune.cli.main import cli
from tests.short import write_short

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"(?P<before>(?:^[^\n]+\n)*)\n?^```(?P<kind>\S*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A fenced block.

    `file` is what it is to be called, where the paragraph before it names one.
    """

    page: str
    line: int
    kind: str
    text: str
    file: str | None


def files() -> list[Path]:
    """README, the contributor's page, and all of docs."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def walk() -> Iterator[Block]:
    for path in files():
        text = path.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            named = re.findall(r"`(\w+\.(?:py|toml|csv))`", found["before"])
            line = text.count("\n", 0, found.start("text"))
            page = str(path.relative_to(ROOT))
            name = named[-1] if named else None
            yield Block(page, line, found["kind"], found["text"], name)


BLOCKS = list(walk())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`python_block` and `toml_block` stand for each of them, `shell_line` for each command."""
    for kind in ("python", "toml"):
        if f"{kind}_block" in metafunc.fixturenames:
            own = [block for block in BLOCKS if block.kind == kind]
            metafunc.parametrize(f"{kind}_block", own, ids=[f"{b.page}:{b.line}" for b in own])
    if "shell_line" in metafunc.fixturenames:
        metafunc.parametrize("shell_line", shell_lines())


def shell_lines() -> list[str]:
    """Each command once: lines, and what && joins, without comments."""
    texts = [block.text.replace("\\\n", " ") for block in BLOCKS if block.kind == "bash"]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    parts = [part for line in lines for part in re.sub(r"\s#.*", "", line).split("&&")]
    return list(dict.fromkeys(part.strip() for part in parts))


@pytest.fixture(scope="session")
def blocks() -> list[Block]:
    return BLOCKS


@pytest.fixture(name="shell_lines")
def all_shell_lines() -> list[str]:
    return shell_lines()


@pytest.fixture
def pages() -> str:
    """All of them, one after the other."""
    return "\n".join(file.read_text(encoding="utf-8") for file in files())


@pytest.fixture
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def desk(short_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A user's folder: the files that the pages write, a short run, and what it said.

    Its parent is that of `short_run`, which has trained it.
    """
    folder = tmp_path_factory.mktemp("desk")
    study = write_short(folder, ("workers = 2", "workers = 0"))  # in this process
    study.rename(folder / "digits.toml")
    (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
    for block in BLOCKS:
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        done = CliRunner().invoke(cli, ["run", "digits.toml", "--trials", "4"])
        assert done.exit_code == 0, done.output
        (folder / "said.txt").write_text(done.output, encoding="utf-8")
        yield folder
