"""Metrics by name, and their values of a measurement; what objectives and fronts are made of."""

from __future__ import annotations

from collections.abc import Mapping

from autoprune.cost.cost import Cost, UnknownCost
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.runs.outcome import Charge
from autoprune.trial.measurement import Measurement

PLAIN_METRICS = ("effective_sops", "parameters", "weight_bits")
MACHINE_METRICS = ("energy_uj", "latency_us", "edp_uj_ms", "chips")


def split_metric(metric: str) -> tuple[str, str | None]:
    """``energy_uj@loihi1`` as ``("energy_uj", "loihi1")``; a plain metric has no machine."""
    name, _, machine = metric.partition("@")
    return name, machine or None


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
    ``weight_bits``. With its weights as a machine has them (`Measurement.at`):
    ``accuracy@MACHINE`` or the score's name, ``energy_uj@MACHINE``, ``latency_us@MACHINE`` and
    their product ``edp_uj_ms@MACHINE`` per inference, ``chips@MACHINE`` that hold it.

    Raises UnknownCost where the machine does not define it; KeyError for any other metric.
    """
    name, machine = split_metric(metric)
    if machine is None:
        return {
            measurement.validation.name: measurement.validation.accuracy,
            "effective_sops": measurement.workload.per_sample("effective_sops"),
            "parameters": float(measurement.parameters),
            "weight_bits": float(measurement.plan.effort.weight_bits),
        }[name]
    model = machines[machine]
    measured = measurement.at(model.machine.weight_bits)
    if name == measured.validation.name:
        return measured.validation.accuracy
    cost = model.price(measured.workload)
    read = {
        "energy_uj": energy_uj,
        "latency_us": latency_us,
        "edp_uj_ms": edp_uj_ms,
        "chips": chips,
    }
    return read[name](cost)


def charges(
    measurement: Measurement, machines: Mapping[str, CostModel]
) -> tuple[tuple[str, Charge], ...]:
    """What every machine charges; one that fails has a cause, and leaves the others alone."""
    return tuple((name, _charge(measurement, model)) for name, model in machines.items())


def _charge(measurement: Measurement, model: CostModel) -> Charge:
    try:
        cost = model.price(measurement.at(model.machine.weight_bits).workload)
        return Charge(
            energy_uj=energy_uj(cost), latency_us=cost.latency_us, machine=model.fingerprint
        )
    except UnknownCost as error:
        return Charge(cause=str(error))


def energy_uj(cost: Cost) -> float:
    """The energy of a cost; UnknownCost with the actions that have no price."""
    if cost.energy_uj is None:
        actions = ", ".join(item.action for item in cost.unpriced)
        raise UnknownCost(f"{cost.machine}: energy unknown, no price for {actions}")
    return cost.energy_uj


def latency_us(cost: Cost) -> float:
    """The latency of a cost; UnknownCost where the machine defines none."""
    if cost.latency_us is None:
        raise UnknownCost(f"{cost.machine}: defines no latency")
    return cost.latency_us


def edp_uj_ms(cost: Cost) -> float:
    """Energy times delay, in uJ ms; UnknownCost where the machine defines one of them not."""
    return energy_uj(cost) * latency_us(cost) * 1e-3


def chips(cost: Cost) -> float:
    """How many chips hold the network; UnknownCost where the machine does not say."""
    if cost.chips is None:
        raise UnknownCost(f"{cost.machine}: defines no number of chips")
    return float(cost.chips)
