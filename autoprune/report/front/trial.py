"""One trial explained: what it is, what it costs, what stands between it and each front."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from autoprune.compress.plan import Plan
from autoprune.config import Json
from autoprune.cost.limits import fit_words
from autoprune.cost.model import CostModel
from autoprune.networks.shape import NetworkShape
from autoprune.report.front.candidates import Candidate, Candidates
from autoprune.report.front.priced import price_outcomes
from autoprune.report.front.run_fronts import RunFronts
from autoprune.report.rows import SCHEMA, TrialRow, trial_row
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import run_machines
from autoprune.runs.outcome import Outcome
from autoprune.runs.posterior import worth
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Score, Scores, Seconds, why_not


@dataclass(frozen=True, slots=True, kw_only=True)
class OnMachine:
    """A measured trial on one machine, at the machine's bits.

    Attributes:
        machine: its name. bits: of the weights when it was measured. in_integers: whether its
            neurons were in the machine's integers then. not_held: why they were not; empty where
            they were, and of a machine that has none.
        energy_uj: per inference; None where the machine cannot run it, for the reason `missing`.
        energy_ratio: to the fine-tuned parent; None without one, or where that is free or unknown.
        latency_us: per inference; None where the machine defines none.
        energy_pj_by_cause: largest first.
        memory_kib: of weights and membranes. host_share: of the dense MACs, done by a host, 0 to 1;
            None where it cannot run.
        fits: as in `Diagnostics`.
        expected, chance: as in `Posterior`; None where too few trials say so.
        on_front: whether it is, or a trial whose measurement it shares.
        dominated_by: trials on the front that are as good in expected score and in energy, and
            better in one.
    """

    machine: str
    bits: int
    in_integers: bool
    not_held: str
    energy_uj: float | None
    missing: str
    energy_ratio: float | None
    latency_us: float | None
    energy_pj_by_cause: dict[str, float]
    memory_kib: float | None
    host_share: float | None
    fits: str | None
    expected: float | None
    chance: float | None
    on_front: bool
    dominated_by: list[int]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ExplainedTrial:
    """Everything that is known of one trial or baseline of a run.

    Attributes:
        row: how it ended. seed: of its training.
        expected_gain: of hypervolume, by which its sampler chose it; None where none was expected.
        branches: what each becomes, in words, by name.
        machines: it on every machine of the run; empty where nothing was measured.
        seconds: where its time went; None where nothing was measured, or an earlier trial's is
            shared.
        export: the command that exports it; None where nothing was measured.
    """

    row: TrialRow
    seed: int
    expected_gain: float | None
    branches: tuple[tuple[str, str], ...]
    machines: tuple[OnMachine, ...]
    seconds: Seconds | None
    export: str | None

    def __repr__(self) -> str:
        """In a line: what it is and how it ended."""
        return f"<trial {self.row.key}, {self.row.state}: {self.row.plan}>"

    @property
    def scores(self) -> tuple[tuple[Scores, str, Score], ...]:
        """In which numbers, ``validation`` or, where it was evaluated, ``test``, and score."""
        return tuple(
            (own, part, score)
            for own in self.row.scores
            for part, score in (("validation", own.validation), ("test", own.test))
            if score is not None
        )

    def to_dict(self) -> dict[str, Json]:
        """It as JSON values."""
        return {
            "schema": SCHEMA,
            "trial": self.row.key.cell,
            "state": self.row.state,
            "same_as": None if self.row.same_as is None else self.row.same_as.cell,
            "origin": self.row.origin,
            "expected_gain": self.expected_gain,
            "seed": self.seed,
            "plan": self.row.plan,
            "branches": dict(self.branches),
            "scores": [
                {
                    "bits": own.bits,
                    "in_integers": own.arithmetic is not None,
                    "set": part,
                    "score": score.name,
                    "value": score.accuracy,
                    "low": score.interval[0],
                    "high": score.interval[1],
                }
                for own, part, score in self.scores
            ],
            "parameters": self.row.parameters,
            "kept_weights": self.row.kept_weights,
            "machines": [asdict(machine) for machine in self.machines],
            "seconds": asdict(self.seconds) if self.seconds else None,
            "broken_budgets": dict(self.row.broken),
            "cause": self.row.cause,
            "export": self.export,
        }


def explain_trial(
    folder: RunFolder, outcome: Outcome, expected_gain: float | None
) -> ExplainedTrial:
    """A trial or baseline of a run, with the gain that its sampler expected of it.

    Raises UnknownCost where a rule of a machine fails.
    """
    shape = folder.record.shape
    found, same = outcome.measurement, outcome.same_as
    fronts, baselines = RunFronts(folder, folder.read_heads()), folder.read_baselines()
    return ExplainedTrial(
        row=trial_row(outcome.head, shape),
        seed=outcome.seed,
        expected_gain=expected_gain,
        branches=tuple(plan_branches(outcome.plan, shape)),
        machines=tuple(
            on_machine(outcome, fronts.candidates(model), baselines, model)
            for model in (run_machines(folder) if found else ())
        ),
        seconds=found.seconds if found and not same else None,
        export=export_command(folder.path, same or outcome.key) if found else None,
    )


def plan_branches(plan: Plan, shape: NetworkShape) -> Iterator[tuple[str, str]]:
    """What each branch becomes by a plan, in words, by name."""
    return ((str(place), words) for place, words in plan.branch_words(shape).items())


def on_machine(
    outcome: Outcome,
    candidates: Candidates,
    baselines: Mapping[TrialKey, Outcome],
    model: CostModel,
) -> OnMachine:
    """A trial on one machine.

    Args:
        outcome: with a measurement.
        candidates: the trials of its run on the machine.
        baselines: of its run, by key.
        model: the machine.

    Raises UnknownCost where a rule of the machine fails.
    """
    assert outcome.measurement is not None
    precision = outcome.measurement.at(*model.machine.precision)
    own, reasons = price_outcomes([outcome], model)
    energy = own[0].energy_uj if own else None
    cost = own[0].cost if own else None
    if not model.PRICED:
        cost = model.price(precision.workload)
    parent, _ = price_outcomes([baselines[FINE_TUNED]] if FINE_TUNED in baselines else [], model)
    known = energy is not None and parent and parent[0].energy_uj > 0
    members, same = candidates.members, outcome.same_as or outcome.key
    judged = next((c for c in candidates.judged if c.measured_as == same), None)
    posterior = judged.posterior if judged else None
    expected = worth(precision.validation, posterior)
    better = _dominating(expected, own[0].energy_uj, members) if own else []
    return OnMachine(
        machine=model.machine.name,
        bits=precision.bits,
        in_integers=precision.arithmetic is not None,
        not_held=why_not(
            model.machine.arithmetic, precision.arithmetic, outcome.measurement.refused
        ),
        energy_uj=energy,
        missing=reasons.get(outcome.key, ""),
        energy_ratio=energy / parent[0].energy_uj if known and energy is not None else None,
        latency_us=cost.latency_us if cost else None,
        energy_pj_by_cause=cost.by_cause() if cost else {},
        memory_kib=cost.memory_kib if cost else None,
        host_share=cost.host_share if cost else None,
        fits=fit_words(cost.misfits) if cost else None,
        expected=posterior.expected if posterior else None,
        chance=posterior.chance if posterior else None,
        on_front=_is_member(outcome, members),
        dominated_by=better,
    )


def export_command(run: Path, key: TrialKey) -> str:
    """The command that exports a trial of a run, ready for a shell."""
    return shlex.join(["autoprune", "export", str(run), str(key), "--out", f"network_{key}"])


def _is_member(outcome: Outcome, members: Sequence[Candidate]) -> bool:
    """Whether it, or what shares its measurement, is a member: a baseline may be one as a trial."""
    on_front = {key for member in members for key in (member.key, member.trained_as)}
    return not on_front.isdisjoint({outcome.key, outcome.same_as})


def _dominating(accuracy: float, energy_uj: float, members: Sequence[Candidate]) -> list[int]:
    """Members as good in both, and better in one."""
    better = []
    for member in members:
        score = member.worth
        equal = score == accuracy and member.energy_uj == energy_uj
        if not equal and score >= accuracy and member.energy_uj <= energy_uj:
            better.append(member.key.number)
    return better
