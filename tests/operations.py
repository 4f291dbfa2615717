"""Operations that differ in single figures, named by their columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from autoprune.config import bundled_names
from autoprune.cost.load import load_machine
from autoprune.workload.op import NESTED, Op

PRICED = [name for name in bundled_names("cost_models") if load_machine(name).PRICED]
"""The shipped machines that have prices."""


def altered(op: Op, **columns: object) -> Op:
    """The operation with other figures, checked as one that is read from a file."""
    nested: dict[str, Any] = {name: columns.pop(name) for name in NESTED if name in columns}
    return replace(Op.from_dict({**op.to_dict(), **columns}), **nested)
