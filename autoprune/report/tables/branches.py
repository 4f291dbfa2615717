"""What each branch carries, loses and saves, as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.errors import RecordError
from autoprune.report.front.branches import BranchProbe
from autoprune.report.units import score_words
from autoprune.runs.outcome import Outcome
from autoprune.trial.key import FINE_TUNED, TrialKey


def branch_table(baselines: Mapping[TrialKey, Outcome]) -> RenderableType:
    """What the parent, and every branch of it, is worth; the names are the keys of the baselines.

    Points lost are of the validation score, against the fine-tuned parent.

    Raises RecordError where the fine-tuned parent was not measured.
    """
    tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
    if tuned is None:
        raise RecordError("the run has no fine-tuned parent yet: nothing to compare with")
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title="What each branch carries (all but the parent fine-tuned alike)",
        title_justify="left",
    )
    table.add_column("network")
    for name in ("val % [95 %]", "test % [95 %]", "points lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for key in sorted(baselines):
        m = baselines[key].measurement
        if m is None:
            table.add_row(str(key), "failed", "failed", "-")
            continue
        lost = round(100 * (tuned.validation.accuracy - m.validation.accuracy), 1)
        # Adding zero turns the -0.0 of a tiny gain into 0.0.
        table.add_row(str(key), score_words(m.validation), score_words(m.test), f"{lost + 0.0:.1f}")
    return table


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
        # Heads break where words of a name end, never inside one.
        table.add_column(name.replace("_", "_\n"), justify="right", no_wrap=True)
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
