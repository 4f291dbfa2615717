"""MachineFront: the front of one machine, and all that is said about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autoprune.cost.cost import Cost, HostOperation
from autoprune.cost.model import CostModel
from autoprune.errors import RecordError
from autoprune.measurement import Measurement, Score
from autoprune.metrics import energy_uj, machine_energy
from autoprune.outcome import FINE_TUNED, Outcome
from autoprune.report.pareto import hypervolume, non_dominated
from autoprune.shape import NetworkShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured network on one machine.

    Attributes:
        trial: number. origin: ``baseline``, ``uniform`` or ``sampled``.
        validation, test: its scores.
        energy_uj: per inference. energy_ratio: to the fine-tuned parent.
        kept_weights: nonzero block weights, 0 to 1. plan: in short form.
        uniform: the best uniform trial, by validation, that needs no more energy; None where none
            is as cheap.
    """

    trial: int
    origin: str
    validation: Score
    test: Score
    energy_uj: float
    energy_ratio: float
    kept_weights: float
    plan: str
    uniform: Score | None

    @property
    def beats_uniform(self) -> bool:
        """Whether it is better than uniform compression at its energy, outside both intervals."""
        return (
            self.uniform is not None and self.validation.interval[0] > self.uniform.interval[1]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFront:
    """The front of one machine.

    Attributes:
        machine: its name. title: one line.
        rows: the front, by ascending energy. points: every measured trial, by number.
        parent: validation score of the fine-tuned parent. parent_energy_uj: its energy.
        accuracy_bits: bits of the weights when accuracy was measured. priced_bits: bits at which
            the machine is priced.
        hypervolume, uniform_hypervolume: of all trials, and of the uniform sweep alone, above
            `reference`: validation accuracy of the fine-tuned parent less 0.10, 1.1 x its energy.
        host: work outside the totals, of the fine-tuned parent. emulated: rules.
        not_modelled: what the totals leave out. uncounted: share of dense MACs that the workload
            of the fine-tuned parent does not count, by operation.
    """

    machine: str
    title: str
    rows: tuple[Row, ...]
    points: tuple[Row, ...]
    parent: Score
    parent_energy_uj: float
    accuracy_bits: int
    priced_bits: int
    hypervolume: float
    uniform_hypervolume: float
    reference: tuple[float, float]
    host: tuple[HostOperation, ...]
    emulated: tuple[str, ...]
    not_modelled: tuple[str, ...]
    uncounted: tuple[tuple[str, float], ...]

    @property
    def beating(self) -> int:
        """Members that the search found and that beat uniform compression."""
        return sum(row.beats_uniform for row in self.rows if row.origin != "uniform")

    @property
    def unmatched(self) -> int:
        """Members that are cheaper than every uniform trial."""
        return sum(row.uniform is None for row in self.rows)


def front_members(outcomes: Iterable[Outcome], model: CostModel) -> list[Outcome]:
    """The measured trials that no other dominates on a machine, by ascending energy."""
    measured = _measured(outcomes)
    points = [
        (m.validation.accuracy, machine_energy(model, m.workload)) for _, m in measured
    ]
    return [measured[index][0] for index in non_dominated(points)]


def machine_front(
    outcomes: Iterable[Outcome],
    baselines: Mapping[str, Outcome],
    model: CostModel,
    shape: NetworkShape,
) -> MachineFront:
    """The front of a machine over the trials of a run.

    Raises RecordError where the run has no fine-tuned parent yet, and UnknownCost where the
    machine cannot price a trial.
    """
    tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
    if tuned is None:
        raise RecordError("the run has no fine-tuned parent yet: nothing to compare with")
    cost = model.price(tuned.workload)
    parent_energy = energy_uj(cost)
    rows = _rows(_measured(outcomes), model, parent_energy, shape)
    pairs = [(row.validation.accuracy, row.energy_uj) for row in rows]
    uniform = [p for row, p in zip(rows, pairs, strict=True) if row.origin == "uniform"]
    reference = (tuned.validation.accuracy - 0.10, 1.1 * parent_energy)
    return MachineFront(
        machine=model.machine.name,
        title=model.machine.title,
        rows=tuple(rows[index] for index in non_dominated(pairs)),
        points=tuple(rows),
        parent=tuned.validation,
        parent_energy_uj=parent_energy,
        accuracy_bits=tuned.accuracy_bits,
        priced_bits=model.machine.weight_bits,
        hypervolume=hypervolume(pairs, reference),
        uniform_hypervolume=hypervolume(uniform, reference),
        reference=reference,
        **_remarks(cost, model, tuned),
    )


def _measured(outcomes: Iterable[Outcome]) -> list[tuple[Outcome, Measurement]]:
    return [(o, o.measurement) for o in outcomes if o.state == "measured" and o.measurement]


def _rows(
    measured: Sequence[tuple[Outcome, Measurement]],
    model: CostModel,
    parent_energy: float,
    shape: NetworkShape,
) -> list[Row]:
    energies = [machine_energy(model, m.workload) for _, m in measured]
    uniform = [
        (energy, m.validation)
        for energy, (o, m) in zip(energies, measured, strict=True)
        if o.origin == "uniform"
    ]
    return [
        Row(
            trial=int(outcome.key),
            origin=outcome.origin,
            validation=m.validation,
            test=m.test,
            energy_uj=energy,
            energy_ratio=energy / parent_energy if parent_energy else 0.0,
            kept_weights=m.kept_weights,
            plan=m.plan.short(shape),
            uniform=max(
                (score for e, score in uniform if e <= energy),
                key=lambda score: score.accuracy,
                default=None,
            ),
        )
        for energy, (outcome, m) in zip(energies, measured, strict=True)
    ]


def _remarks(cost: Cost, model: CostModel, tuned: Measurement) -> dict[str, tuple[object, ...]]:
    workload = tuned.workload
    return {
        "host": cost.host,
        "emulated": cost.emulated,
        "not_modelled": model.machine.not_modelled,
        "uncounted": tuple(
            (item.name, workload.share_of_dense_macs(item.dense_macs))
            for item in workload.uncounted
            if item.dense_macs
        ),
    }
