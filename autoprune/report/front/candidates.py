"""Candidates: the measured trials of a run on one machine, from which its front is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from autoprune.compress.plan import Plan
from autoprune.compress.registry import in_stages
from autoprune.cost.cost import NO_PRICE, UnknownCost
from autoprune.cost.model import CostModel
from autoprune.errors import RecordError
from autoprune.networks.shape import NetworkShape
from autoprune.report.front.diagnostics import diagnose, range_words
from autoprune.report.front.front import MachineFront, Row
from autoprune.report.front.priced import Charged, charged, left_out
from autoprune.runs.metrics import energy_uj
from autoprune.runs.outcome import Head, Origin, Outcome
from autoprune.runs.own_work import is_idle, most_there
from autoprune.runs.pareto import ACCURACY_MARGIN, COST_FACTOR, front_hypervolume, non_dominated
from autoprune.runs.posterior import Posterior, features, posteriors, worth
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Score, why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A measured trial on a machine, without its operations.

    Attributes:
        key, origin: of the trial. measured_as: key of the trial or baseline whose measurement it
            has.
        counts: whether it may be on the front: measured under this number, and feasible; others
            show what uniform compression reaches.
        validation, test: in the numbers that the machine is paired with, weights of `bits` bits and
            neurons in its integers where `in_integers`. not_held, floating, rounded: as in `Row`.
        energy_uj: per inference. host_share, kept_weights, parameters: as in `Row`.
        plan: in short form. made_by: in full.
        posterior: what it is worth by all trials; None where too few say so.
    """

    key: TrialKey
    measured_as: TrialKey
    origin: Origin
    counts: bool
    validation: Score
    test: Score | None
    bits: int
    in_integers: bool
    not_held: str
    floating: Score
    rounded: Score
    energy_uj: float
    host_share: float
    kept_weights: float
    parameters: int
    plan: str
    made_by: Plan
    posterior: Posterior | None = None

    @property
    def trained_as(self) -> TrialKey:
        """Key of the trial or baseline that was trained, and whose weights it has."""
        return self.measured_as.whole

    @property
    def worth(self) -> float:
        """The score that is expected of it; as it was measured where nothing says more."""
        return worth(self.validation, self.posterior)

    @property
    def pair(self) -> tuple[float, float]:
        """What fronts are made of: the score that it is worth, and energy."""
        return self.worth, self.energy_uj


@final
class Candidates:
    """The trials of a run on one machine; they may come one by one, and none is priced again.

    Failed trials are left out, those that break a budget, and duplicates; but a uniform trial
    whose plan was measured before under another number still shows what uniform compression
    reaches. What is no answer there, see `autoprune.runs.own_work`, is named apart. What this very
    machine charged while the run went on is taken as it was recorded.

    Args:
        model: the machine.
        shape: of the network.
        read: gives the outcome of a key with its operations; asked for members of the front, and
            for what this machine has not charged yet.

    Attributes:
        charges: what the machine charges for each trial that was measured, in any state.
    """

    def __init__(
        self, model: CostModel, shape: NetworkShape, read: Callable[[TrialKey], Outcome]
    ) -> None:
        self._model, self._shape, self._read = model, shape, read
        self.charges: dict[TrialKey, Charged] = {}
        self._all: list[Candidate] = []
        self._idle: list[TrialKey] = []
        self._most = 1.0
        self._infeasible: dict[TrialKey, str] = {}
        self._judged: list[Candidate] | None = None

    def add(self, heads: Iterable[Head], words: Mapping[TrialKey, str] | None = None) -> None:
        """Let trials join; `words` are plans in short form by key, made here where absent.

        Raises UnknownCost where a rule of the machine fails.
        """
        every = [reading for head in heads for reading in head.all_readings]
        wanted = {head.key: head for head in every if _counts(head) or _shows_uniform(head)}
        charges, infeasible = charged(every, self._model, self._read)
        self.charges |= charges
        self._infeasible |= {
            k: why for k, why in infeasible.items() if k in wanted and _counts(wanted[k])
        }
        asked = {key: charge for key, charge in charges.items() if key in wanted}
        self._idle += [key for key, charge in asked.items() if is_idle(*charge)]
        working = {key: charge for key, charge in asked.items() if not is_idle(*charge)}
        found = [self._candidate(wanted[key], charge, words) for key, charge in working.items()]
        self._all += found
        self._most = min(self._most, most_there(self._model, (c.host_share for c in found)))
        self._judged = None

    @property
    def judged(self) -> list[Candidate]:
        """The answers by key, each with what it is worth by all of them."""
        if self._judged is None:
            answers = [c for c in self._all if c.host_share <= self._most]
            answers.sort(key=lambda candidate: candidate.key)
            networks = {c.measured_as: c for c in answers}
            found = dict(zip(networks, self._posteriors([*networks.values()]), strict=True))
            self._judged = [replace(c, posterior=found[c.measured_as]) for c in answers]
        return self._judged

    @property
    def members(self) -> list[Candidate]:
        """The front so far, by ascending energy."""
        rivals = [c for c in self.judged if c.counts]
        near = [c for c in rivals if c.posterior] or rivals
        return [near[i] for i in non_dominated([c.pair for c in near])]

    @property
    def contenders(self) -> list[Candidate]:
        """Those that more trials may put on the front, by ascending energy.

        None that needs no more energy is better outside both 95 % intervals. So who is none stays
        none, in whatever order trials come.
        """
        rivals = [c for c in self._all if c.counts and c.host_share <= self._most]
        found, best = [], 0.0
        for candidate in sorted(rivals, key=lambda c: (c.energy_uj, c.key)):
            low, high = candidate.validation.interval
            if high >= best:
                found.append(candidate)
            best = max(best, low)
        return found

    def _posteriors(self, found: Sequence[Candidate]) -> list[Posterior | None]:
        def known(place: int) -> tuple[float, ...]:
            plan, after = found[place].made_by, found[place].key.after
            return features(plan, self._shape, after or plan.effort.time_steps)

        return posteriors([c.validation for c in found], [c.energy_uj for c in found], known)

    def _candidate(
        self, head: Head, charge: Charged, words: Mapping[TrialKey, str] | None
    ) -> Candidate:
        machine = self._model.machine
        found = head.at(*machine.precision)
        short = words[head.key.whole] if words is not None else head.plan.short(self._shape)
        return Candidate(
            key=head.key,
            measured_as=head.ended.same_as or head.key,
            origin=head.ended.origin,
            counts=_counts(head),
            validation=found.validation,
            test=found.test,
            bits=found.bits,
            in_integers=found.arithmetic is not None,
            not_held=why_not(machine.arithmetic, found.arithmetic, head.refused),
            floating=head.scores[0].validation,
            rounded=head.at(machine.weight_bits).validation,
            energy_uj=charge.energy_uj,
            host_share=charge.host_share,
            kept_weights=head.kept_weights,
            parameters=head.parameters,
            plan=head.words(short),
            made_by=head.plan,
        )

    def front(self, baselines: Mapping[TrialKey, Outcome], data: str = "") -> MachineFront:
        """The front over all trials that joined, and all that is said about it.

        Args:
            baselines: by key.
            data: what was measured on.

        Raises RecordError where the run has no fine-tuned parent or the machine charges nothing
        for it, and UnknownCost where it has no price, cannot run that parent or a rule of it fails.
        """
        if not self._model.PRICED:
            raise UnknownCost(
                f"{self._model.machine.name}: {NO_PRICE.action}, and so no front; autoprune trial "
                "and price say whether a network fits, in how many bytes and with which accuracy"
            )
        tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
        if tuned is None:
            raise RecordError("the run has no fine-tuned parent yet: nothing to compare with")
        machine = self._model.machine
        parent = tuned.at(*machine.precision)
        cost = self._model.price(parent.workload)
        energy = energy_uj(cost)
        if energy == 0:
            raise RecordError(
                f"{machine.name} charges nothing for the fine-tuned parent: no ratios"
            )
        uniform = [c for c in self.judged if c.origin == "uniform"]
        points = {c.key: _row(c, energy, uniform) for c in self.judged if c.counts}
        rows = [points[member.key] for member in self.members]
        members = [self._read(row.key) for row in rows]
        reference = (parent.validation.accuracy - ACCURACY_MARGIN, COST_FACTOR * energy)
        return MachineFront(
            machine=machine.name,
            title=machine.title,
            data=data,
            rows=tuple(map(self._explained, rows, members)),
            points=tuple(points.values()),
            infeasible=tuple(sorted(self._infeasible.items())),
            idle=tuple(sorted(self._idle)),
            hosted=tuple(
                (c.key, c.host_share)
                for c in sorted(self._all, key=lambda candidate: candidate.key)
                if c.host_share > self._most
            ),
            parent=parent.validation,
            parent_test=parent.test,
            parent_energy_uj=energy,
            accuracy_bits=parent.bits,
            priced_bits=machine.weight_bits,
            parent_in_integers=parent.arithmetic is not None,
            parent_not_held=why_not(machine.arithmetic, parent.arithmetic, tuned.refused),
            reference=reference,
            hypervolume=front_hypervolume([c.pair for c in self.members], reference),
            uniform_hypervolume=front_hypervolume([c.pair for c in uniform], reference),
            host=cost.host,
            emulated=cost.emulated,
            ranges=range_words(machine.prices),
            not_modelled=left_out(self._model, [member.plan for member in members]),
            uncounted=tuple(
                (item.name, parent.workload.share_of_dense_macs(item.dense_macs))
                for item in parent.workload.uncounted
            ),
            legend=_legend([member.plan for member in members]),
        )

    def _explained(self, row: Row, member: Outcome) -> Row:
        """A member of the front with its test score, and what helps to read its energy."""
        assert member.measurement is not None  # it was priced
        machine = self._model.machine
        found = member.measurement.at(*machine.precision)
        cost = self._model.price(found.workload)
        return replace(row, test=found.test, figures=diagnose(found.workload, cost, machine.prices))


def _counts(head: Head) -> bool:
    return head.ended.state == "measured"


def _shows_uniform(head: Head) -> bool:
    ended = head.ended
    return ended.origin == "uniform" and bool(head.scores) and not (ended.cause or ended.broken)


def _legend(plans: Sequence[Plan]) -> tuple[str, ...]:
    """What the words of methods mean that occur in plans, in the order in which they act."""
    met = {method.name for plan in plans for method, _ in plan.stages()}
    return tuple(m.legend for m in in_stages() if m.name in met and m.legend)


def _row(found: Candidate, parent_energy_uj: float, uniform: Sequence[Candidate]) -> Row:
    """A trial beside the fine-tuned parent and the uniform sweep's results."""
    own = found.energy_uj
    no_dearer = (c for c in uniform if c.energy_uj <= own)
    best = max(no_dearer, key=lambda c: c.worth, default=None)
    return Row(
        trial=found.key.cell,
        origin=found.origin,
        validation=found.validation,
        test=found.test,
        accuracy_bits=found.bits,
        in_integers=found.in_integers,
        not_held=found.not_held,
        floating=found.floating,
        rounded=found.rounded,
        energy_uj=own,
        energy_ratio=own / parent_energy_uj,
        host_share=found.host_share,
        kept_weights=found.kept_weights,
        parameters=found.parameters,
        plan=found.plan,
        uniform=None if best is None else best.validation,
        uniform_energy_uj=min(
            (c.energy_uj for c in uniform if c.worth >= found.worth), default=None
        ),
        posterior=found.posterior,
    )
