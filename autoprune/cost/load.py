"""Load a machine by name or path, with the formulas of its family: shipped, or a user's class."""

from __future__ import annotations

import inspect
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

from autoprune.config import find_file
from autoprune.cost.machine import Machine, read_machine
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.plugin import load_named, make_importable, refuse_code

FAMILIES = {
    "op_energy": "autoprune.cost.families.op_energy:OpEnergy",
    "memory_hierarchy": "autoprune.cost.families.memory_hierarchy:MemoryHierarchy",
    "event_driven": "autoprune.cost.families.event_driven:EventDriven",
    "all_in": "autoprune.cost.families.all_in:AllIn",
    "systolic": "autoprune.cost.families.systolic:Systolic",
    "published_array": "autoprune.cost.families.published_array:PublishedArray",
    "product_sparsity": "autoprune.cost.families.product_sparsity:ProductSparsity",
    "gated_array": "autoprune.cost.families.gated_array:GatedArray",
    "dual_sparse": "autoprune.cost.families.dual_sparse:DualSparse",
    "roofline": "autoprune.cost.families.roofline:Roofline",
    "crossbar": "autoprune.cost.families.crossbar:Crossbar",
    "no_price": "autoprune.cost.families.no_price:NoPrice",
}
"""The shipped families: name to ``module:Class``."""

GROUP = "autoprune.cost_models"
"""The entry point group by which an installed package offers a family under a name."""


def families() -> dict[str, str]:
    """Every family that has a name: shipped, then offered by installed packages.

    Raises InputError where two packages, or a package and autoprune, offer the same name.
    """
    found = dict(FAMILIES)
    for offered in entry_points(group=GROUP):
        package = offered.dist.name if offered.dist else "a package"
        if found.get(offered.name, offered.value) != offered.value:
            raise InputError(
                f"entry point {offered.name!r} of {package}",
                f"{found[offered.name]} has this name already",
                "another name",
            )
        found[offered.name] = offered.value
    return found


def load_machine(
    given: str | Machine,
    base: Path | None = None,
    *,
    imports: bool = True,
    beside: Path | None = None,
    price_host: bool = False,
) -> CostModel:
    """The cost model of a bundled machine, of the machine in a TOML file, or of a `Machine`.

    Args:
        given: name or path, see `autoprune.config.find_file`, or the machine itself.
        base: what a path is relative to.
        imports: whether a class that the file names (``module:Class``) may be imported.
        price_host: whether the energy holds what it leaves to a host, at the file's prices.
        beside: the folder where the module of that class may lie; where it is left out the file's,
            and of a machine without one the current folder.

    Raises InputError where there is no such machine, its file is wrong or lacks a price of the
    host that is asked for, or its class may not be imported.
    """
    if not isinstance(given, Machine):
        given = read_machine(find_file("cost_models", given, base))
    machine = replace(given, price_host=price_host)
    if not imports:
        refuse_code(machine.family, f"{machine.where}: family")
    if ":" in machine.family:
        make_importable(beside or Path(machine.where).parent)
    return find_family(machine.family, machine.where)(machine)


def find_family(name: str, where: str) -> type[CostModel]:
    """The class of a family, by its name (see `families`) or as ``module:Class``.

    Raises InputError, at `where`, when there is none.
    """
    known = {} if ":" in name else families()
    if ":" not in name and name not in known:
        raise InputError(
            where,
            f"unknown family {name!r}",
            f"one of {', '.join(known)}, or module:Class",
            name=name,
            candidates=known,
        )
    family = load_named(known.get(name, name), f"{where}: family")
    if not (isinstance(family, type) and issubclass(family, CostModel)):
        raise InputError(where, f"family {name!r} is no cost model", "a subclass of CostModel")
    if inspect.isabstract(family) or not hasattr(family, "PRICES"):
        raise InputError(where, f"family {name!r} is incomplete", "PRICES and actions() of its own")
    return family
