"""A confirmed front as a table of 80 columns, as CSV, and as JSON values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
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

COLUMNS = (
    "machine",
    "trial",
    "origin",
    "on_front",
    "stays",
    "probability",
    "seeds",
    "searched_val",
    "val_mean",
    "val_std",
    "test_mean",
    "test_std",
    "energy_uj_mean",
    "energy_uj_std",
    "plan",
)


def confirmed_table(front: ConfirmedFront) -> RenderableType:
    """The contenders of a machine, and what to think of the front."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    names = ("trial", "searched %", "val % (sd)", "test % (sd)", "µJ", "P(front)", "was", "is")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in front.rows:
        table.add_row(
            str(row.trial),
            f"{100 * row.searched.accuracy:.1f}",
            _percent(row.validation),
            _percent(row.test),
            f"{row.energy_uj.mean:.3g}",
            f"{row.probability:.2f}",
            "yes" if row.on_front else "-",
            "yes" if row.stays else "-",
        )
    seeds = sorted({row.seeds for row in front.rows})
    change = [r.validation.mean - r.searched.accuracy for r in front.rows if r.on_front]
    lines = [
        f"Searched: the {front.score} that the search saw; the other columns are of "
        f"{' or '.join(map(str, seeds))} fresh seeds.",
        "P(front): share of bootstrap draws over seeds and samples in which no other dominates it.",
        "was, is: on the front of the search, on that of the confirmed means.",
    ]
    if change:
        lines.append(
            f"Members of the searched front: {100 * sum(change) / len(change):+.1f} points on "
            "average from what the search saw to the fresh seeds."
        )
    lines.append(
        f"Hypervolume {front.hypervolume:.4f} by the confirmed means, "
        f"{front.searched_hypervolume:.4f} as searched."
    )
    head = f"{front.machine}: {len(front.rows)} trials confirmed"
    return Group(Text(head, style="bold"), table, Text("\n".join(lines)))


def confirmed_csv(fronts: Iterable[ConfirmedFront]) -> str:
    """All contenders of all machines with COLUMNS, numbers at full precision."""
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
                    "on_front": row.on_front,
                    "stays": row.stays,
                    "probability": row.probability,
                    "seeds": row.seeds,
                    "searched_val": row.searched.accuracy,
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


def _percent(spread: Spread) -> str:
    mean = f"{100 * spread.mean:.1f}"
    return mean if spread.std is None else f"{mean} ({100 * spread.std:.1f})"
