"""Load the network in this folder. Needs torch, safetensors and spikingjelly, not autoprune.

In Python, where FOLDER is this folder:

    import runpy
    network = runpy.run_path("FOLDER/load_network.py")["load"]()

On the command line, to check every file and see what the network is:

    python load_network.py
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PACKAGE = FOLDER / "autoprune_network"


def load() -> Any:
    """The network, a torch.nn.Module in evaluation mode; reset it with spikingjelly's
    ``functional.reset_net`` before every input.

    Raises an error that names the file where one is missing or was changed.
    """
    name = _import_package()
    loader = importlib.import_module(f"{name}.deploy.load")
    network = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["network"]
    named = [network[key] for key in ("model", "adapter") if ":" in (network[key] or "")]
    named += network["methods"]
    if not named:
        return loader.load(FOLDER, imports=True)
    with _in_place_of_autoprune(name, {path.partition(":")[0].partition(".")[0] for path in named}):
        return loader.load(FOLDER, imports=True)


def _import_package() -> str:
    """Import the code beside this file by a name of its own: other folders have other code."""
    name = "autoprune_network_" + hashlib.sha256(str(FOLDER).encode()).hexdigest()[:8]
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PACKAGE / "__init__.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(PACKAGE)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return name


@contextmanager
def _in_place_of_autoprune(name: str, users: set[str]) -> Iterator[None]:
    """While this lasts, autoprune means the code in this folder, for the packages `users`, too.

    The module of a user's own network imports autoprune where its adapter stands in it, and that of
    a method does. Afterwards all of them are imported, or not, as before.
    """
    aside = {"autoprune", *users}
    before = _loaded(aside)
    for key in before:
        del sys.modules[key]
    ours = {"autoprune" + key.removeprefix(name): module for key, module in _loaded({name}).items()}
    sys.modules.update(ours)
    try:
        yield
    finally:
        for key in _loaded(aside):
            del sys.modules[key]
        sys.modules.update(before)


def _loaded(packages: set[str]) -> dict[str, Any]:
    return {key: sys.modules[key] for key in [*sys.modules] if key.partition(".")[0] in packages}


if __name__ == "__main__":
    loaded = load()
    count = sum(parameter.numel() for parameter in loaded.parameters())
    print(f"{type(loaded).__name__}: every file is as exported; {count} parameters")  # noqa: T201
