"""The machines of a run: its own copies of their files, and where a class of the user's lay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.cost.machine import Machine
from autoprune.cost.model import CostModel
from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder

T = TypeVar("T")


def machine_folders(models: Mapping[str, CostModel]) -> dict[str, str]:
    """Where the files of machines lie, by name; a class of the user's may lie beside them."""
    return {name: str(Path(m.machine.where).resolve().parent) for name, m in models.items()}


def find_machine(folder: RunFolder, given: str | Machine) -> CostModel:
    """The run's own copy of a machine where it has one of the name given, else as `load_machine`.

    Its energy holds what a host does where the run's study asks for it.

    Raises InputError where there is none, it lacks a price of the host that is asked for, or its
    class may not be imported; see `RunFolder`.
    """
    price_host = folder.record.price_host
    copy = None if isinstance(given, Machine) else folder.machines / f"{given}.toml"
    if copy is None or not copy.is_file():
        return load_machine(given, imports=folder.imports, price_host=price_host)
    place = folder.record.machine_folders.get(copy.stem)
    beside = None if place is None else Path(place)
    return load_machine(str(copy), imports=folder.imports, beside=beside, price_host=price_host)


def run_machines(folder: RunFolder) -> list[CostModel]:
    """All machines of a run, by name; RecordError where it has none."""
    names = [file.stem for file in sorted(folder.machines.glob("*.toml"))]
    if not names:
        raise RecordError(f"{folder.machines}: no machine recorded; name one with --machine")
    return [find_machine(folder, name) for name in names]


def by_price(models: Sequence[CostModel]) -> tuple[list[CostModel], list[str]]:
    """Machines whose energies are known, and names of those that have no published price."""
    priced = [model for model in models if model.PRICED]
    return priced, [model.machine.name for model in models if not model.PRICED]


def distinct(models: Sequence[CostModel]) -> Sequence[CostModel]:
    """`models`; InputError unless they are two or more of different names."""
    known = [model.machine.name for model in models]
    if len(known) < 2 or len(set(known)) < len(known):
        raise InputError("--machine", f"given {', '.join(known)}", "two or more, each once")
    return models


def on_each(models: Sequence[CostModel], of: Callable[[CostModel], T]) -> tuple[list[T], list[str]]:
    """What `of` gives on those machines that can say it, and in words why others cannot."""
    found, failed = [], []
    for model in models:
        try:
            found.append(of(model))
        except UnknownCost as error:
            failed.append(str(error))
    return found, failed
