"""Who may import what: torch, Optuna and Ray stay in their packages."""

from __future__ import annotations

import ast

HEAVY = {"torch", "spikingjelly", "optuna", "ray", "fvcore", "sklearn", "safetensors"}
TORCH = {"torch", "spikingjelly", "safetensors"}
ALLOWED = {
    "compress": TORCH,
    "models": TORCH,
    "census": TORCH | {"fvcore"},
    "data": TORCH | {"sklearn"},
    "export": TORCH,
    "measure": TORCH,
    "training": TORCH,
    "trial": TORCH,
    "bench": TORCH,
    "rehearsal": TORCH,
    "limits": TORCH,
    "driver": TORCH,
    "prepare": TORCH,
    "search": {"optuna"},
    "sweep": TORCH | {"ray"},
}
"""Heavy libraries by package or module; everything else imports none, `cli` inside functions."""

LIGHT = {
    "errors",
    "plugin",
    "spec",
    "plan",
    "point",
    "shape",
    "workload",
    "op",
    "op_table",
    "cost",
    "measurement",
    "outcome",
    "storage",
}
"""Values, and what turns them into costs: they may import each other and nothing else of ours."""


def imports(file, root):
    """Top-level names that a file imports, with whether the import stands inside a function."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            yield name, id(node) in inner


def room(file, root) -> str:
    return file.relative_to(root / "autoprune").parts[0].removesuffix(".py")


def forbidden(root):
    for file in sorted((root / "autoprune").rglob("*.py")):
        where = room(file, root)
        for name, inside in imports(file, root):
            top = name.split(".")[0]
            if where == "cli" and inside:
                continue
            if top in HEAVY and top not in ALLOWED.get(where, set()):
                yield f"{file.name} imports {name}"
            if top == "ray" and where != "sweep":
                yield f"{file.name} imports {name}"
            if where in LIGHT and top == "autoprune" and name.split(".")[1] not in LIGHT:
                yield f"{file.name} imports {name}"


def test_nothing_forbidden_is_imported(root):
    assert list(forbidden(root)) == []
