"""MachineFront: the front of one machine, and all that is said about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from autoprune.cost.cost import HostOperation
from autoprune.cost.model import CostModel
from autoprune.errors import RecordError
from autoprune.hypervolume import ACCURACY_MARGIN, COST_FACTOR
from autoprune.measurement import Score
from autoprune.metrics import energy_uj
from autoprune.outcome import FINE_TUNED, Origin, Outcome
from autoprune.report.diagnostics import Diagnostics, diagnose
from autoprune.report.outcomes import Measured, price_outcomes
from autoprune.report.pareto import hypervolume, non_dominated
from autoprune.shape import NetworkShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured network on one machine.

    Attributes:
        trial: number. origin: ``baseline``, ``uniform``, ``probe``, ``warm`` or
            ``sampled``.
        validation, test: its scores, with weights of `accuracy_bits` bits.
        energy_uj: per inference. energy_ratio: to the fine-tuned parent.
        kept_weights: nonzero block weights, 0 to 1. parameters: that are not zero.
        plan: in short form.
        uniform: the best uniform trial, by validation, that needs no more energy; None where none
            is as cheap.
        figures: what helps to read its energy; of members of the front only.
    """

    trial: int
    origin: Origin
    validation: Score
    test: Score
    accuracy_bits: int
    energy_uj: float
    energy_ratio: float
    kept_weights: float
    parameters: int
    plan: str
    uniform: Score | None
    figures: Diagnostics | None = None

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
        rows: the front, by ascending energy. points: every trial that is feasible, by number.
        infeasible: trials that need what the machine cannot do, and what that is.
        parent, parent_test: validation and test score of the fine-tuned parent.
        parent_energy_uj: its energy.
        accuracy_bits: bits of the fine-tuned parent's weights when accuracy was measured, and of
            all others whose plan has as many. priced_bits: bits at which the machine is priced.
        reference: validation accuracy of the fine-tuned parent less ACCURACY_MARGIN, and its
            energy in microjoules times COST_FACTOR.
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
    infeasible: tuple[tuple[str, str], ...]
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
    def coarser(self) -> dict[int, tuple[int, ...]]:
        """Members whose plan has fewer bits than `accuracy_bits`: their numbers by bits."""
        found = {row.accuracy_bits for row in self.rows} - {self.accuracy_bits}
        return {
            bits: tuple(row.trial for row in self.rows if row.accuracy_bits == bits)
            for bits in sorted(found)
        }

    @property
    def free(self) -> tuple[int, ...]:
        """Numbers of the trials that cost nothing: all that they do is done by the host."""
        return tuple(row.trial for row in self.points if row.energy_uj == 0)


def front_members(outcomes: Iterable[Outcome], model: CostModel) -> list[Outcome]:
    """The measured trials that no other dominates on a machine, by ascending energy.

    Raises UnknownCost where a rule of the machine fails.
    """
    priced, _ = price_outcomes([o for o in outcomes if o.state == "measured"], model)
    pairs = [(item.measured.validation.accuracy, item.energy_uj) for item in priced]
    return [priced[index].outcome for index in non_dominated(pairs)]


def machine_front(
    outcomes: Iterable[Outcome],
    baselines: Mapping[str, Outcome],
    model: CostModel,
    shape: NetworkShape,
    data: str = "",
) -> MachineFront:
    """The front of a machine over the trials of a run, all with their weights as it has them.

    Failed trials are left out, those that break a budget, and duplicates; but a uniform trial
    whose plan was measured before under another number still shows what uniform compression
    reaches.

    Raises RecordError where the run has no fine-tuned parent or the machine charges nothing for
    it, and UnknownCost where it cannot run that parent or a rule of it fails.
    """
    tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
    if tuned is None:
        raise RecordError("the run has no fine-tuned parent yet: nothing to compare with")
    machine = model.machine
    parent = tuned.at(machine.weight_bits)
    cost = model.price(parent.workload)
    parent_energy = energy_uj(cost)
    if parent_energy == 0:
        raise RecordError(f"{machine.name} charges nothing for the fine-tuned parent: no ratios")
    outcomes = list(outcomes)
    sweep = [o for o in outcomes if o.origin == "uniform" and not (o.cause or o.broken)]
    swept, _ = price_outcomes(sweep, model)
    uniform = [(item.measured.validation, item.energy_uj) for item in swept]
    found, infeasible = price_outcomes([o for o in outcomes if o.state == "measured"], model)
    points = [_row(item, parent_energy, uniform, shape) for item in found]
    pairs = [(row.validation.accuracy, row.energy_uj) for row in points]
    reference = (parent.validation.accuracy - ACCURACY_MARGIN, COST_FACTOR * parent_energy)
    return MachineFront(
        machine=machine.name,
        title=machine.title,
        data=data,
        rows=tuple(
            replace(points[i], figures=diagnose(model, found[i].measured.workload, found[i].cost))
            for i in non_dominated(pairs)
        ),
        points=tuple(points),
        infeasible=tuple(infeasible.items()),
        parent=parent.validation,
        parent_test=parent.test,
        parent_energy_uj=parent_energy,
        accuracy_bits=parent.bits,
        priced_bits=machine.weight_bits,
        reference=reference,
        hypervolume=hypervolume(pairs, reference),
        uniform_hypervolume=hypervolume([(s.accuracy, e) for s, e in uniform], reference),
        host=cost.host,
        emulated=cost.emulated,
        not_modelled=machine.not_modelled,
        uncounted=tuple(
            (item.name, parent.workload.share_of_dense_macs(item.dense_macs))
            for item in parent.workload.uncounted
        ),
    )


def history(front: MachineFront) -> list[tuple[int, float]]:
    """How the hypervolume grew: trial numbers at which it did, and what it was then."""
    found: list[tuple[int, float]] = []
    best: list[tuple[float, float]] = []
    for row in sorted(front.points, key=lambda row: row.trial):
        pairs = [*best, (row.validation.accuracy, row.energy_uj)]
        volume = hypervolume(pairs, front.reference)
        if volume > (found[-1][1] if found else 0.0):
            found.append((row.trial, volume))
            best = [pairs[index] for index in non_dominated(pairs)]
    return found


def _row(
    item: Measured,
    parent_energy_uj: float,
    uniform: Sequence[tuple[Score, float]],
    shape: NetworkShape,
) -> Row:
    """A trial beside the fine-tuned parent and the uniform sweep's results."""
    own, measured = item.energy_uj, item.measured
    return Row(
        trial=int(item.outcome.key),
        origin=item.outcome.origin,
        validation=measured.validation,
        test=measured.test,
        accuracy_bits=measured.bits,
        energy_uj=own,
        energy_ratio=own / parent_energy_uj,
        kept_weights=item.measurement.kept_weights,
        parameters=item.measurement.parameters,
        plan=item.measurement.plan.short(shape),
        uniform=max(
            (score for score, energy in uniform if energy <= own),
            key=lambda score: score.accuracy,
            default=None,
        ),
    )
