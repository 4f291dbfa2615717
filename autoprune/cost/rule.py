"""What the rules of a family give, checked before anything is charged for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.cost import UnknownCost
from autoprune.cost.ops import Ops
from autoprune.errors import AutopruneError
from autoprune.workload.columns import Column

if TYPE_CHECKING:
    from autoprune.cost.model import CostModel

_CHARGED = ("pJ", "mW")
_FIGURES = ("latency_us", "cycles", "cores", "chips", "area_mm2", "static_power_mw")

_Result = TypeVar("_Result")


def carried_out(model: CostModel, rule: Callable[[], _Result]) -> _Result:
    """What a rule gives; UnknownCost with what it raised."""
    try:
        with np.errstate(all="ignore"):  # what is no number is found below, and named
            return rule()
    except AutopruneError as error:
        raise UnknownCost(f"{model.machine.where}: {error}") from error
    except Exception as error:
        raise UnknownCost(
            f"{model.machine.where}: a rule of family {model.machine.family!r} failed "
            f"({type(error).__name__}: {error})"
        ) from error


def checked_action(model: CostModel, ops: Ops, action: object) -> Action:
    """The action with a count for every row; UnknownCost where it is none that can be charged."""
    where, family = model.machine.where, model.machine.family
    if not isinstance(action, Action):
        raise UnknownCost(f"{where}: family {family!r} charges {action!r}; expected an Action")
    if model.PRICES.get(action.price) not in _CHARGED:
        raise UnknownCost(
            f"{where}: family {family!r} charges {action.price!r}; expected one of its PRICES in "
            f"{' or '.join(_CHARGED)} ({', '.join(model.PRICES)})"
        )
    try:
        count = np.broadcast_to(np.asarray(action.count, dtype=np.float64), (len(ops),))
    except (TypeError, ValueError) as error:
        raise UnknownCost(
            f"{where}: {action.price}: not one count for each of {len(ops)} operations ({error})"
        ) from error
    wrong = np.flatnonzero(~(np.isfinite(count) & (count >= 0)))
    if len(wrong):
        raise UnknownCost(
            f"{where}: {action.price} of {ops.name[wrong[0]]} counts {count[wrong[0]]}; expected a "
            "finite number >= 0"
        )
    return Action(action.price, count, action.cause, action.rule)


def checked_figure(model: CostModel, name: str, values: object, workloads: int) -> Column:
    """The figure with a value for every workload; UnknownCost where it is none."""
    where = f"{model.machine.where}: {name}"
    if name not in _FIGURES:
        raise UnknownCost(f"{where}: no known figure; expected one of {', '.join(_FIGURES)}")
    found = np.broadcast_to(np.asarray(values, dtype=np.float64), (workloads,))
    if not (np.isfinite(found) & (found >= 0)).all():
        raise UnknownCost(f"{where} is {found.tolist()}; expected finite numbers >= 0")
    return found
