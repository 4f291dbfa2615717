"""The files of a front: what is written is what was found."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest
from matplotlib.figure import Figure

from autoprune.report.files import save_front, save_picture, to_csv, to_document
from autoprune.report.frames import front_frame
from autoprune.report.front.front import MachineFront
from autoprune.report.front.run_fronts import machine_front
from autoprune.report.rows import FRONT, SCHEMA, front_cells


@pytest.fixture
def front(outcome, baselines, model, shape) -> MachineFront:
    outcomes = [
        outcome(0, origin="uniform", correct=80, zeros=0.5),
        outcome(1, correct=97, zeros=0.5),
        outcome(2, correct=99),
        outcome(3, correct=41, zeros=0.9),
    ]
    return machine_front(outcomes, baselines, model, shape)


def test_csv_gives_back_every_row_exactly(front: MachineFront) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv([front]))))
    assert tuple(rows[0]) == tuple(FRONT)
    assert [int(row["trial"]) for row in rows] == [row.trial for row in front.rows] == [3, 1, 2]
    assert [float(row["energy_uj"]) for row in rows] == [row.energy_uj for row in front.rows]
    assert [float(row["val_accuracy"]) for row in rows] == [0.41, 0.97, 0.99]
    assert [row["plan"] for row in rows] == [row.plan for row in front.rows]


def test_csv_of_several_fronts_names_their_machines(front: MachineFront) -> None:
    other = replace(front, machine="other")
    frame = pd.read_csv(io.StringIO(to_csv([front, other], with_machine=True)))
    assert tuple(frame.columns) == ("machine", *FRONT)
    assert list(frame["machine"]) == ["ops45_fp32"] * 3 + ["other"] * 3


def test_json_holds_intervals_reference_and_remarks(front: MachineFront) -> None:
    document = json.loads(json.dumps(to_document(front), allow_nan=False))
    assert document["reference"] == {
        "val_accuracy": front.reference[0],
        "energy_uj": front.reference[1],
    }
    assert document["hypervolume"] == front.hypervolume
    assert document["not_modelled"] == list(front.not_modelled)
    parent = document["fine_tuned_parent"]
    assert (parent["test_low"], parent["test_high"]) == front.parent_test.interval
    assert document["members_beating_uniform"] == 2
    assert document["members_cheaper_than_uniform"] == 1
    cheapest, better, _ = document["front"]
    assert (document["accuracy_bits"], document["priced_bits"]) == (32, 32)
    assert better["accuracy_bits"] == 32
    assert cheapest["uniform_val_accuracy"] is None
    assert better["uniform_val_accuracy"] == 0.8
    assert (better["val_low"], better["val_high"]) == front.rows[1].validation.interval


def test_csv_json_and_frame_have_the_same_columns_and_values(front: MachineFront) -> None:
    document = json.loads(json.dumps(to_document(front)))
    frame, rows = front_frame(front), list(csv.DictReader(io.StringIO(to_csv([front]))))
    assert document["schema"] == frame.attrs["schema"] == SCHEMA
    assert [*rows[0]] == [*document["front"][0]] == [*frame.reset_index().columns] == [*FRONT]
    for row, text, found in zip(front.rows, rows, document["front"], strict=True):
        cells = front_cells(row)
        assert found == cells
        assert text == {k: "" if v is None else str(v) for k, v in cells.items()}
        own = frame.loc[row.trial]
        known = {k: v for k, v in cells.items() if v is not None and k != "trial"}
        assert {k: own[k] for k in known} == known
        assert all(pd.isna(own[k]) for k, v in cells.items() if v is None)


def test_every_column_is_documented(front: MachineFront, root: Path) -> None:
    text = (root / "docs" / "columns.md").read_text(encoding="utf-8")
    assert f"version {SCHEMA}" in text
    for name in (
        *FRONT,
        "state",
        "val_accuracy@MACHINE",
        "energy_uj@MACHINE",
        "fronts",
        "same_as",
        "seconds",
        "cause",
        "broken",
    ):
        assert f"| `{name}` |" in text, name


def test_saving_makes_three_files_and_leaves_no_other(front: MachineFront, tmp_path: Path) -> None:
    save_front(front, tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["front.csv", "front.json", "front.png"]
    picture = matplotlib.image.imread(tmp_path / "front.png")
    assert picture.shape[0] > 500 and picture.std() > 0.01


def test_a_picture_is_the_same_whatever_a_matplotlibrc_says(
    front: MachineFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LaTeX would run what it holds."""
    for name, value in {"text.usetex": True, "savefig.dpi": 1e9, "font.size": 40}.items():
        monkeypatch.setitem(matplotlib.rcParams, name, value)
    save_front(front, tmp_path)
    assert matplotlib.image.imread(tmp_path / "front.png").shape == (690, 1080, 4)
    assert matplotlib.rcParams["font.size"] == 40


IMPORTS = """
import os
from autoprune.report.plots.settings import no_matplotlibrc
os.mkfifo("matplotlibrc")
here = os.getcwd()
with no_matplotlibrc():
    import matplotlib
assert os.getcwd() == here
"""


def test_a_matplotlibrc_of_the_current_folder_is_not_opened(root: Path, tmp_path: Path) -> None:
    """A pipe would be waited for."""
    command, path = [sys.executable, "-c", IMPORTS], os.environ | {"PYTHONPATH": str(root)}
    subprocess.run(command, cwd=tmp_path, env=path, check=True, timeout=60)


def test_a_name_stands_in_the_legend_as_it_is(
    front: MachineFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda f, *a, **k: drawn.append(f) or save(f, *a, **k))
    save_picture([replace(front, machine="_a $x^$ b")], tmp_path / "fronts.png")
    legend = drawn[0].axes[0].get_legend()
    assert legend and "_a $x^$ b" in [text.get_text().strip() for text in legend.get_texts()]


def test_an_empty_front_can_be_saved(baselines, model, shape, tmp_path: Path) -> None:
    save_front(machine_front([], baselines, model, shape), tmp_path)
    assert (tmp_path / "front.csv").read_text(encoding="utf-8") == ",".join(FRONT) + "\n"
