"""What one of the suite's processes takes as a whole: a file, or tests that start Ray."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent


class Pieces(LoadScopeScheduling):
    """Hands out whole files, and the tests of all files that start Ray as two pieces."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # Ray takes longest, and comes first

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        return _on_ray(file).get(test.partition("[")[0], file)


@cache
def _on_ray(file: str) -> dict[str, str]:
    """The pieces of the file's tests that start Ray, by name: in their process, or in others.

    The file's text alone is known where pieces are made.
    """
    tests = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    return {
        test.name: "ray" if "one_ray" in ast.unparse(test.args) else "ray in other processes"
        for test in tests
        if isinstance(test, ast.FunctionDef)
        and any("mark.ray" in ast.unparse(decorator) for decorator in test.decorator_list)
    }
