"""Prove that an exported network takes the space that its plan leaves, to the byte."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from autoprune.compress.plan import Plan
from autoprune.compress.surgery.surgery import matrices
from autoprune.deploy.formats import sizes
from autoprune.deploy.load import WEIGHTS
from autoprune.deploy.pack import Packed
from autoprune.errors import ExportError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.shape import NetworkShape


def sizes_are_exact(packed: Packed, folder: Path) -> None:
    """Raise ExportError unless tensors take the bytes that shapes, zeros and formats predict."""
    predicted = packed.dense_bytes
    for name, how in packed.form.storage.items():
        rows, columns = how.shape[0], how.weights // how.shape[0]
        value = how.dense_bytes // how.weights
        possible = sizes(rows, columns, how.nonzeros, value)
        if how.bytes != min(possible.values()):
            raise ExportError(f"{name} takes {how.bytes} bytes; {possible} were possible")
        predicted += how.bytes - how.dense_bytes
    file = folder / WEIGHTS
    with file.open("rb") as stream:
        header = 8 + int.from_bytes(stream.read(8), "little")
    if not file.stat().st_size - header == predicted == packed.stored_bytes:
        raise ExportError(
            f"{WEIGHTS} holds {file.stat().st_size - header} bytes of tensors; shapes, zeros and "
            f"formats predict {predicted}"
        )


def weights_are_planned(
    network: nn.Module, adapter: ModelAdapter, shape: NetworkShape, plan: Plan
) -> None:
    """Raise ExportError unless its matrices have the shapes that the plan leaves of the parent."""
    held = sum(m.weight.numel() for m in matrices(network, adapter))
    planned = plan.left(shape).shape.block_weights
    if held != planned:
        raise ExportError(f"the matrices of the blocks hold {held} weights; planned were {planned}")
