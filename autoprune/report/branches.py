"""What each branch loses and saves, by the probes of a run: its sensitivity table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.metrics import metric_value
from autoprune.outcome import FINE_TUNED, Outcome
from autoprune.plan import Plan, branch_words
from autoprune.shape import NetworkShape


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
    key: str
    lost: float
    saved: tuple[tuple[str, float | None], ...]


def branch_probes(
    outcomes: Sequence[Outcome],
    baselines: Mapping[str, Outcome],
    machines: Mapping[str, CostModel],
    shape: NetworkShape,
) -> list[BranchProbe]:
    """The probes and the removals of single branches, by branch, mildest first."""
    tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
    if tuned is None:
        return []
    probes = [o for o in outcomes if o.origin == "probe"]
    order = [f"blocks.{i}.{branch.name}" for i, branch in shape.branches()]
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


def _changed(plan: Plan, parent: Plan, shape: NetworkShape) -> Iterator[tuple[str, str]]:
    """Branches in which a plan differs from the parent's, and how."""
    for index, block in enumerate(shape.blocks):
        own, other = plan.blocks[index], parent.blocks[index]
        for branch, mine, theirs in zip(block.branches, own.branches, other.branches, strict=True):
            if mine != theirs:
                yield f"blocks.{index}.{branch.name}", branch_words(branch, mine)


def probe_table(probes: Sequence[BranchProbe]) -> RenderableType:
    """The probes as a table for 80 columns."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        collapse_padding=True,
        title="What each branch loses and saves",
        title_justify="left",
    )
    table.add_column("branch", no_wrap=True)
    table.add_column("alone", no_wrap=True)
    table.add_column("lost", justify="right", no_wrap=True)
    for name, _ in probes[0].saved if probes else ():
        table.add_column(name, justify="right", overflow="fold", max_width=9)
    last = ""
    for probe in probes:
        saved = ("-" if v is None else f"{100 * v:.1f} %" for _, v in probe.saved)
        name = "" if probe.branch == last else probe.branch
        # Adding zero turns the -0.0 of a tiny gain into 0.0.
        table.add_row(name, probe.setting, f"{round(100 * probe.lost, 1) + 0.0:.1f}", *saved)
        last = probe.branch
    return Group(
        table,
        Text(
            "lost: points of the validation score against the fine-tuned parent; then the share of "
            "its energy that is saved, per machine. A - : without the branch."
        ),
    )


def to_csv(probes: Sequence[BranchProbe]) -> str:
    """The probes as CSV, numbers at full precision."""
    text = io.StringIO()
    machines = [name for name, _ in probes[0].saved] if probes else []
    columns = ["branch", "setting", "trial", "lost", *(f"saved@{name}" for name in machines)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for probe in probes:
        values = (value for _, value in probe.saved)
        writer.writerow([probe.branch, probe.setting, probe.key, probe.lost, *values])
    return text.getvalue()
