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
    loader = importlib.import_module(f"{name}.export.load")
    network = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["network"]
    if not any(":" in (network[key] or "") for key in ("model", "adapter")):
        return loader.load(FOLDER)
    with _in_place_of_autoprune(name):
        return loader.load(FOLDER)


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
def _in_place_of_autoprune(name: str) -> Iterator[None]:
    """While this lasts, autoprune means the code in this folder.

    The module of a user's own network imports autoprune where its adapter stands in it.
    """
    before = {key: sys.modules[key] for key in list(sys.modules) if _is_part(key, "autoprune")}
    ours = {key: sys.modules[key] for key in list(sys.modules) if _is_part(key, name)}
    for key in before:
        del sys.modules[key]
    sys.modules.update({"autoprune" + key.removeprefix(name): ours[key] for key in ours})
    try:
        yield
    finally:
        for key in [key for key in sys.modules if _is_part(key, "autoprune")]:
            del sys.modules[key]
        sys.modules.update(before)


def _is_part(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


if __name__ == "__main__":
    loaded = load()
    count = sum(parameter.numel() for parameter in loaded.parameters())
    print(f"{type(loaded).__name__}: every file is as exported; {count} parameters")  # noqa: T201
