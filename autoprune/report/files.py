"""Save a front as front.csv, front.json and front.png."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from autoprune.measurement import Score
from autoprune.report.front import MachineFront, Row
from autoprune.report.plot import plot_front
from autoprune.storage import write_atomically, write_text

COLUMNS = (
    "trial",
    "origin",
    "val_accuracy",
    "test_accuracy",
    "energy_uj",
    "energy_ratio",
    "kept_weights",
    "plan",
)


def front_frame(front: MachineFront) -> pd.DataFrame:
    """The front as a table with COLUMNS, by ascending energy."""
    rows = [[_cells(row)[name] for name in COLUMNS] for row in front.rows]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def to_csv(front: MachineFront) -> str:
    """The front as CSV."""
    text = io.StringIO()
    front_frame(front).to_csv(text, index=False)
    return text.getvalue()


def to_json(front: MachineFront) -> str:
    """The front with intervals, reference and everything that is said about it, as JSON."""
    document = {
        "machine": front.machine,
        "title": front.title,
        "accuracy_bits": front.accuracy_bits,
        "priced_bits": front.priced_bits,
        "parent": {
            "val_accuracy": front.parent.accuracy,
            "val_interval": front.parent.interval,
            "energy_uj": front.parent_energy_uj,
        },
        "hypervolume": front.hypervolume,
        "uniform_hypervolume": front.uniform_hypervolume,
        "reference": {"val_accuracy": front.reference[0], "energy_uj": front.reference[1]},
        "members_beating_uniform": front.beating,
        "members_cheaper_than_uniform": front.unmatched,
        "trials": len(front.points),
        "host": [{"name": h.name, "share": h.share} for h in front.host],
        "emulated": front.emulated,
        "not_modelled": front.not_modelled,
        "uncounted": dict(front.uncounted),
        "front": [_cells(row) | _intervals(row) for row in front.rows],
    }
    return json.dumps(document, indent=1)


def save_front(front: MachineFront, folder: Path) -> None:
    """Write the three files into `folder`."""
    write_text(folder / "front.csv", to_csv(front))
    write_text(folder / "front.json", to_json(front))
    write_atomically(folder / "front.png", lambda part: plot_front(front, part))


def _cells(row: Row) -> dict[str, Any]:
    return {
        "trial": row.trial,
        "origin": row.origin,
        "val_accuracy": row.validation.accuracy,
        "test_accuracy": row.test.accuracy,
        "energy_uj": row.energy_uj,
        "energy_ratio": row.energy_ratio,
        "kept_weights": row.kept_weights,
        "plan": row.plan,
    }


def _intervals(row: Row) -> dict[str, Any]:
    def score(value: Score | None) -> float | None:
        return value.accuracy if value else None

    return {
        "val_interval": row.validation.interval,
        "test_interval": row.test.interval,
        "uniform_val_accuracy": score(row.uniform),
        "beats_uniform": row.beats_uniform,
    }
