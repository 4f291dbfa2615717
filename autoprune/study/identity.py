"""What a run is of: compared when a run folder is used again, so that two studies never mix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.bits import FULL_BITS
from autoprune.config import Json
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.runs.metrics import split_metric
from autoprune.runs.record import Identity
from autoprune.study.check import Checked

MAY_CHANGE: Final[dict[str, bool | set[str]]] = {
    "title": True,
    "trials": True,
    "workers": True,
    "machines": True,
    "track": True,
    "search": {"stop_below"},
    "compute": {"cpus", "memory_gib", "trial_minutes", "retries"},
}
"""Settings of a study that may differ from one run on a folder to the next."""


def measured_bits(machines: Mapping[str, CostModel]) -> tuple[int, ...]:
    """The bits of a weight that a run of these machines is measured at, descending."""
    bits = {min(model.machine.weight_bits, FULL_BITS) for model in machines.values()}
    return tuple(sorted(bits, reverse=True))


def measured_arithmetics(machines: Mapping[str, CostModel]) -> tuple[Arithmetic, ...]:
    """The integers in which a run of these machines is measured, each once, in their order."""
    found = [model.machine.arithmetic for model in machines.values()]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def identity(checked: Checked) -> Identity:
    """Everything that decides what a trial is and what Optuna is told of it, as JSON values.

    The machines of objectives and budgets belong to it with all their numbers, the others not.
    The bits and integers in which trials are measured are those with which the run began: a machine
    that joins it later is paired with what there is.
    """
    study = checked.study
    metrics = [*study.objectives, *(budget.metric for budget in checked.budgets)]
    bound = sorted({machine for _, machine in map(split_metric, metrics) if machine is not None})
    return {
        **study.model_dump(exclude=MAY_CHANGE, mode="json"),
        "compression": study.compression.decided(),
        "space": checked.space.model_dump(exclude={"title"}, mode="json"),
        "machines": {
            name: {
                **checked.machines[name].machine.numbers(),
                **(_limits(checked.machines[name]) if f"over_limits@{name}" in metrics else {}),
            }
            for name in bound
        },
    }


def _limits(model: CostModel) -> Mapping[str, Json]:
    """The limits of a machine; they decide nothing where no metric asks for them."""
    return {"limits": {limit.name: limit.value for limit in model.machine.limits}}


def check_identity(recorded: Identity, wanted: Identity, where: str) -> None:
    """InputError with every difference, unless `wanted` is what was `recorded`."""
    found = list(_differences(recorded, wanted, ""))
    if found:
        raise InputError(
            where,
            "the run folder belongs to another study: " + "; ".join(found),
            "the same study, or another folder (--out)",
        )


def _differences(recorded: Json, wanted: Json, path: str) -> Iterator[str]:
    if isinstance(recorded, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*recorded, *wanted}):
            inner = f"{path}.{key}" if path else key
            yield from _differences(recorded.get(key), wanted.get(key), inner)
    elif recorded != wanted:
        yield f"{path} is {recorded!r} there and {wanted!r} in the study"
