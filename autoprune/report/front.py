"""MachineFront: the front of one machine, and all that is said about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autoprune.cost.cost import HostOperation, UnknownCost
from autoprune.cost.model import CostModel
from autoprune.errors import RecordError
from autoprune.measurement import Measurement, Score
from autoprune.metrics import energy_uj, machine_energy
from autoprune.outcome import FINE_TUNED, Origin, Outcome
from autoprune.report.pareto import hypervolume, non_dominated
from autoprune.shape import NetworkShape

ACCURACY_MARGIN = 0.10
"""The hypervolume's reference lies this far below the fine-tuned parent's accuracy."""

ENERGY_FACTOR = 1.1
"""The hypervolume's reference is this multiple of the fine-tuned parent's energy."""


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
    origin: Origin
    validation: Score
    test: Score
    energy_uj: float
    energy_ratio: float
    kept_weights: float
    plan: str
    uniform: Score | None

    @property
    def beats_uniform(self) -> bool:
        """Whether it is better than uniform compression at its energy, outside both intervals.

        Its Wilson interval begins above the end of that of the best uniform trial that needs no
        more energy. Where no uniform trial is as cheap there is nothing to beat.
        """
        return self.uniform is not None and self.validation.interval[0] > self.uniform.interval[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFront:
    """The front of one machine.

    Attributes:
        machine: its name. title: one line.
        data: what was measured on, and whether that is synthetic; empty where nothing says so.
        rows: the front, by ascending energy. points: every measured trial, by number.
        parent, parent_test: validation and test score of the fine-tuned parent.
        parent_energy_uj: its energy.
        accuracy_bits: bits of the weights when accuracy was measured. priced_bits: bits at which
            the machine is priced.
        reference: validation accuracy of the fine-tuned parent less ACCURACY_MARGIN, and its
            energy in microjoules times ENERGY_FACTOR.
        hypervolume, uniform_hypervolume: of all trials, and of the uniform sweep alone, above
            the reference; infinite where a trial above it needs no energy.
        host: work outside the totals, of the fine-tuned parent. emulated: rules.
        not_modelled: what the totals leave out. uncounted: share of dense MACs that the workload
            of the fine-tuned parent does not count, by operation; 0 for one without MACs.
    """

    machine: str
    title: str
    data: str
    rows: tuple[Row, ...]
    points: tuple[Row, ...]
    parent: Score
    parent_test: Score
    parent_energy_uj: float
    accuracy_bits: int
    priced_bits: int
    reference: tuple[float, float]
    hypervolume: float
    uniform_hypervolume: float
    host: tuple[HostOperation, ...]
    emulated: tuple[str, ...]
    not_modelled: tuple[str, ...]
    uncounted: tuple[tuple[str, float], ...]

    @property
    def beating(self) -> int:
        """Members that beat uniform compression; see `Row.beats_uniform`."""
        return sum(row.beats_uniform for row in self.rows)

    @property
    def unmatched(self) -> int:
        """Members that are cheaper than every uniform trial."""
        return sum(row.uniform is None for row in self.rows)

    @property
    def free(self) -> tuple[int, ...]:
        """Numbers of the trials that cost nothing: all that they do is done by the host."""
        return tuple(row.trial for row in self.points if row.energy_uj == 0)


def front_members(outcomes: Iterable[Outcome], model: CostModel) -> list[Outcome]:
    """The measured trials that no other dominates on a machine, by ascending energy.

    Raises UnknownCost where the machine cannot price a trial.
    """
    priced = _price([o for o in outcomes if o.state == "measured"], model)
    pairs = [(m.validation.accuracy, energy) for _, m, energy in priced]
    return [priced[index][0] for index in non_dominated(pairs)]


def machine_front(
    outcomes: Iterable[Outcome],
    baselines: Mapping[str, Outcome],
    model: CostModel,
    shape: NetworkShape,
    data: str = "",
) -> MachineFront:
    """The front of a machine over the trials of a run.

    Failed trials are left out, and so are duplicates; but a uniform trial whose plan was measured
    before under another number still shows what uniform compression reaches.

    Raises RecordError where the run has no fine-tuned parent or the machine charges nothing for
    it, and UnknownCost where the machine cannot price a trial.
    """
    tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
    if tuned is None:
        raise RecordError("the run has no fine-tuned parent yet: nothing to compare with")
    machine, cost = model.machine, model.price(tuned.workload)
    parent_energy = energy_uj(cost)
    if parent_energy == 0:
        raise RecordError(f"{machine.name} charges nothing for the fine-tuned parent: no ratios")
    outcomes = list(outcomes)
    uniform = [
        (m.validation, energy)
        for _, m, energy in _price(
            [o for o in outcomes if o.origin == "uniform" and o.state != "failed" and not o.cause],
            model,
        )
    ]
    points = [
        _row(outcome, measurement, (energy, parent_energy), uniform, shape)
        for outcome, measurement, energy in _price(
            [o for o in outcomes if o.state == "measured"], model
        )
    ]
    pairs = [(row.validation.accuracy, row.energy_uj) for row in points]
    reference = (tuned.validation.accuracy - ACCURACY_MARGIN, ENERGY_FACTOR * parent_energy)
    return MachineFront(
        machine=machine.name,
        title=machine.title,
        data=data,
        rows=tuple(points[index] for index in non_dominated(pairs)),
        points=tuple(points),
        parent=tuned.validation,
        parent_test=tuned.test,
        parent_energy_uj=parent_energy,
        accuracy_bits=tuned.accuracy_bits,
        priced_bits=machine.weight_bits,
        reference=reference,
        hypervolume=hypervolume(pairs, reference),
        uniform_hypervolume=hypervolume([(s.accuracy, e) for s, e in uniform], reference),
        host=cost.host,
        emulated=cost.emulated,
        not_modelled=machine.not_modelled,
        uncounted=tuple(
            (item.name, tuned.workload.share_of_dense_macs(item.dense_macs))
            for item in tuned.workload.uncounted
        ),
    )


def _price(
    outcomes: Sequence[Outcome], model: CostModel
) -> list[tuple[Outcome, Measurement, float]]:
    """Those outcomes that have a measurement, with it and its energy; errors name the trial."""
    priced = []
    for outcome in outcomes:
        if outcome.measurement is not None:
            try:
                energy = machine_energy(model, outcome.measurement.workload)
            except UnknownCost as error:
                raise UnknownCost(f"trial {outcome.key} on {error}") from error
            priced.append((outcome, outcome.measurement, energy))
    return priced


def _row(
    outcome: Outcome,
    measurement: Measurement,
    energies: tuple[float, float],
    uniform: Sequence[tuple[Score, float]],
    shape: NetworkShape,
) -> Row:
    """A trial with its own energy and the fine-tuned parent's, and the uniform sweep's results."""
    own, parents = energies
    return Row(
        trial=int(outcome.key),
        origin=outcome.origin,
        validation=measurement.validation,
        test=measurement.test,
        energy_uj=own,
        energy_ratio=own / parents,
        kept_weights=measurement.kept_weights,
        plan=measurement.plan.short(shape),
        uniform=max(
            (score for score, energy in uniform if energy <= own),
            key=lambda score: score.accuracy,
            default=None,
        ),
    )
