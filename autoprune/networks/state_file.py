"""The state dict in a file of weights, as training scripts leave it about; no code of it is run.

What ``torch.save`` writes is a pickle. It is read by torch's own restricted unpickler, which makes
tensors and plain containers alone, and here `argparse.Namespace` as well: timm's saver puts the
options of a training beside the weights. A Namespace takes attributes and does nothing with them.
"""

from __future__ import annotations

import argparse
import re
import zipfile
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from autoprune.errors import InputError

KEYS = ("state_dict", "model_state_dict", "model", "net", "state_dict_ema", "model_ema", "ema")
"""Keys of a dictionary under which scripts keep the weights, in the order in which they are tried:
averaged weights (EMA) are taken where there are no others. Under another key lies a state dict that
is the only one."""

PREFIXES = ("module.", "model.", "_orig_mod.")
"""What wrappers put before every name: DataParallel, a network in another, ``torch.compile``."""

_DEEP = 3
"""Dictionaries inside each other that are looked into: a file's may hold themselves."""

_EXPECTED = "a state dict, as torch.save(network.state_dict(), FILE) or a .safetensors holds it"


def read_state(file: Path) -> dict[str, Tensor]:
    """The tensors in a file, by name; InputError where it holds no state dict, or would run code.

    A state dict may lie under one of `KEYS`, or under one of them inside another, or be the only
    one beside other things, which are not looked at.
    """
    if not file.is_file():
        raise InputError(str(file), "no such file", _EXPECTED)
    if file.suffix == ".safetensors":
        try:
            return dict(load_file(file))
        except (SafetensorError, MemoryError, OSError) as error:
            raise InputError(str(file), f"not readable ({error})", _EXPECTED) from error
    content = _unpickled(file)
    for _ in range(_DEEP):
        if _is_state(content):
            return dict(content)
        content = _inside(content)
    reason = f"holds no state dict under {', '.join(KEYS)}, nor a single one under another key"
    raise InputError(str(file), reason, _EXPECTED)


def without_prefix(given: dict[str, Tensor], known: set[str]) -> dict[str, Tensor]:
    """`given` without the prefixes that all its names have, unless one is among the `known`.

    ``n_averaged`` is no weight: torch's AveragedModel counts its averages beside them.
    """
    if "n_averaged" not in known:
        given = {name: tensor for name, tensor in given.items() if name != "n_averaged"}
    while given and not given.keys() & known:
        prefix = next((p for p in PREFIXES if all(name.startswith(p) for name in given)), None)
        if prefix is None:
            break
        given = {name.removeprefix(prefix): tensor for name, tensor in given.items()}
    return given


def _inside(content: Any) -> Any:
    """What a dictionary holds under the first of `KEYS`, or its only state dict; else None."""
    if not isinstance(content, dict):
        return None
    inner = [content[key] for key in KEYS if key in content]
    states = [value for value in content.values() if _is_state(value)]
    return next(iter(inner or (states if len(states) == 1 else [])), None)


def _is_state(content: object) -> bool:
    return (
        isinstance(content, dict)
        and len(content) > 0
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())
    )


def _refuse_what_grows(file: Path) -> None:
    """InputError for a file that torch would make more of than it holds: a small one fills memory.

    torch.save packs nothing, and a state dict has no bytearray, of which the restricted unpickler
    makes one of any length.
    """
    with file.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as held:
        if held.find(b"bytearray") >= 0:
            raise InputError(str(file), "holds a bytearray", _EXPECTED)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as parts:
            if sum(part.file_size for part in parts.infolist()) > file.stat().st_size:
                raise InputError(str(file), "not readable (its parts are packed)", _EXPECTED)


def _unpickled(file: Path) -> Any:
    try:
        _refuse_what_grows(file)
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:
        refused = re.search(r"GLOBAL ([\w.]+)", str(error))
        if refused is None:
            said = str(error).rpartition("WeightsUnpickler error: ")[2]
            reason = (said.splitlines() or [type(error).__name__])[0]
            raise InputError(str(file), f"not readable ({reason})", _EXPECTED) from error
        raise InputError(
            str(file),
            f"holds an object of {refused[1]}, and to make that runs code",
            "a state dict alone; where you trust the file, and its classes can be imported: "
            f"x = torch.load({file.name!r}, weights_only=False); "
            "torch.save(x.state_dict(), 'weights.pt'), or of a dictionary "
            "torch.save(x['state_dict'], 'weights.pt')",
        ) from error
