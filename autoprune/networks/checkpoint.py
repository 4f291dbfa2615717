"""Weights in files: ours, written whole or not at all, and a parent's, with every difference."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from autoprune.errors import InputError
from autoprune.files import write_atomically
from autoprune.networks.key_map import KeyMap
from autoprune.networks.state_file import read_state, without_prefix

_SHOWN = 8
"""Differences that a message lists of each kind."""


def save_weights(network: nn.Module, file: Path) -> None:
    """Put a network's weights into a safetensors file; RecordError where they cannot be written."""
    state = {name: t.cpu().contiguous() for name, t in network.state_dict().items()}

    def write(part: Path) -> None:
        try:
            save_file(state, part)
        except SafetensorError as error:
            raise OSError(str(error)) from error

    write_atomically(file, write)


def load_checkpoint(network: nn.Module, file: Path, keys: KeyMap | None = None) -> None:
    """Give `network` the weights in `file`, in place.

    Args:
        network: as it was when the weights were saved.
        file: see `autoprune.networks.state_file`. Prefixes of wrappers are taken off its names.
        keys: how names of other code become ours.

    Raises InputError where the file cannot be read, or where its names or shapes are not those of
    the network; the message lists what is missing, unknown and of another shape.
    """
    wanted = network.state_dict()
    given = without_prefix(read_state(file), set(wanted))
    unknown = [name for name in given if name not in wanted]
    if keys is not None:
        given, unknown = keys.apply(given, wanted)
    shapes = [
        f"{name} is {_shape(given[name])}, the network's {_shape(wanted[name])}"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape
    ]
    found = [
        _listed("missing", [name for name in wanted if name not in given]),
        _listed("unknown" if keys is None else "that fit nothing", unknown),
        _listed("other shapes", shapes),
    ]
    if any(found):
        raise InputError(
            str(file),
            f"weights of another network than {type(network).__name__}: "
            + "; ".join(part for part in found if part),
            "the same names and shapes",
        )
    network.load_state_dict(given)


def _shape(tensor: Tensor) -> list[int]:
    return list(tensor.shape)


def _listed(what: str, items: list[str]) -> str:
    if not items:
        return ""
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"{len(items)} {what} ({', '.join(items[:_SHOWN])}{more})"
