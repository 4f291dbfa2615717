"""Who may import whom: down the order of the rooms, without a circle; heavy libraries at home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ORDER = (
    {"errors"},
    {"files", "plugin"},
    {"config"},
    {"networks", "data"},
    {"workload", "compress"},
    {"trial", "cost"},
    {"runs"},
    {"search", "report"},
    {"study"},
    {"deploy", "sweep"},
    {"opened_run"},
    {"api"},
    {"cli"},
    {"__main__"},
)
"""Rooms and root modules, floor by floor. A room imports from floors below its own alone."""

HEAVY = {"torch", "spikingjelly", "optuna", "ray", "sklearn", "safetensors"}
TORCH = {"torch", "spikingjelly", "safetensors"}
HOMES = {
    "networks": TORCH,
    "data": TORCH | {"sklearn"},
    "workload/census": TORCH,
    "compress/surgery": TORCH,
    "trial": TORCH,
    "search": {"optuna"},
    "study": TORCH,
    "deploy": TORCH,
    "sweep": TORCH,
    "sweep/ray": {"ray"},
}
"""Heavy libraries by folder; everything else imports none, `cli` inside functions."""

LIGHT = {
    "networks/families.py",
    "networks/shape.py",
    "networks/spec.py",
    "data/spec.py",
    "trial/measurement.py",
    "trial/job.py",
    "trial/spec.py",
    "study/study.py",
    "study/check.py",
    "study/address.py",
    "study/identity.py",
    "study/kinds.py",
    "study/recorded.py",
    "study/warm_start.py",
}
"""Values and what reads them, in rooms that know torch: they import none of it."""


WAY_IN = ("api", "cli", "errors", "files", "report")
"""What commands import: the one way in, and how its values are shown."""

SHOWN = {
    "deploy.measure",
    "runs.outcome",
    "runs.recipe",
    "sweep.progress",
    "sweep.stop",
    "sweep.terminal",
    "trial.key",
}
"""Modules of values that commands give to it, or are told."""


class Import(NamedTuple):
    """An import of a module: by which file, and whether inside a function."""

    file: str
    name: str
    inside: bool


def imports(text: str, file: str) -> Iterator[Import]:
    """Every import of a file but those for type checkers alone."""
    tree = ast.parse(text)
    typing = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for node in ast.walk(branch)
    }
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            own = node.module or ""
            # `from autoprune.deploy import observe` may name a module of the package
            names = [f"{own}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(file, name, id(node) in inner)


def every_import(root: Path) -> Iterator[Import]:
    package = root / "autoprune"
    for file in sorted(package.rglob("*.py")):
        yield from imports(file.read_text(encoding="utf-8"), str(file.relative_to(package)))


def room(path: str) -> str:
    return path.partition("/")[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(place for place, rooms in enumerate(ORDER) if name in rooms)


def arrows_up(found: Iterator[Import]) -> list[str]:
    """Imports of our own that do not go down to a lower floor, or stay in their room."""
    wrong = []
    for file, name, _ in found:
        if file == "__init__.py" or not name.startswith("autoprune."):
            continue
        own, other = room(file), name.split(".")[1]
        if own != other and floor(other) >= floor(own):
            wrong.append(f"{file} imports {name}")
    return wrong


def heavy_imports(found: Iterator[Import]) -> list[str]:
    """Imports of heavy libraries where they are not at home."""
    wrong = []
    for file, name, inside in found:
        top = name.split(".")[0]
        if top not in HEAVY or (room(file) == "cli" and inside):
            continue
        homes = {folder for folder in HOMES if file.startswith(f"{folder}/")}
        allowed = set().union(*(HOMES[folder] for folder in homes)) if homes else set()
        if top not in allowed or file in LIGHT:
            wrong.append(f"{file} imports {name}")
    return wrong


def ways_around(found: Iterator[Import]) -> list[str]:
    """Imports of commands that reach into a room instead of asking the one way in."""
    wrong = []
    for file, name, _ in found:
        _, own, module = name.partition("autoprune.")
        known = module.startswith(WAY_IN) or module.rpartition(".")[0] in SHOWN
        if room(file) == "cli" and own and not known:
            wrong.append(f"{file} imports {name}")
    return wrong


def circles(found: Iterator[Import], modules: set[str]) -> list[list[str]]:
    """Modules that import each other, over however many steps."""
    edges: dict[str, set[str]] = {module: set() for module in modules}
    for file, name, _ in found:
        parts = name.split(".")
        whole = (".".join(parts[:end]) for end in range(len(parts), 1, -1))
        target = next((module for module in whole if module in modules), None)
        own = "autoprune." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if target is not None and own in modules and target != own:
            edges[own].add(target)
    left = {module: set(targets) for module, targets in edges.items()}
    while free := [module for module, targets in left.items() if not targets]:
        for module in free:
            del left[module]
        for targets in left.values():
            targets.difference_update(free)
    return [sorted(left)] if left else []


def module_names(root: Path) -> set[str]:
    files = (root / "autoprune").rglob("*.py")
    return {
        ".".join(file.relative_to(root).with_suffix("").parts)
        for file in files
        if file.name != "__init__.py"
    }


def test_imports_go_down_the_order(root):
    assert arrows_up(every_import(root)) == []


def test_every_room_has_its_floor(root):
    found = {
        room(str(f.relative_to(root / "autoprune"))) for f in (root / "autoprune").rglob("*.py")
    }
    assert found - {"__init__"} == set().union(*ORDER)


def test_no_module_imports_itself_over_others(root):
    assert circles(every_import(root), module_names(root)) == []


def test_heavy_libraries_stay_at_home(root):
    assert heavy_imports(every_import(root)) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("runs/folder.py", "from autoprune.report.front.front import MachineFront"),
        ("search/task.py", "from autoprune.report.files import to_csv"),
        ("search/task.py", "def f():\n    from autoprune.study.study import Study"),
        ("errors.py", "import autoprune.config"),
    ],
)
def test_an_arrow_up_is_found(file, text):
    assert len(arrows_up(imports(text, file))) == 1


def test_commands_take_the_one_way_in(root):
    assert ways_around(every_import(root)) == []
    around = "def f():\n    from autoprune.cost.load import load_machine"
    assert len(ways_around(imports(around, "cli/show.py"))) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("compress/plan.py", "import torch"),
        ("search/task.py", "from ray import tune"),
        ("sweep/driver.py", "def f():\n    import ray"),
        ("study/study.py", "from torch import nn"),
        ("cli/run.py", "import optuna"),
    ],
)
def test_a_heavy_library_away_from_home_is_found(file, text):
    assert len(heavy_imports(imports(text, file))) == 1


def test_a_circle_is_found():
    found = [Import("a.py", "autoprune.b", False), Import("b.py", "autoprune.a.name", True)]
    assert circles(iter(found), {"autoprune.a", "autoprune.b"}) == [["autoprune.a", "autoprune.b"]]
