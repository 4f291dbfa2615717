"""The record of a run: written and read back whole, stem and head of its network included."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.record import RunRecord
from tests.strategies import RECORDS, SHAPES

MATRIX = {"name": "fc1", "weights_per_dimension": 4}
BRANCH = {"name": "mlp", "groups": 1, "size": 8, "fixed": "", "matrices": [MATRIX]}
WHOLE = {"blocks": [{"branches": [BRANCH]}], "stem": [], "head": []}


@given(RECORDS)
def test_a_record_is_read_back_as_it_was_written(record):
    assert RunRecord.from_json(record.to_json(), "study.json") == record


@given(SHAPES)
def test_stem_and_head_are_part_of_the_shape_that_is_read_back(shape):
    record = RunRecord.from_json(RunRecord(shape=shape).to_json(), "study.json")
    assert (record.shape.stem, record.shape.head) == (shape.stem, shape.head)


def test_plans_that_differ_in_the_stem_alone_print_apart(tmp_path, shape):
    folder = RunFolder(tmp_path)
    folder.write_record(RunRecord(shape=shape))
    effort = Effort(time_steps=3, learning_rate=1e-3, epochs=1)
    plans = [
        make_plan(parse_configuration({"stem.l1p": zeros}), shape, effort) for zeros in (0.0, 0.5)
    ]
    read = RunFolder(tmp_path).record.shape
    assert len({plan.short(read) for plan in plans}) == 2
    assert plans[1].short(read).endswith("stem 50%")


def test_the_record_of_a_folder_is_what_was_written_last(tmp_path, shape):
    folder = RunFolder(tmp_path)
    folder.write_record(RunRecord(shape=shape, trials=3))
    folder.write_record(replace(folder.record, trials=4))
    assert folder.record.trials == RunFolder(tmp_path).record.trials == 4


@pytest.mark.parametrize(
    "damage",
    [
        {"title": 3},
        {"trials": "many"},
        {"trials": -1},
        {"shape": None},
        {"shape": {"blocks": [{"branches": [{}]}], "stem": [], "head": []}},
        {"shape": {"blocks": {}, "stem": [], "head": []}},
        {"shape": {"blocks": [{"branches": [BRANCH | {"name": "x"}]}], "stem": [], "head": []}},
        {"shape": {"blocks": [{"branches": [BRANCH | {"matrices": ""}]}], "stem": [], "head": []}},
        {"shape": {"blocks": [{"branches": [BRANCH | {"size": 0}]}], "stem": [], "head": []}},
        {"shape": WHOLE | {"stem": [{"name": 1, "weights_per_dimension": 2}]}},
        {"effort": {"time_steps": "4"}},
        {"weight_bits": 8},
        {"weight_bits": [8.5]},
        {"places": {"storage": 7}},
        {"places": {"elsewhere": "x"}},
        {"machine_folders": [1]},
        {"machine_folders": {"chip": 1}},
        {"identity": 1},
        {"hypervolumes": {"chip": {"reference": [1, "x"]}}},
        {"hypervolumes": 3},
        {"surprise": 1},
    ],
)
def test_damage_is_named_with_the_file(shape, damage):
    content = json.loads(RunRecord(shape=shape).to_json()) | damage
    with pytest.raises(RecordError, match=r"study\.json: damaged"):
        RunRecord.from_json(json.dumps(content), "study.json")


@pytest.mark.parametrize("version", [None, 1, 2, 4, "3", True, [3]])
def test_another_version_is_refused(shape, version):
    content = json.loads(RunRecord(shape=shape).to_json()) | {"autoprune_run": version}
    with pytest.raises(RecordError, match=r"study\.json: .*; expected version 3"):
        RunRecord.from_json(json.dumps(content), "study.json")
