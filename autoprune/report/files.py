"""Save a front as front.csv, front.json and front.png."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from autoprune.files import write_atomically, write_text
from autoprune.report.front.diagnostics import Diagnostics
from autoprune.report.front.front import MachineFront, Row
from autoprune.trial.measurement import Score

COLUMNS = (
    "trial",
    "origin",
    "val_accuracy",
    "test_accuracy",
    "energy_uj",
    "energy_ratio",
    "kept_weights",
    "plan",
    *(field.name for field in fields(Diagnostics)),
)


def to_csv(fronts: Iterable[MachineFront], *, with_machine: bool = False) -> str:
    """The fronts as CSV with COLUMNS, by ascending energy; numbers at full precision.

    Where a study has a score of its own, its name stands in place of ``accuracy``.

    Args:
        fronts: one after the other.
        with_machine: whether a first column names the machine.
    """
    text, fronts = io.StringIO(), list(fronts)
    score = fronts[0].parent.name if fronts else "accuracy"
    columns = [name.replace("accuracy", score) for name in COLUMNS]
    columns = ["machine"] * with_machine + columns
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for front in fronts:
        writer.writerows({"machine": front.machine, **_cells(row)} for row in front.rows)
    return text.getvalue()


def to_document(front: MachineFront) -> dict[str, Any]:
    """The front with intervals, reference and everything that is said about it, as JSON values.

    A hypervolume is null where it is infinite; `trials_without_energy` says by which trials.
    """
    return {
        "machine": front.machine,
        "title": front.title,
        "data": front.data,
        "accuracy_bits": front.accuracy_bits,
        "priced_bits": front.priced_bits,
        "fine_tuned_parent": {
            **_score("val", front.parent),
            **_score("test", front.parent_test),
            "energy_uj": front.parent_energy_uj,
        },
        "reference": {
            f"val_{front.parent.name}": front.reference[0],
            "energy_uj": front.reference[1],
        },
        "hypervolume": finite_or_none(front.hypervolume),
        "uniform_hypervolume": finite_or_none(front.uniform_hypervolume),
        "trials": len(front.points),
        "trials_without_energy": front.free,
        "infeasible": dict(front.infeasible),
        "members_beating_uniform": front.beating,
        "members_cheaper_than_uniform": front.unmatched,
        "host": [{"name": h.name, "share_of_dense_macs": h.share} for h in front.host],
        "emulated": front.emulated,
        "not_modelled": front.not_modelled,
        "uncounted": [{"name": n, "share_of_dense_macs": share} for n, share in front.uncounted],
        "front": [_cells(row) | _comparison(row) for row in front.rows],
    }


def save_front(front: MachineFront, folder: Path) -> None:
    """Write the three files into `folder`."""
    from autoprune.report.plots.picture import (
        plot_front,  # matplotlib: only where a picture is drawn
    )

    write_text(folder / "front.csv", to_csv([front]))
    write_text(folder / "front.json", json.dumps(to_document(front), indent=1))
    write_atomically(folder / "front.png", lambda part: plot_front(front, part))


def _cells(row: Row) -> dict[str, Any]:
    return {
        "trial": row.trial,
        "origin": row.origin,
        f"val_{row.validation.name}": row.validation.accuracy,
        f"test_{row.test.name}": row.test.accuracy,
        "energy_uj": row.energy_uj,
        "energy_ratio": row.energy_ratio,
        "kept_weights": row.kept_weights,
        "plan": row.plan,
        **(asdict(row.figures) if row.figures is not None else {}),
    }


def _comparison(row: Row) -> dict[str, Any]:
    return {
        "accuracy_bits": row.accuracy_bits,
        "val_interval": row.validation.interval,
        "test_interval": row.test.interval,
        "uniform": _score("val", row.uniform) if row.uniform else None,
        "beats_uniform": row.beats_uniform,
    }


def _score(part: str, score: Score) -> dict[str, Any]:
    return {f"{part}_{score.name}": score.accuracy, f"{part}_interval": score.interval}


def finite_or_none(value: float) -> float | None:
    """`value`, or None where it is infinite: JSON has no infinity."""
    return value if math.isfinite(value) else None
