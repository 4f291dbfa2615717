"""Outcome: how one trial or baseline of a run ended, and why."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import Literal, TypeAlias

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.compress.setting import Value
from autoprune.errors import InputError, RecordError
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement, Refused, Scores, paired

State = Literal["measured", "duplicate", "infeasible", "failed"]
Origin = Literal["baseline", "uniform", "warm", "sampled", "recipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one machine charged for a measurement while the run went on.

    Attributes:
        energy_uj, latency_us: of one inference; None where the machine defines none, or failed.
        host_share: of the dense MACs, done by a host, 0 to 1; None where the machine failed.
        cause: why there is no energy; empty where there is one.
        machine: fingerprint of the machine that charged; see `autoprune.cost.model.CostModel`.
    """

    energy_uj: float | None = None
    latency_us: float | None = None
    host_share: float | None = None
    cause: str = ""
    machine: str = ""


Charges: TypeAlias = tuple[tuple[str, Charge], ...]
"""What machines charged, by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a network is worth that is read after other time steps than it was trained for.

    Attributes:
        time_steps: after which. charges, broken: as in `Outcome`.
    """

    time_steps: int
    charges: Charges
    broken: tuple[tuple[str, float], ...]

    def state(self, trained: State) -> State:
        """That of the reading, where the network as it was trained has ended so."""
        if trained in ("duplicate", "failed"):
            return trained
        return "infeasible" if self.broken else "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a trial ended, without what was measured: small enough to keep of every trial of a run.

    Attributes:
        key, origin, state, same_as, cause, broken, peak_gib: as in `Outcome`.
        score: on validation data, 0 to 1, of the network as it is; None where nothing was measured.
        seconds: that it took; 0 where nothing was measured, or an earlier trial's is shared.
    """

    key: TrialKey
    origin: Origin
    state: State
    same_as: TrialKey | None
    cause: str
    broken: tuple[tuple[str, float], ...]
    peak_gib: float | None = None
    score: float | None
    seconds: float

    @property
    def trained(self) -> bool:
        """Whether it ran: not where it was known before to break a budget."""
        return self.score is not None or bool(self.cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """An outcome without its operations: what fronts and tables are made of.

    Attributes:
        ended: how it ended. plan: what it was.
        scores: in all numbers in which it was measured, in the order of its precisions; none where
            nothing was measured.
        parameters, kept_weights: as in `Measurement`; 0 where nothing was measured.
        charges: as in `Outcome`.
        readings: the same, read after other numbers of time steps.
        one_shot: accuracy without fine-tuning; None where it was not evaluated.
        refused: as in `Measurement`.
    """

    ended: Ended
    plan: Plan
    scores: tuple[Scores, ...]
    parameters: int
    kept_weights: float
    charges: Charges
    readings: tuple[Head, ...] = ()
    one_shot: float | None = None
    refused: tuple[Refused, ...] = ()

    def after(self, read: Read, scores: tuple[Scores, ...]) -> Head:
        """It as its network is read after other time steps, with those scores."""
        same = self.ended.same_as
        ended = replace(
            self.ended,
            key=replace(self.key, after=read.time_steps),
            same_as=None if same is None else replace(same, after=read.time_steps),
            state=read.state(self.ended.state),
            broken=read.broken,
            score=scores[0].validation.accuracy,
        )
        return replace(self, ended=ended, scores=scores, charges=read.charges)

    @property
    def all_readings(self) -> tuple[Head, ...]:
        """It as it was trained, and as it is read otherwise."""
        return (self, *self.readings)

    def words(self, short: str) -> str:
        """Its plan in short form, of which `short` is that as it was trained: ``T4@2 | ...``."""
        steps, _, rest = short.partition(" ")
        return short if self.key.after is None else f"{steps}@{self.key.after} {rest}"

    @property
    def key(self) -> TrialKey:
        """The outcome's key."""
        return self.ended.key

    def at(self, weight_bits: int, arithmetic: Arithmetic | None = None) -> Scores:
        """Those that a machine of such weights and integers is paired with; see `paired`.

        Of a trial that was measured.
        """
        numbers = [(found.bits, found.arithmetic) for found in self.scores]
        return self.scores[paired(numbers, weight_bits, arithmetic)]

    def charge(self, name: str, fingerprint: str) -> Charge | None:
        """What a machine charged; None where it has no energy, or it was another machine."""
        charge = dict(self.charges).get(name)
        if charge is None or charge.energy_uj is None or not fingerprint:
            return None
        return charge if charge.machine == fingerprint else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one trial.

    Attributes:
        key: its name in the run.
        origin: who proposed it: the run itself, the uniform sweep, the run that
            this one began with (``warm``), the sampler, or the choice of a learning rate
            (``recipe``).
        configuration: as it was proposed; empty for a baseline.
        plan: what it means.
        seed: of its training.
        state: ``measured``; ``duplicate`` of an earlier trial with the same plan, which was not
            trained again; ``infeasible``: it breaks a budget of the study, or ran out of memory;
            or ``failed``.
        measurement: what was found out; of a duplicate the earlier trial's. None where the trial
            failed before it was measured, or was known to break a budget and never trained.
        same_as: key of the earlier trial or baseline whose measurement this is.
        cause: why it failed, or is infeasible by memory; of an exception the end of its traceback.
        charges: by machine, what was paid for it; see `Charge`.
        broken: budgets that it breaks, and by what share of the bound; see `Budget.excess`.
        peak_gib: of one that ran out of memory, the most that was seen; 0 where nothing was.
        read: of each reading of its measurement, what it is worth; see `after`.
    """

    key: TrialKey
    origin: Origin
    configuration: tuple[tuple[Parameter, Value], ...]
    plan: Plan
    seed: int
    state: State
    measurement: Measurement | None = None
    same_as: TrialKey | None = None
    cause: str = ""
    charges: Charges = ()
    broken: tuple[tuple[str, float], ...] = ()
    peak_gib: float | None = None
    read: tuple[Read, ...] = ()

    def after(self, time_steps: int | None) -> Outcome:
        """The outcome as its network is read after so many steps; None for as it was trained.

        Raises RecordError where it was not read so.
        """
        if time_steps is None:
            return self
        found = next((one for one in self.read if one.time_steps == time_steps), None)
        if found is None or self.measurement is None:
            known = ", ".join(str(one.time_steps) for one in self.read)
            also = f"; it was after {known}" if known else ""
            raise RecordError(f"{self.key.words} was not read after {time_steps} steps{also}")
        return replace(
            self,
            key=replace(self.key, after=time_steps),
            same_as=None if self.same_as is None else replace(self.same_as, after=time_steps),
            state=found.state(self.state),
            measurement=self.measurement.after(time_steps),
            charges=found.charges,
            broken=found.broken,
            read=(),
        )

    @property
    def ended(self) -> Ended:
        """It without its measurement."""
        found = self.measurement
        return Ended(
            key=self.key,
            origin=self.origin,
            state=self.state,
            same_as=self.same_as,
            cause=self.cause,
            broken=self.broken,
            peak_gib=self.peak_gib,
            score=found.validation.accuracy if found else None,
            seconds=sum(astuple(found.seconds)) if found and self.same_as is None else 0.0,
        )

    @property
    def head(self) -> Head:
        """It without its operations."""
        found = self.measurement
        measured = found.precisions if found else ()
        head = Head(
            ended=self.ended,
            plan=self.plan,
            scores=tuple(p.scores for p in measured),
            parameters=found.parameters if found else 0,
            kept_weights=found.kept_weights if found else 0.0,
            charges=self.charges,
            one_shot=found.one_shot.accuracy if found and found.one_shot else None,
            refused=found.refused if found else (),
        )
        if not self.read or found is None:
            return head
        scores = {r.time_steps: tuple(p.scores for p in r.precisions) for r in found.readings}
        readings = tuple(head.after(one, scores[one.time_steps]) for one in self.read)
        return replace(head, readings=readings)

    def __post_init__(self) -> None:
        if self.state == "measured" and self.measurement is None:
            raise InputError(f"trial {self.key}", "measured without a measurement")
        if self.state == "duplicate" and self.same_as is None:
            raise InputError(f"trial {self.key}", "duplicate of nothing")
        if self.state == "infeasible" and not self.broken and self.peak_gib is None:
            raise InputError(f"trial {self.key}", "infeasible without a broken budget")
        if self.state == "failed" and not self.cause:
            raise InputError(f"trial {self.key}", "failed without a cause")
