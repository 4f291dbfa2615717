"""Copy the code that loads a network, so that an exported folder stands alone.

The copy is the project's own code, word for word: `autoprune.deploy.load` and every module of
autoprune that it imports, directly or not, as the package ``autoprune_network``. Only the names of
imports change, from ``from autoprune.compress.plan import Plan`` to
``from ..compress.plan import Plan``, so that the package works under any
name and two folders can be loaded in one process.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from autoprune.errors import AutopruneError
from autoprune.networks.families import FAMILIES

_PACKAGE = Path(__file__).resolve().parent.parent
_LOADER = Path(__file__).with_name("load_network.py")
_ROOT = "deploy/load.py"
_IMPORT = re.compile(r"^( *)from autoprune(\.[\w.]*)? import ", re.MULTILINE)
_INIT = '"""The part of autoprune that loads the network in this folder; a copy."""\n'


def copy_sources(folder: Path) -> list[str]:
    """Write loader and package into `folder`; returns the files by their relative paths."""
    texts = {"load_network.py": _LOADER.read_text(encoding="utf-8")}
    modules = closure()
    packages = {str(Path(name).parent) for name in modules} | {"."}
    for package in packages:
        texts[f"autoprune_network/{package}/__init__.py".replace("/./", "/")] = _INIT
    for name in modules:
        text = (_PACKAGE / name).read_text(encoding="utf-8")
        texts[f"autoprune_network/{name}"] = rewritten(text, name)
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return sorted(texts)


def closure() -> list[str]:
    """Every module of autoprune that loading needs, as paths in the package."""
    found: list[str] = []
    left = [_ROOT, *_families()]
    while left:
        name = left.pop()
        if name not in found:
            found.append(name)
            left += _imports(name)
    return sorted(found)


def _families() -> list[str]:
    """The modules of this project that a family of networks names, and imports when it is built."""
    names = [n for f in FAMILIES.values() for n in (f.network_class, f.adapter_class)]
    return sorted({f"networks/{n[1:].partition(':')[0]}.py" for n in names if n.startswith(".")})


def _imports(name: str) -> list[str]:
    """The modules of autoprune that one of its files imports."""
    imported = []
    for node in ast.walk(ast.parse((_PACKAGE / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import) and any(_ours(alias.name) for alias in node.names):
            raise AutopruneError(f"{name}: cannot be copied: it imports autoprune as a whole")
        if isinstance(node, ast.ImportFrom) and _ours(node.module or ""):
            path = "/".join((node.module or "").split(".")[1:])
            for alias in node.names:
                inner = f"{path}/{alias.name}.py".removeprefix("/")
                imported.append(inner if (_PACKAGE / inner).is_file() else f"{path}.py")
    return imported


def _ours(module: str) -> bool:
    return module == "autoprune" or module.startswith("autoprune.")


def rewritten(text: str, name: str) -> str:
    """The text of a module with relative imports in place of absolute ones."""
    dots = "." * (name.count("/") + 1)
    return _IMPORT.sub(lambda m: f"{m[1]}from {dots}{(m[2] or '')[1:]} import ", text)
