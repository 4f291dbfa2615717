"""Metrics by name, and their values of a measurement; what objectives and fronts are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

from autoprune.cost.cost import NO_PRICE, Cost, UnknownCost
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.runs.outcome import Charge, Charges
from autoprune.trial.measurement import Measurement


@final
class Undefined(UnknownCost):
    """What a machine does not define for any workload.

    Args:
        machine: its name. noun: what it does not define.
    """

    def __init__(self, machine: str, noun: str) -> None:
        super().__init__(f"{machine}: defines no {noun}")
        self.noun = noun


def energy_uj(cost: Cost) -> float:
    """The energy of a cost; UnknownCost with the actions that have no price."""
    if NO_PRICE in cost.unpriced:
        raise Undefined(cost.machine, f"energy: {NO_PRICE.action}")
    if cost.energy_uj is None:
        actions = ", ".join(item.action for item in cost.unpriced)
        raise UnknownCost(f"{cost.machine}: energy unknown, no price for {actions}")
    return cost.energy_uj


def dynamic_uj(cost: Cost) -> float:
    """The energy without what static power takes; UnknownCost as for the energy."""
    energy_uj(cost)
    return cost.dynamic_pj * 1e-6


def latency_us(cost: Cost) -> float:
    """The latency of a cost; UnknownCost where the machine defines none."""
    if cost.latency_us is None:
        raise Undefined(cost.machine, "latency")
    return cost.latency_us


def edp_uj_ms(cost: Cost) -> float:
    """Energy times delay, in uJ ms; UnknownCost where the machine defines one of them not."""
    return latency_us(cost) * energy_uj(cost) * 1e-3


def chips(cost: Cost) -> float:
    """How many chips hold the network; UnknownCost where the machine does not say."""
    if cost.chips is None:
        raise Undefined(cost.machine, "number of chips")
    return float(cost.chips)


def memory_kib(cost: Cost) -> float:
    """What weights and membranes take; UnknownCost where the machine cannot run the network."""
    if cost.memory_kib is None:
        energy_uj(cost)
    assert cost.memory_kib is not None  # it is known where the energy is
    return cost.memory_kib


def over_limits(cost: Cost) -> float:
    """How many of the machine's limits are exceeded; UnknownCost where its file has none."""
    if cost.misfits is None:
        raise Undefined(cost.machine, "limits")
    return float(len(cost.misfits))


PLAIN_METRICS: Final[Mapping[str, Callable[[Measurement], float]]] = {
    "effective_sops": lambda measurement: measurement.workload.per_sample("effective_sops"),
    "parameters": lambda measurement: float(measurement.parameters),
    "weight_bits": lambda measurement: float(measurement.plan.weight_bits),
}
"""Metrics of a network as it is, besides its score."""

MACHINE_METRICS: Final[Mapping[str, Callable[[Cost], float]]] = {
    "energy_uj": energy_uj,
    "dynamic_uj": dynamic_uj,
    "latency_us": latency_us,
    "edp_uj_ms": edp_uj_ms,
    "chips": chips,
    "memory_kib": memory_kib,
    "host_share": lambda cost: cost.host_share,
    "over_limits": over_limits,
}
"""Metrics of a network on a machine, besides its score there."""


def split_metric(metric: str) -> tuple[str, str | None]:
    """``energy_uj@loihi1`` as ``("energy_uj", "loihi1")``; a plain metric has no machine."""
    name, _, machine = metric.partition("@")
    return name, machine or None


def is_share(metric: str) -> bool:
    """Whether a metric is a number from 0 to 1, whose differences are points: scores are."""
    name, _ = split_metric(metric)
    return name == "host_share" or name not in {*PLAIN_METRICS, *MACHINE_METRICS}


def check_objectives(metrics: list[str], machines: list[str], where: str, score: str) -> None:
    """InputError unless these are 2 to 4 different metrics that exist.

    `machines` and `score` as in `check_metric`.
    """
    if not 2 <= len(metrics) <= 4 or len(set(metrics)) != len(metrics):
        raise InputError(where, f"given {', '.join(metrics) or 'none'}", "2 to 4 different metrics")
    for metric in metrics:
        check_metric(metric, machines, where, score)


def check_metric(metric: str, machines: list[str], where: str, score: str) -> None:
    """InputError unless the metric exists and its machine is one of `machines`.

    `score` is the name of what is maximised, ``accuracy`` unless the study has its own.
    """
    known = [
        score,
        *PLAIN_METRICS,
        *(f"{m}@{machine}" for m in (score, *MACHINE_METRICS) for machine in machines),
    ]
    if metric not in known:
        raise InputError(where, f"unknown metric {metric!r}", name=metric, candidates=known)


def metric_value(metric: str, measurement: Measurement, machines: Mapping[str, CostModel]) -> float:
    """Return the value of a metric.

    Of the network as it is: ``accuracy`` or the name of the study's own score (validation, 0 to
    1), ``effective_sops`` (per inference, attention as it is executed), ``parameters``,
    ``weight_bits``. With its weights as a machine has them, and its neurons in the machine's
    integers where its file says what these are (`Measurement.at`):
    ``accuracy@MACHINE`` or the score's name, ``energy_uj@MACHINE`` and without static power
    ``dynamic_uj@MACHINE``, ``latency_us@MACHINE`` and its product with the energy
    ``edp_uj_ms@MACHINE`` per inference, ``chips@MACHINE`` that hold it, ``memory_kib@MACHINE`` that
    its weights with their indices and its membranes take there, ``host_share@MACHINE``, the share
    of its dense MACs, 0 to 1, that a host does, ``over_limits@MACHINE``, how many limits of its
    file it exceeds: 0 where it fits.

    Raises UnknownCost where the machine does not define it; KeyError for any other metric.
    """
    name, machine = split_metric(metric)
    if machine is None:
        score = measurement.validation
        return score.accuracy if name == score.name else PLAIN_METRICS[name](measurement)
    model = machines[machine]
    measured = measurement.at(*model.machine.precision)
    if name == measured.validation.name:
        return measured.validation.accuracy
    return MACHINE_METRICS[name](model.price(measured.workload))


def charges(measurement: Measurement, machines: Mapping[str, CostModel]) -> Charges:
    """What every machine charges; one that fails has a cause, and leaves the others alone."""
    return tuple((name, _charge(measurement, model)) for name, model in machines.items())


def _charge(measurement: Measurement, model: CostModel) -> Charge:
    try:
        cost = model.price(measurement.at(*model.machine.precision).workload)
        return Charge(
            energy_uj=energy_uj(cost),
            latency_us=cost.latency_us,
            host_share=cost.host_share,
            machine=model.fingerprint,
        )
    except UnknownCost as error:
        return Charge(cause=str(error))
