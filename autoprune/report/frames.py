"""Fronts and trials as pandas data frames: for notebooks, tables, CSV and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.networks.shape import NetworkShape
from autoprune.report.front.candidates import Candidates
from autoprune.report.front.front import MachineFront
from autoprune.report.front.priced import Charged
from autoprune.report.outside import cell
from autoprune.report.rows import SCHEMA, On, front_cells, front_columns, trial_row
from autoprune.runs.outcome import Head, Origin, Outcome, State
from autoprune.trial.key import TrialKey


def front_frame(front: MachineFront) -> pd.DataFrame:
    """A front by ascending energy, indexed by trial.

    Columns: those of `autoprune.report.rows.FRONT`, as in front.csv and front.json. `attrs` has the
    version of the columns, the machine, its title and the data.
    """
    rows = [front_cells(row) for row in front.rows]
    frame = pd.DataFrame(rows, columns=front_columns(front.parent.name)).set_index("trial")
    frame.columns.name = front.machine
    frame.attrs = {
        "schema": SCHEMA,
        "machine": front.machine,
        "title": front.title,
        "data": front.data,
    }
    return frame


def trials_frame(
    heads: Sequence[Head],
    models: Mapping[str, CostModel],
    shape: NetworkShape,
    read: Callable[[TrialKey], Outcome],
) -> pd.DataFrame:
    """All trials by number, indexed by trial; what one does not have is missing there.

    Columns: state, origin, score of validation and test with the plan's own bits, validation score
    per machine (at the bits of the machine, as on its front) and energy in microjoules, the
    machines on whose front it is, or a reading of it, nonzero parameters, share of kept block
    weights, seconds that it took, the trial whose measurement it shares, cause, broken budgets,
    plan; see docs/columns.md.
    `read` gives a trial with its operations, of those that a machine has not charged yet.

    Raises UnknownCost where a rule of a machine fails.
    """
    charges: dict[str, Mapping[TrialKey, Charged]] = {}
    members: dict[str, set[int | None]] = {}
    for name, model in models.items():
        candidates = Candidates(model, shape, read)
        candidates.add(heads)
        charges[name] = candidates.charges
        members[name] = {member.key.number for member in candidates.members}
    rows = [
        trial_row(head, shape).cells(
            {name: _on(head, model, charges[name]) for name, model in models.items()},
            (name for name, numbers in members.items() if head.key.number in numbers),
        )
        for head in heads
    ]
    frame = pd.DataFrame(rows).set_index("trial") if rows else pd.DataFrame()
    if "parameters" in frame:
        whole = ["parameters", "accuracy_bits"]
        frame[whole] = frame[whole].astype("Int64")
    frame.attrs = {"schema": SCHEMA}
    return frame


def _on(head: Head, model: CostModel, charges: Mapping[TrialKey, Charged]) -> On:
    return On(
        validation=head.at(*model.machine.precision).validation.accuracy if head.scores else None,
        energy_uj=charges[head.key].energy_uj if head.key in charges else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Some of all trials, in an order.

    Attributes:
        state, origin: that they have; None for any.
        failed: only those that have a cause.
        front: the machine on whose front they are; None for any.
        sort: a column; with - before it, descending. None for the order of their numbers.
    """

    state: State | None = None
    origin: Origin | None = None
    failed: bool = False
    front: str | None = None
    sort: str | None = None


def select(frame: pd.DataFrame, wanted: Selection) -> pd.DataFrame:
    """Those of all trials that are wanted.

    Raises InputError where there is no such machine or column.
    """
    keep = [frame["state"] == wanted.state] if wanted.state else []
    keep += [frame["origin"] == wanted.origin] if wanted.origin else []
    keep += [frame["cause"] != ""] if wanted.failed else []
    keep += [] if wanted.front is None else [_on_front(frame, wanted.front)]
    for chosen in keep:
        frame = frame[chosen.reindex(frame.index)]
    return frame if wanted.sort is None else _sorted(frame, wanted.sort)


def _on_front(frame: pd.DataFrame, machine: str) -> pd.Series:
    """Which trials are on a machine's front."""
    known = [name.partition("@")[2] for name in frame if name.startswith("energy_uj@")]
    if machine not in known:
        raise InputError("--front", f"given {machine!r}", name=machine, candidates=known)
    return frame["fronts"].map(lambda fronts: machine in fronts.split(", "))


def _sorted(frame: pd.DataFrame, sort: str) -> pd.DataFrame:
    column = sort.removeprefix("-")
    if column not in (*frame.columns, "trial"):
        raise InputError(
            "--sort", f"unknown column {column!r}", name=column, candidates=list(frame.columns)
        )
    return frame.sort_values(column, ascending=not sort.startswith("-"), kind="stable")


def to_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV, in which no text is a formula; see `autoprune.report.outside`."""
    return frame.apply(_words).to_csv()


def _words(column: pd.Series) -> pd.Series:
    return column if column.dtype.kind in "biuf" else column.map(cell)
