"""MachineFront: the front of one machine, and all that is said about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autoprune.cost.cost import HostOperation
from autoprune.report.front.diagnostics import Diagnostics
from autoprune.runs.outcome import Origin
from autoprune.runs.pareto import front_hypervolume, non_dominated
from autoprune.runs.posterior import Posterior, worth
from autoprune.trial.key import LETTERS, TrialKey
from autoprune.trial.measurement import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured network on one machine.

    Attributes:
        trial: number; with the time steps after which it is read, ``53@2``, where it was trained
            for others. origin: ``baseline``, ``uniform``, ``warm`` or
            ``sampled``.
        validation, test: its scores, with weights of `accuracy_bits` bits, and neurons in the
            machine's integers where `in_integers`; no test score where test data were not
            evaluated. not_held: why they were not in them; empty where they were, and of a machine
            that has none.
        floating, rounded: validation scores as it was trained, and with the weights that go with
            the machine, both with neurons in floating point.
        energy_uj: per inference. energy_ratio: to the fine-tuned parent.
        host_share: share of its dense MACs that a host does, 0 to 1.
        kept_weights: nonzero block weights, 0 to 1. parameters: that are not zero.
        plan: in short form.
        uniform: the best uniform trial, by validation, that needs no more energy; None where none
            is as cheap.
        uniform_energy_uj: of the cheapest uniform trial with at least its validation score; None
            where none has that.
        figures: what helps to read its energy; of members of the front only.
        posterior: what it is worth by all trials; None where too few say so.
    """

    trial: int | str
    origin: Origin
    validation: Score
    test: Score | None
    accuracy_bits: int
    in_integers: bool
    not_held: str
    floating: Score
    rounded: Score
    energy_uj: float
    energy_ratio: float
    host_share: float
    kept_weights: float
    parameters: int
    plan: str
    uniform: Score | None
    uniform_energy_uj: float | None
    figures: Diagnostics | None = None
    posterior: Posterior | None = None

    @property
    def key(self) -> TrialKey:
        """Its key in the run."""
        return TrialKey.parse(str(self.trial))

    @property
    def name(self) -> str:
        """Its number with the letter of its origin, and when it is read: ``4b@2``."""
        number, at, steps = str(self.trial).partition("@")
        return f"{number}{LETTERS[self.origin]}{at}{steps}"

    @property
    def worth(self) -> float:
        """The score by which fronts are chosen: what is expected, else as it was measured."""
        return worth(self.validation, self.posterior)

    @property
    def pair(self) -> tuple[float, float]:
        """What fronts are made of: the score that it is worth, and energy."""
        return self.worth, self.energy_uj

    @property
    def beats_uniform(self) -> bool:
        """Whether it is better than uniform compression at its energy, outside both intervals.

        Its Wilson interval begins above the end of that of the best uniform trial that needs no
        more energy. Where no uniform trial is as cheap there is nothing to beat.
        """
        return self.uniform is not None and self.validation.interval[0] > self.uniform.interval[1]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MachineFront:
    """The front of one machine.

    Attributes:
        machine: its name. title: one line.
        data: what was measured on, and whether that is synthetic; empty where nothing says so.
        rows: the front, by ascending energy. points: every trial that is feasible and an answer
            there, see `autoprune.runs.own_work`, by number.
        infeasible: trials that need what the machine cannot do, and what that is.
        idle: trials that leave nothing to do for the machine: no answer, and in no count.
        hosted: likewise those of which a host does more than the machine, and its share.
        parent, parent_test: validation and test score of the fine-tuned parent.
        parent_energy_uj: its energy.
        accuracy_bits: bits of the fine-tuned parent's weights when accuracy was measured, and of
            all others whose plan has as many. priced_bits: bits at which the machine is priced.
        parent_in_integers: whether the parent was measured in them. parent_not_held: as `not_held`
            of a row.
        reference: validation accuracy of the fine-tuned parent less ACCURACY_MARGIN, and its
            energy in microjoules times COST_FACTOR.
        hypervolume, uniform_hypervolume: of all trials, and of the uniform sweep alone, above
            the reference.
        host: work outside the totals, of the fine-tuned parent. emulated: rules.
        ranges: prices that are ranges, in words; energies are at their upper ends.
        not_modelled: what the totals leave out. uncounted: share of dense MACs that the workload
            of the fine-tuned parent does not count, by operation; 0 for one without MACs.
        legend: what the words of the members' plans mean, by method.
    """

    machine: str
    title: str
    data: str
    rows: tuple[Row, ...]
    points: tuple[Row, ...]
    infeasible: tuple[tuple[TrialKey, str], ...]
    idle: tuple[TrialKey, ...]
    hosted: tuple[tuple[TrialKey, float], ...]
    parent: Score
    parent_test: Score | None
    parent_energy_uj: float
    accuracy_bits: int
    priced_bits: int
    parent_in_integers: bool
    parent_not_held: str
    reference: tuple[float, float]
    hypervolume: float
    uniform_hypervolume: float
    host: tuple[HostOperation, ...]
    emulated: tuple[str, ...]
    ranges: str
    not_modelled: tuple[str, ...]
    uncounted: tuple[tuple[str, float], ...]
    legend: tuple[str, ...]

    def __repr__(self) -> str:
        """In a line: the machine, and how many members it has."""
        return f"<front of {self.machine}: {len(self.rows)} of {self.networks_words}>"

    @property
    def networks(self) -> int:
        """How many networks there are, each once, at whatever time steps it is read."""
        return len({row.key.whole for row in self.points})

    @property
    def networks_words(self) -> str:
        """How many there are, and how many with all times at which they are read."""
        readings = f", {len(self.points)} readings" if len(self.points) > self.networks else ""
        return f"{self.networks} networks{readings}"

    def _repr_html_(self) -> str:
        from autoprune.report.html import front_html

        return front_html(self)

    @property
    def parent_host_share(self) -> float:
        """Share of the fine-tuned parent's dense MACs that a host does, 0 to 1."""
        return math.fsum(host.share for host in self.host)

    @property
    def prices_host(self) -> bool:
        """Whether the energies hold what a host does."""
        return any(work.counted for work in self.host)

    @property
    def rivals(self) -> list[Row]:
        """The points of which members are chosen: those that all trials say anything of."""
        return [row for row in self.points if row.posterior] or list(self.points)

    @property
    def beating(self) -> int:
        """Members that beat uniform compression; see `Row.beats_uniform`."""
        return sum(row.beats_uniform for row in self.rows)

    @property
    def unmatched(self) -> int:
        """Members that are cheaper than every uniform trial."""
        return sum(row.uniform is None for row in self.rows)

    @property
    def read_otherwise(self) -> int:
        """Members that are read after other time steps than they were trained for."""
        return sum(row.key.after is not None for row in self.rows)

    @property
    def not_in_integers(self) -> dict[str, tuple[int | str, ...]]:
        """Members that were not measured in the machine's integers, by the reason."""
        causes = dict.fromkeys(row.not_held for row in self.rows if row.not_held)
        return {
            cause: tuple(row.trial for row in self.rows if row.not_held == cause)
            for cause in causes
        }

    @property
    def integer_loss(self) -> tuple[float, float] | None:
        """Validation score that members lose by the weights' bits, and by all the integers.

        Against floating point, their means, 0 to 1; None where none is in integers.
        """
        held = [row for row in self.rows if row.in_integers]
        if not held:
            return None
        losses = [
            (r.floating.accuracy - r.rounded.accuracy, r.floating.accuracy - r.validation.accuracy)
            for r in held
        ]
        by_bits, by_all = (math.fsum(one) / len(held) for one in zip(*losses, strict=True))
        return by_bits, by_all

    @property
    def luck(self) -> float | None:
        """By what the members' scores are larger than what all trials lead one to expect, 0 to 1.

        Their mean; None where too few trials say so.
        """
        found = [
            row.validation.accuracy - row.posterior.expected for row in self.rows if row.posterior
        ]
        return sum(found) / len(found) if found else None

    @property
    def trained_hypervolume(self) -> float:
        """Hypervolume of the trials as they were trained alone, above the reference."""
        pairs = [row.pair for row in self.rivals if row.key.after is None]
        return front_hypervolume(pairs, self.reference)

    @property
    def coarser(self) -> dict[int, tuple[int | str, ...]]:
        """Members whose plan has fewer bits than `accuracy_bits`: their numbers by bits."""
        found = {row.accuracy_bits for row in self.rows} - {self.accuracy_bits}
        return {
            bits: tuple(row.trial for row in self.rows if row.accuracy_bits == bits)
            for bits in sorted(found)
        }


def history(front: MachineFront) -> list[tuple[int, float]]:
    """How the hypervolume grew: trial numbers at which it did, and what it was then.

    By what networks are worth as all trials say now, not as those before them did.
    """
    found: list[tuple[int, float]] = []
    best: list[tuple[float, float]] = []
    for row in sorted(front.rivals, key=lambda row: row.key):
        if any(a >= row.worth and e <= row.energy_uj for a, e in best):
            continue
        pairs = [*best, row.pair]
        volume = front_hypervolume(pairs, front.reference)
        if volume > (found[-1][1] if found else 0.0):
            found.append((row.key.number, volume))
            best = [pairs[index] for index in non_dominated(pairs)]
    return found
