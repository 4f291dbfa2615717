"""Fronts of networks that are read after several numbers of time steps, and what is recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.errors import RecordError
from autoprune.report.front.confirmed import confirmed_front
from autoprune.report.front.run_fronts import machine_front
from autoprune.report.rows import front_cells
from autoprune.report.tables.front import front_table
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Charge, Read
from autoprune.runs.outcome_file import read_head
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Reading


@pytest.fixture
def read(outcome, measured):
    """An outcome that is also read after 1 and 2 steps: `early` of 100 right, and cheaper."""

    def make(key, *, correct=90, early=(70, 85), broken=(), charges=(), **fields):
        found = outcome(key, correct=correct, zeros=0.2, **fields)
        readings, reads = [], []
        for steps, right in enumerate(early, start=1):
            shorter = measured(found.plan, correct=right, zeros=0.8 - 0.3 * (steps - 1))
            readings.append(Reading(time_steps=steps, precisions=shorter.precisions))
            reads.append(Read(time_steps=steps, charges=charges, broken=broken))
        measurement = replace(found.measurement, readings=tuple(readings))
        return replace(found, measurement=measurement, read=tuple(reads))

    return make


@pytest.fixture
def baselines(outcome):
    return {FINE_TUNED: outcome(FINE_TUNED, origin="baseline", correct=92)}


def test_what_is_recorded_is_read_back(read, tmp_path):
    charge = (("chip", Charge(energy_uj=1.5, host_share=0.0, machine="x")),)
    made = read(3, charges=charge, broken=(("accuracy >= 0.9", 0.1),))
    folder = RunFolder(tmp_path)
    folder.write(made)
    assert folder.read(TrialKey(3)) == made
    assert read_head(folder.file(TrialKey(3))) == made.head
    found = folder.read(TrialKey(3, after=2))
    assert (found.key, found.state, found.charges) == (TrialKey(3, after=2), "infeasible", charge)
    assert found.measurement.validation.correct == 85
    assert found.head == made.head.readings[1]
    with pytest.raises(RecordError, match="trial 3 was not read after 5 steps; it was after 1, 2"):
        folder.read(TrialKey(3, after=5))


def test_members_of_a_front_say_after_how_many_steps_they_are_read(read, baselines, model, shape):
    front = machine_front([read(3), read(4, early=(60, 80))], baselines, model, shape)
    assert [row.trial for row in front.rows] == ["3@1", "3@2", 3, 4]
    assert [row.plan[:4] for row in front.rows] == ["T3@1", "T3@2", "T3 |", "T3 |"]
    assert (front.read_otherwise, len(front.points)) == (2, 6)
    cells = [front_cells(row) for row in front.rows]
    assert [c["trial"] for c in cells] == ["3@1", "3@2", 3, 4]
    assert {c["chance"] for c in cells} == {None}  # of six nothing is estimated
    without = machine_front(
        [replace(o, read=()) for o in (read(3), read(4))], baselines, model, shape
    )
    assert front.trained_hypervolume == pytest.approx(without.hypervolume)
    assert front.hypervolume > front.trained_hypervolume
    words = "\n".join(map(str, front_table(front).renderables))
    assert "2 of 4 are read after other time steps" in words
    assert "2 networks, 6 readings" in words


def test_a_reading_that_breaks_a_budget_is_on_no_front(read, baselines, model, shape):
    front = machine_front([read(3, broken=(("b", 0.1),))], baselines, model, shape)
    assert [row.trial for row in front.points] == [3]


def test_uniform_compression_is_read_as_well(read, baselines, model, shape):
    found = machine_front([read(3, origin="uniform"), read(4)], baselines, model, shape)
    assert found.uniform_hypervolume == pytest.approx(found.hypervolume)
    (early,) = [row for row in found.points if row.trial == "4@1"]
    assert early.uniform.correct == 70


def test_a_reading_is_confirmed_by_the_same_reading_of_its_repetitions(
    read, baselines, model, shape
):
    trial = read(3)
    front = machine_front([trial], baselines, model, shape)
    again = replace(read(3, early=(50, 75), correct=88), key=TrialKey(3, 0))
    found = {row.trial: row for row in confirmed_front(front, [again], model).rows}
    assert {key: row.validation.mean for key, row in found.items()} == {
        "3@1": 0.5,
        "3@2": 0.75,
        3: 0.88,
    }
    assert all(row.seeds == 1 for row in found.values())
