"""A confirmed front as a table of 80 columns, as CSV, and as JSON values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.config import Json
from autoprune.files import write_text
from autoprune.report.front.confirmed import ConfirmedFront, Spread
from autoprune.report.outside import cell
from autoprune.report.rows import SCHEMA
from autoprune.report.units import EnergyUnit

COLUMNS = (
    "machine",
    "trial",
    "origin",
    "stays",
    "probability",
    "choosing",
    "seeds",
    "searched_val",
    "expected",
    "val_mean",
    "val_std",
    "test_mean",
    "test_std",
    "energy_uj_mean",
    "energy_uj_std",
    "plan",
)


def confirmed_table(front: ConfirmedFront) -> RenderableType:
    """The members of a machine's front, and what to think of it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    unit = EnergyUnit.of(row.energy_uj.mean for row in front.rows)
    names = (
        "trial",
        "searched %",
        "worth",
        "val % (sd)",
        "test % (sd)",
        unit.name,
        "P(front)",
        "stays",
    )
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in front.rows:
        table.add_row(
            str(row.trial),
            f"{100 * row.searched.accuracy:.1f}",
            f"{100 * row.expected:.1f}",
            _percent(row.validation),
            _percent(row.test),
            unit.digits(row.energy_uj.mean),
            f"{row.probability:.2f}",
            "yes" if row.stays else "-",
        )
    lines = [
        f"Searched: the {front.score} that the search saw; worth: what it expected. Of the fresh "
        f"seeds, {_numbers(row.choosing for row in front.rows)} chose with the latter what stays, "
        f"and the other columns are of the other {_numbers(row.seeds for row in front.rows)}.",
        "P(front): share of bootstrap draws over all fresh seeds and samples in which no other "
        "dominates it.",
    ]
    if front.rows:
        means = [row.validation.mean for row in front.rows]
        seen = _change([row.searched.accuracy for row in front.rows], means)
        worth = _change([row.expected for row in front.rows], means)
        lines.append(
            f"On average {seen} points from what the search saw to the fresh seeds, {worth} from "
            "what it expected."
        )
    lines.append(
        f"Hypervolume {front.hypervolume:.4f} by the means of what stays, "
        f"{front.searched_hypervolume:.4f} as searched."
    )
    head = f"{front.machine}: {len(front.rows)} trials confirmed"
    return Group(Text(head, style="bold"), table, Text("\n".join(lines)))


def confirmed_csv(fronts: Iterable[ConfirmedFront]) -> str:
    """All members on all machines with COLUMNS, numbers at full precision."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for front in fronts:
        for row in front.rows:
            writer.writerow(
                {
                    "machine": cell(front.machine),
                    "trial": row.trial,
                    "origin": row.origin,
                    "stays": row.stays,
                    "probability": row.probability,
                    "choosing": row.choosing,
                    "seeds": row.seeds,
                    "searched_val": row.searched.accuracy,
                    "expected": row.expected,
                    **_columns("val", row.validation),
                    **_columns("test", row.test),
                    **_columns("energy_uj", row.energy_uj),
                    "plan": cell(row.plan),
                }
            )
    return text.getvalue()


def confirmed_document(front: ConfirmedFront) -> dict[str, Json]:
    """Everything that is known of a confirmed front, as JSON values."""
    return {
        "schema": SCHEMA,
        **asdict(front),
        "hypervolume": front.hypervolume,
        "searched_hypervolume": front.searched_hypervolume,
    }


def save_confirmed(front: ConfirmedFront, folder: Path) -> None:
    """Write confirmed.csv and confirmed.json into `folder`."""
    write_text(folder / "confirmed.csv", confirmed_csv([front]))
    write_text(folder / "confirmed.json", json.dumps(confirmed_document(front), indent=1))


def _columns(name: str, spread: Spread) -> dict[str, float | None]:
    return {f"{name}_mean": spread.mean, f"{name}_std": spread.std}


def _numbers(found: Iterable[int]) -> str:
    return " or ".join(map(str, sorted({*found})))


def _change(before: Sequence[float], after: Sequence[float]) -> str:
    """The mean difference in points, with its sign."""
    return f"{100 * (sum(after) - sum(before)) / len(after):+.1f}"


def _percent(spread: Spread) -> str:
    mean = f"{100 * spread.mean:.1f}"
    return mean if spread.std is None else f"{mean} ({100 * spread.std:.1f})"
