"""What each branch loses and saves, by the probes of a run: its sensitivity table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autoprune.compress.plan import Plan
from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.networks.shape import NetworkShape
from autoprune.report.outside import cell
from autoprune.runs.folder import RunFolder
from autoprune.runs.metrics import metric_value
from autoprune.runs.outcome import Head, Outcome
from autoprune.trial.key import FINE_TUNED, TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchProbe:
    """One branch compressed, all else as in the fine-tuned parent.

    Attributes:
        branch: such as ``blocks.0.mlp``. setting: short, as in `Plan.short`.
        key: of the trial or baseline.
        lost: validation score that it costs, 0 to 1; negative where it gains.
        saved: share of the fine-tuned parent's energy that it saves, by machine; None where the
            machine charges nothing for that parent or cannot price one of the two.
    """

    branch: str
    setting: str
    key: TrialKey
    lost: float
    saved: tuple[tuple[str, float | None], ...]


def branch_probes(
    outcomes: Sequence[Outcome],
    baselines: Mapping[TrialKey, Outcome],
    machines: Mapping[str, CostModel],
    shape: NetworkShape,
) -> list[BranchProbe]:
    """The probes and the removals of single branches, by branch, mildest first."""
    tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
    if tuned is None:
        return []
    probes = [o for o in outcomes if o.origin == "probe"]
    order = [str(place) for place, _ in shape.branches()]
    found: list[BranchProbe] = []
    for outcome in [*probes, *baselines.values()]:
        changed = list(_changed(outcome.plan, tuned.plan, shape))
        measurement = outcome.measurement
        if measurement is None or len(changed) != 1:
            continue
        saved = {}
        for name, model in machines.items():
            try:
                before = metric_value(f"energy_uj@{name}", tuned, {name: model})
                after = metric_value(f"energy_uj@{name}", measurement, {name: model})
                saved[name] = 1 - after / before if before else None
            except UnknownCost:
                saved[name] = None
        name, setting = changed[0]
        probe = BranchProbe(
            branch=name,
            setting=setting,
            key=outcome.key,
            lost=tuned.validation.accuracy - measurement.validation.accuracy,
            saved=tuple(saved.items()),
        )
        if all((p.branch, p.setting) != (name, setting) for p in found):
            found.append(probe)
    return sorted(found, key=lambda probe: order.index(probe.branch))


def read_probes(
    folder: RunFolder, heads: Sequence[Head], machines: Sequence[CostModel]
) -> list[BranchProbe]:
    """The probes of a run whose trials are `heads`; RecordError where a file is damaged."""
    keys = [head.key for head in heads if head.ended.origin == "probe"]
    named = {model.machine.name: model for model in machines}
    outcomes = [folder.read(key) for key in keys]
    return branch_probes(outcomes, folder.read_baselines(), named, folder.record.shape)


def _changed(plan: Plan, parent: Plan, shape: NetworkShape) -> Iterator[tuple[str, str]]:
    """Branches in which a plan differs from the parent's, and how."""
    for place, words in plan.branch_words(shape).items():
        if plan.inside(place) != parent.inside(place):
            yield str(place), words


def to_csv(probes: Sequence[BranchProbe]) -> str:
    """The probes as CSV, numbers at full precision."""
    text = io.StringIO()
    machines = [name for name, _ in probes[0].saved] if probes else []
    columns = ["branch", "setting", "trial", "lost", *(f"saved@{name}" for name in machines)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for probe in probes:
        values = (value for _, value in probe.saved)
        words = (cell(probe.branch), cell(probe.setting), probe.key)
        writer.writerow([*words, probe.lost, *values])
    return text.getvalue()
