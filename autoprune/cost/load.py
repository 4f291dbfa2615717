"""Load a machine by name or path, with the formulas of its family: shipped, or a user's class."""

from __future__ import annotations

import inspect
from pathlib import Path

from autoprune.cost.machine import read_machine
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.plugin import load_named
from autoprune.spec import bundled

FAMILIES = {
    "op_energy": "autoprune.cost.families.op_energy:OpEnergy",
    "event_driven": "autoprune.cost.families.event_driven:EventDriven",
    "systolic": "autoprune.cost.families.systolic:Systolic",
}
"""The shipped families: name to ``module:Class``."""


def load_machine(name_or_path: str, base: Path | None = None) -> CostModel:
    """The cost model of a bundled machine, or of the machine in a TOML file.

    Args:
        name_or_path: see `autoprune.spec.bundled.find`.
        base: what a path is relative to.

    Raises InputError where there is no such machine or its file is wrong.
    """
    machine = read_machine(bundled.find("cost_models", name_or_path, base))
    return find_family(machine.family, machine.where)(machine)


def find_family(name: str, where: str) -> type[CostModel]:
    """The class of a family, by its name or as ``module:Class``.

    Raises InputError, at `where`, when there is none.
    """
    if ":" not in name and name not in FAMILIES:
        raise InputError(where, f"unknown family {name!r}", name=name, candidates=FAMILIES)
    family = load_named(FAMILIES.get(name, name), f"{where}: family")
    if not (isinstance(family, type) and issubclass(family, CostModel)):
        raise InputError(where, f"family {name!r} is no cost model", "a subclass of CostModel")
    if inspect.isabstract(family) or not hasattr(family, "PRICES"):
        raise InputError(where, f"family {name!r} is incomplete", "PRICES and actions() of its own")
    return family
