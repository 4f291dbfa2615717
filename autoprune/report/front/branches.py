"""What each branch carries: what the network without it loses and saves."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.networks.shape import NetworkShape
from autoprune.report.outside import cell
from autoprune.runs.metrics import metric_value
from autoprune.runs.outcome import Outcome
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One branch removed, all else as in the fine-tuned parent, and fine-tuned alike.

    Attributes:
        branch: such as ``blocks.0.mlp``.
        lost: validation score that it costs, 0 to 1; negative where it gains.
        saved: share of the fine-tuned parent's energy that it saves, by machine; None where the
            machine charges nothing for that parent or cannot price one of the two.
    """

    branch: str
    lost: float
    saved: tuple[tuple[str, float | None], ...]


def removals(
    baselines: Mapping[TrialKey, Outcome], machines: Sequence[CostModel], shape: NetworkShape
) -> tuple[Removal, ...]:
    """What each branch carries of which the removal was measured, in the network's order."""
    tuned = _measured(baselines, FINE_TUNED)
    found = []
    for place, _ in shape.branches():
        left = _measured(baselines, TrialKey.without(place))
        if tuned is not None and left is not None:
            removal = Removal(
                branch=str(place),
                lost=tuned.validation.accuracy - left.validation.accuracy,
                saved=tuple((m.machine.name, _saved(tuned, left, m)) for m in machines),
            )
            found.append(removal)
    return tuple(found)


def _measured(baselines: Mapping[TrialKey, Outcome], key: TrialKey) -> Measurement | None:
    return baselines[key].measurement if key in baselines else None


def _saved(tuned: Measurement, left: Measurement, model: CostModel) -> float | None:
    """The share of energy that a machine saves; None where it has no price, or nothing to save."""
    named = {model.machine.name: model}
    try:
        before, after = (
            metric_value(f"energy_uj@{model.machine.name}", measured, named)
            for measured in (tuned, left)
        )
    except UnknownCost:
        return None
    return 1 - after / before if before else None


def to_csv(found: Sequence[Removal]) -> str:
    """Removals as CSV, numbers at full precision."""
    text = io.StringIO()
    machines = [name for name, _ in found[0].saved] if found else []
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["branch", "lost", *(f"saved@{name}" for name in machines)])
    for removal in found:
        saved = (share for _, share in removal.saved)
        writer.writerow([cell(removal.branch), removal.lost, *saved])
    return text.getvalue()
