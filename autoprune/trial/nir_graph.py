"""The census of a graph of NIR on inputs out of a file."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autoprune.compress.bits import FULL_BITS
from autoprune.compress.surgery.rounding import rounded
from autoprune.errors import FileError, InputError
from autoprune.files import GIB
from autoprune.networks.nir.network import NirNetwork
from autoprune.networks.nir.read import read_graph
from autoprune.workload.census.count import count
from autoprune.workload.workload import Workload

_MOST = GIB
"""Bytes of the inputs, unpacked; as real numbers they have up to four times as many."""

_WRONG = (
    *(EOFError, LookupError, MemoryError, NotImplementedError, OSError, RuntimeError),
    *(SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
"""What a file that is no archive of arrays makes its readers raise."""

_ARRAY = "inputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How a graph is counted.

    Attributes:
        time_steps: T of inputs without time, which are shown so often; None: the inputs have it.
        dt: seconds of a time step; None: what the graph says, else `STEP_S` of its network.
        weight_bits: to which weights are rounded before. product_sparsity: whether tiles count.
    """

    time_steps: int | None = None
    dt: float | None = None
    weight_bits: int = FULL_BITS
    product_sparsity: bool = False


def profile_graph(graph: Path, inputs: Path, how: Counting) -> Workload:
    """Count what the network of a NIR file does on the array of a NumPy file.

    Args:
        graph: with one Input.
        inputs: an .npz with one array, or one called ``inputs``: [samples, T, ...] as the Input's
            shape goes on, or [samples, ...], shown in every one of T steps.
        how: see `Counting`.

    Raises FileError where a file cannot be read, InputError where the graph cannot be run on the
    inputs, and CountingError where an operation cannot be counted exactly.
    """
    found = read_graph(graph)
    network = NirNetwork(found, 1, how.dt)
    shown = _in_time(_array(inputs), network, how.time_steps, str(inputs))
    network.T = shown.shape[1]
    with torch.random.fork_rng(devices=[]), rounded(network, how.weight_bits):
        return count(
            network.eval(),
            None,
            shown,
            network.T,
            weight_bits=how.weight_bits,
            product_sparsity=how.product_sparsity,
        )


def _array(file: Path) -> Tensor:
    where = str(file)
    if not file.is_file():
        raise FileError(where, "no such file" if not file.exists() else "no regular file")
    try:
        with zipfile.ZipFile(file) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST:
                raise FileError(where, f"larger than {_MOST // GIB} GiB")
        with np.load(file, allow_pickle=False) as arrays:
            names = list(arrays)
            name = _ARRAY if _ARRAY in names else names[0] if len(names) == 1 else ""
            if not name:
                raise InputError(where, f"arrays {', '.join(names)}", f"one called {_ARRAY!r}")
            values = arrays[name]
    except _WRONG as error:
        raise FileError(where, f"no .npz of numbers ({error})") from error
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise InputError(where, f"{name} holds no finite numbers")
    return torch.as_tensor(values, dtype=torch.float32)


def _in_time(values: Tensor, network: NirNetwork, steps: int | None, where: str) -> Tensor:
    """As [samples, T, ...]; with an axis of length 1 where images would be meant, without time."""
    shape = network.shape
    if tuple(values.shape[1:]) == shape and steps is not None:
        values = values.unsqueeze(1).expand(-1, steps, *shape)
    elif tuple(values.shape[2:]) != shape or steps not in (None, values.shape[1]):
        sizes = ", ".join(map(str, shape))
        raise InputError(
            where,
            f"an array {list(values.shape)}" + (f" for {steps} time steps" if steps else ""),
            f"[samples, T, {sizes}], or [samples, {sizes}] and --time-steps",
        )
    if not len(values) or not values.shape[1]:
        raise InputError(where, f"an array {list(values.shape)}", "samples and time steps")
    return values.unsqueeze(2) if values.ndim in (2, 4) else values
