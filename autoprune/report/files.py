"""Save a front as front.csv, front.json and front.png."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from autoprune.config import Json
from autoprune.files import write_atomically, write_text
from autoprune.report.front.front import MachineFront
from autoprune.report.outside import cell
from autoprune.report.plots.settings import no_matplotlibrc
from autoprune.report.rows import SCHEMA, Cell, front_cells, front_columns, score_cells


def to_csv(fronts: Iterable[MachineFront], *, with_machine: bool = False) -> str:
    """The fronts as CSV with the columns of `rows.FRONT`, by ascending energy, at full precision.

    Where a study has a score of its own, its name stands in place of ``accuracy``.

    Args:
        fronts: one after the other.
        with_machine: whether a first column names the machine.
    """
    text, fronts = io.StringIO(), list(fronts)
    score = fronts[0].parent.name if fronts else "accuracy"
    columns = ["machine"] * with_machine + front_columns(score)
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for front in fronts:
        writer.writerows(
            {"machine": cell(front.machine), **_words(front_cells(row))} for row in front.rows
        )
    return text.getvalue()


def _words(cells: dict[str, Cell]) -> dict[str, Cell]:
    return {name: cell(value) for name, value in cells.items()}


def to_document(front: MachineFront) -> dict[str, Json]:
    """The front with intervals, reference and everything that is said about it, as JSON values."""
    return {
        "schema": SCHEMA,
        "machine": front.machine,
        "title": front.title,
        "data": front.data,
        "accuracy_bits": front.accuracy_bits,
        "priced_bits": front.priced_bits,
        "in_integers": front.parent_in_integers,
        "not_in_integers": [
            {"trial": row.trial, "cause": row.not_held} for row in front.rows if row.not_held
        ],
        "fine_tuned_parent": {
            **score_cells("val", front.parent),
            **score_cells("test", front.parent_test),
            "energy_uj": front.parent_energy_uj,
        },
        "reference": {
            f"val_{front.parent.name}": front.reference[0],
            "energy_uj": front.reference[1],
        },
        "hypervolume": front.hypervolume,
        "uniform_hypervolume": front.uniform_hypervolume,
        "trials": len(front.points),
        "trials_without_work": [key.cell for key in front.idle],
        "trials_mostly_on_host": [
            {"trial": key.cell, "host_share": share} for key, share in front.hosted
        ],
        "infeasible": [{"trial": key.cell, "cause": why} for key, why in front.infeasible],
        "members_beating_uniform": front.beating,
        "members_cheaper_than_uniform": front.unmatched,
        "host": [
            {
                "name": h.name,
                "share_of_dense_macs": h.share,
                "energy_uj": None if h.energy_pj is None else h.energy_pj * 1e-6,
                "in_energy": h.counted,
            }
            for h in front.host
        ],
        "emulated": front.emulated,
        "not_modelled": front.not_modelled,
        "uncounted": [{"name": n, "share_of_dense_macs": share} for n, share in front.uncounted],
        "front": [front_cells(row) for row in front.rows],
    }


def save_picture(fronts: Sequence[MachineFront], file: Path) -> None:
    """Write the picture of all fronts; nothing where there is none."""
    with no_matplotlibrc():
        from autoprune.report.plots.picture import plot_fronts  # matplotlib, as below

    if fronts:
        write_atomically(file, lambda part: plot_fronts(fronts, part))


def save_front(front: MachineFront, folder: Path) -> None:
    """Write the three files into `folder`."""
    with no_matplotlibrc():
        from autoprune.report.plots.picture import plot_front  # only where a picture is drawn

    write_text(folder / "front.csv", to_csv([front]))
    write_text(folder / "front.json", json.dumps(to_document(front), indent=1))
    write_atomically(folder / "front.png", lambda part: plot_front(front, part))
