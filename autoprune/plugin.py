"""A user's own function or class, named ``module:name`` in a file: found, or refused.

Nothing but the standard library is imported here: an exported network carries a copy.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from autoprune.errors import AutopruneError, InputError


def load_named(name: str, where: str) -> Any:
    """The function or class that ``module:name`` means.

    Raises InputError, at `where`, with what the import raised, and for what cannot be called.
    """
    module, _, attribute = name.partition(":")
    if not attribute or not all(module.split(".")):
        raise InputError(where, f"given {name!r}", "module:name")
    try:
        found = getattr(import_module(module), attribute)
    except Exception as error:
        raise InputError(
            where,
            f"{name!r} cannot be imported ({type(error).__name__}: {error})",
            "a module that is installed, in PYTHONPATH, or beside the file that names it",
        ) from error
    if not callable(found):
        raise InputError(where, f"{name!r} is of type {type(found).__name__}", "something to call")
    return found


def parameters(function: Any, where: str) -> Mapping[str, inspect.Parameter]:
    """What a function of the user's takes; InputError, at `where`, where Python does not know."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise InputError(where, f"its arguments are not known: {error}") from error


def call(function: Any, where: str, **given: Any) -> Any:
    """What a function or class of the user's returns.

    Raises InputError, at `where`, with what it raised, and in which line.
    """
    try:
        return function(**given)
    except AutopruneError:
        raise
    except Exception as error:
        *_, last = traceback.walk_tb(error.__traceback__)
        place = f"{last[0].f_code.co_filename}, line {last[1]}"
        raise InputError(where, f"raised {type(error).__name__}: {error} ({place})") from error


def refuse_code(name: str, where: str) -> None:
    """InputError, at `where`, if `name` is ``module:name``: importing a module runs it."""
    if ":" in name:
        raise InputError(
            where,
            f"names code, {name!r}, which is not imported",
            "--import, or imports=True in Python, if you trust it",
        )


def importable_name(named: type) -> tuple[str, str]:
    """``module:Class`` of a class, and the folder from which another process can import it.

    Raises TypeError where none can: a class of `__main__`, or inside a function.
    """
    module, name = named.__module__, named.__qualname__
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or "." in name or file is None:
        raise TypeError(f"{module}.{name} cannot be imported in another process; put it in a file")
    depth = module.count(".") + (Path(file).name == "__init__.py")
    return f"{module}:{name}", str(Path(file).resolve().parents[depth])


_BESIDE: set[str] = set()
"""Folders in which a user's own modules may lie."""


_CURIOUS = ("pandas", "scipy", "sympy", "torch")
"""Libraries that look for modules which may be absent, such as numexpr, when they are imported."""


def make_importable(folder: Path) -> None:
    """Let modules beside a user's file be imported; behind all others, so that none is shadowed.

    Only for code that a user asks for: what lies in the folder may be another's. Libraries that
    look for what is not installed do so before, lest they take a file of that name for it.
    """
    path = str(folder.resolve())
    _BESIDE.add(path)
    if path not in sys.path:
        for library in _CURIOUS:
            with suppress(ImportError):
                import_module(library)
        sys.path.append(path)


def own_modules() -> list[Path]:
    """Files and packages of the user's that were imported from beside a file of theirs."""
    found = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is not None and "." not in name:
            path = Path(file).resolve()
            path = path.parent if path.name == "__init__.py" else path
            if str(path.parent) in _BESIDE and name not in ("autoprune", "__main__"):
                found.add(path)
    return sorted(found)
