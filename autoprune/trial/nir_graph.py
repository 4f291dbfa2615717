"""The census of a graph of NIR on inputs out of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from autoprune.compress.bits import FULL_BITS
from autoprune.compress.surgery.rounding import rounded
from autoprune.data.npz import read_inputs
from autoprune.errors import InputError
from autoprune.networks.nir.network import NirNetwork
from autoprune.networks.nir.read import read_graph
from autoprune.workload.census.count import count
from autoprune.workload.workload import Workload


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
    shown = _in_time(read_inputs(inputs), network, how.time_steps, str(inputs))
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
