"""What the page says of one machine: the answer in words, its front, its prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from autoprune.config import Json
from autoprune.cost.model import CostModel
from autoprune.report.front.answer import answer
from autoprune.report.front.confirmed import ConfirmedFront, confirmed_front
from autoprune.report.front.front import MachineFront, Row, history
from autoprune.report.front.knee import knee
from autoprune.report.front.run_fronts import RunFronts
from autoprune.report.page.trials import score_values
from autoprune.report.plots.fit import Fit
from autoprune.report.tables.confirmed import confirmed_document
from autoprune.report.tables.front_notes import bits_words, host_words, uncounted_words
from autoprune.report.units import EnergyUnit, energy_words
from autoprune.runs.outcome import Outcome
from autoprune.trial.measurement import Score


def machine_values(
    fronts: RunFronts, again: Sequence[Outcome], model: CostModel
) -> dict[str, Json]:
    """All of one machine; `again` are trials on fresh seeds.

    Raises what `RunFronts.of` raises.
    """
    front = fronts.of(model)
    confirmed = confirmed_front(front, again, model) if again else None
    picked, members = knee(front), {row.trial for row in front.rows}
    shown = [row for row in front.points if row.key.after is None or row.trial in members]
    fit = Fit.of(front)
    return {
        "name": front.machine,
        "title": front.title,
        "knee": str(picked.row.trial) if picked.row else None,
        "answer": _answer(front, picked.row, picked.reason, confirmed),
        "bits": bits_words(front),
        "unit": asdict(EnergyUnit.of(row.energy_uj for row in front.rows)),
        "fit": asdict(fit) if fit else None,
        "front": [str(row.trial) for row in front.rows],
        "worth": {str(row.trial): row.worth for row in front.rows},
        "points": [str(row.trial) for row in shown],
        "infeasible": [[str(key), why] for key, why in front.infeasible],
        "apart": [str(key) for key in (*front.idle, *(key for key, _ in front.hosted))],
        "parent": score_values(front.parent),
        "parent_energy_uj": front.parent_energy_uj,
        "least_accuracy": front.reference[0],
        "picked": _picked(front),
        "hypervolume": front.hypervolume,
        "uniform_hypervolume": front.uniform_hypervolume,
        "history": [list(step) for step in history(front)],
        "confirmed": confirmed_document(confirmed)["rows"] if confirmed else [],
        "prices": [asdict(price) for price in model.machine.charged],
        "parameters": [asdict(quantity) for quantity in model.machine.parameters],
        "not_modelled": list(front.not_modelled),
        "emulated": list(front.emulated),
        "host": [
            f"{host.name} ({host_words(host)}{', in the total' if host.counted else ''})"
            for host in front.host
        ],
        "uncounted": uncounted_words(front),
    }


def _picked(front: MachineFront) -> dict[str, Json] | None:
    """The row of a machine in the table of answers."""
    found = answer(front)
    if found.row is None:
        return None
    return {
        "validation": score_values(found.row.validation),
        "energy": energy_words(found.row.energy_uj),
        "less_than_parent": found.less_than_parent,
        "less_than_uniform": found.less_than_uniform,
    }


def _answer(
    front: MachineFront, row: Row | None, reason: str, confirmed: ConfirmedFront | None
) -> list[str]:
    """Which network goes on the machine, and what it saves; intervals are of 95 %."""
    if row is None:
        return [f"No network is to be named: {reason}."]
    saved = 100 * (1 - row.energy_ratio)
    lost = 100 * (front.parent.accuracy - row.validation.accuracy)
    change = f"{lost:.1f} points less" if lost >= 0 else f"{-lost:.1f} points more"
    lines = [
        f"Trial {row.trial} needs {energy_words(row.energy_uj)} per inference, {saved:.1f} % less "
        f"than the fine-tuned parent ({energy_words(front.parent_energy_uj)}).",
        *_least(front, row),
        *_expected(front, row),
        f"Its validation {front.parent.name} is {_words(row.validation)}, {change} than the "
        f"parent's {_words(front.parent)}"
        + (
            f"; in the test {_words(row.test)} against {_words(front.parent_test)}."
            if row.test and front.parent_test
            else "."
        ),
    ]
    if row.uniform is None:
        lines.append("No uniform compression that was tried needs so little energy.")
    else:
        gain = 100 * (row.validation.accuracy - row.uniform.accuracy)
        outside = "outside" if row.beats_uniform else "within"
        lines.append(
            f"The best uniform compression at no more energy reaches {_words(row.uniform)}: "
            f"{gain:.1f} points between them, {outside} both intervals."
        )
    lines += [
        f"On {one.seeds} fresh seeds: {100 * one.validation.mean:.1f} %"
        + (f" (sd {100 * one.validation.std:.1f})" if one.validation.std is not None else "")
        + f", {energy_words(one.energy_uj.mean)}; "
        f"on the front with probability {one.probability:.2f}."
        for one in (confirmed.rows if confirmed else ())
        if one.trial == row.trial
    ]
    return [*lines, f"Why this one: {reason}."]


def _least(front: MachineFront, row: Row) -> list[str]:
    """Its energy at the lower ends of prices that are ranges, where some are."""
    if row.figures is None or row.figures.least_uj is None:
        return []
    least = energy_words(row.figures.least_uj)
    return [f"That is {least} at the lower end of {front.ranges}."]


def _expected(front: MachineFront, row: Row) -> list[str]:
    """What all trials lead one to expect of it, where they are enough."""
    if row.posterior is None:
        return []
    return [
        f"By all trials its validation {front.parent.name} is expected to be "
        f"{100 * row.worth:.1f} %; the chance that it is on the true front: "
        f"{row.posterior.chance:.2f}."
    ]


def _words(score: Score) -> str:
    low, high = score.interval
    return f"{100 * score.accuracy:.1f} % [{100 * low:.1f} {100 * high:.1f}]"
