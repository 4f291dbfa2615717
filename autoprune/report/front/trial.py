"""One trial on one machine: what it costs there, and what stands between it and the front."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoprune.cost.model import CostModel
from autoprune.report.front.candidates import Candidate
from autoprune.report.front.priced import price_outcomes
from autoprune.runs.outcome import FINE_TUNED, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OnMachine:
    """A measured trial on one machine, at the machine's bits.

    Attributes:
        machine: its name. bits: of the weights when it was measured.
        energy_uj: per inference; None where the machine cannot run it, for the reason `missing`.
        energy_ratio: to the fine-tuned parent; None without one, or where that is free or unknown.
        latency_us: per inference; None where the machine defines none.
        by_cause: energy in picojoules by cause, largest first.
        on_front: whether it is, or the earlier trial whose duplicate it is.
        dominated_by: trials on the front that are as good in score and energy, and better in one.
    """

    machine: str
    bits: int
    energy_uj: float | None
    missing: str
    energy_ratio: float | None
    latency_us: float | None
    by_cause: dict[str, float]
    on_front: bool
    dominated_by: list[int]


def on_machine(
    outcome: Outcome,
    members: Sequence[Candidate],
    baselines: Mapping[str, Outcome],
    model: CostModel,
) -> OnMachine:
    """Of an outcome with a measurement; `members` are the front of its run on the machine.

    Raises UnknownCost where a rule of the machine fails.
    """
    assert outcome.measurement is not None
    precision = outcome.measurement.at(model.machine.weight_bits)
    own, reasons = price_outcomes([outcome], model)
    energy = own[0].energy_uj if own else None
    cost = own[0].cost if own else None
    parent, _ = price_outcomes([baselines[FINE_TUNED]] if FINE_TUNED in baselines else [], model)
    known = energy is not None and parent and parent[0].energy_uj > 0
    better = _dominating(precision.validation.accuracy, own[0].energy_uj, members) if own else []
    return OnMachine(
        machine=model.machine.name,
        bits=precision.bits,
        energy_uj=energy,
        missing=reasons.get(outcome.key, ""),
        energy_ratio=energy / parent[0].energy_uj if known and energy is not None else None,
        latency_us=cost.latency_us if cost else None,
        by_cause=cost.by_cause() if cost else {},
        on_front=(outcome.same_as or outcome.key) in {member.key for member in members},
        dominated_by=better,
    )


def export_command(run: Path, key: str) -> str:
    """The command that exports a trial of a run, ready for a shell."""
    return shlex.join(["autoprune", "export", str(run), key, "--out", f"network_{key}"])


def _dominating(accuracy: float, energy_uj: float, members: Sequence[Candidate]) -> list[int]:
    """Members as good in both, and better in one."""
    better = []
    for member in members:
        score = member.validation.accuracy
        equal = score == accuracy and member.energy_uj == energy_uj
        if not equal and score >= accuracy and member.energy_uj <= energy_uj:
            better.append(int(member.key))
    return better
