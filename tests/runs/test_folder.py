"""Outcomes survive the disk; what is half-written never counts."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.errors import RecordError, UnreadableError
from autoprune.files import write_atomically, write_text
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.runs.record import RunRecord
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score


@pytest.fixture
def outcomes(measured, shape, effort):
    values = {"blocks.0.mlp.l1p": 0.5, "blocks.0.neuron.tau": "layer", "time_steps": 3}
    point = parse_configuration(values)
    plan = make_plan(point, shape, effort)
    common = {"origin": "sampled", "configuration": tuple(point.items()), "plan": plan, "seed": 5}
    early = Score(correct=30, total=100)
    measurement = replace(measured(plan, zeros=0.5, rounded={8: 80, 4: 40}), one_shot=early)
    return [
        Outcome(key=TrialKey(3), state="measured", measurement=measurement, **common),
        Outcome(
            key=TrialKey(4),
            state="duplicate",
            measurement=measurement,
            same_as=TrialKey(3),
            **common,
        ),
        Outcome(key=TrialKey(5), state="failed", cause="ValueError: é\nline", **common),
    ]


def test_how_a_trial_ended_is_read_without_its_operations(tmp_path, outcomes):
    folder = RunFolder(tmp_path)
    for outcome in outcomes:
        folder.write(outcome)
    assert folder.read_heads() == [outcome.head for outcome in outcomes]
    assert [head.one_shot for head in folder.read_heads()] == [0.3, 0.3, None]
    folder.file(TrialKey(3)).write_bytes(b"PAR1")
    with pytest.raises(RecordError, match=r"00003\.parquet: damaged"):
        folder.read_heads()


def test_the_head_of_a_file_from_before_peaks_were_kept(tmp_path, outcomes):
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    table = pq.read_table(folder.file(TrialKey(3)))
    meta = json.loads(table.schema.metadata[b"autoprune"])
    del meta["peak_gib"]
    old = table.replace_schema_metadata({b"autoprune": json.dumps(meta).encode()})
    pq.write_table(old, folder.file(TrialKey(3)))
    assert folder.read_heads() == [outcomes[0].head]


def test_outcomes_are_read_as_they_were_written(tmp_path, outcomes):
    folder = RunFolder(tmp_path)
    for outcome in outcomes:
        folder.write(outcome)
    assert folder.read_trials() == outcomes
    assert [folder.read(o.key) for o in outcomes] == outcomes


def test_every_row_of_the_file_tells_the_bits_of_its_weights(tmp_path, outcomes):
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    rows = pd.read_parquet(folder.file(TrialKey(3)))
    for precision in outcomes[0].measurement.precisions:
        ops = precision.workload.ops
        own = rows[rows["bits"] == precision.bits]
        assert list(own["name"]) == [op.name for op in ops]
        assert list(own["b_nonzeros"]) == [op.b.nonzeros for op in ops]
    assert set(rows["bits"]) == {32, 8, 4}


@pytest.mark.parametrize(("asked", "given"), [(None, 32), (64, 32), (16, 8), (8, 8), (2, 4)])
def test_the_workload_is_that_of_the_network_or_of_a_machines_bits(
    tmp_path, outcomes, shape, asked, given
):
    folder = RunFolder(tmp_path)
    folder.write_record(RunRecord(shape=shape))
    folder.write(outcomes[0])
    wanted = {p.bits: p.workload for p in outcomes[0].measurement.precisions}
    assert all(one != other for one, other in combinations(wanted.values(), 2)) and len(wanted) == 3
    assert folder.read_workload(TrialKey(3), asked) == wanted[given]


def test_operations_that_are_missing_are_noticed(tmp_path, outcomes):
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    table = pq.read_table(folder.file(TrialKey(3)))
    pq.write_table(table.slice(1), folder.file(TrialKey(3)))
    with pytest.raises(RecordError, match="operations are missing"):
        folder.read(TrialKey(3))


def test_baselines_are_apart(tmp_path, outcomes):
    folder = RunFolder(tmp_path)
    names = ("configuration", "plan", "seed", "state", "measurement")
    fields = {n: getattr(outcomes[0], n) for n in names}
    baseline = Outcome(key=TrialKey.baseline("without blocks.0.mlp"), origin="baseline", **fields)
    folder.write(baseline)
    assert folder.read_baselines() == {baseline.key: baseline}
    assert folder.read_trials() == []


@pytest.mark.parametrize("length", [0, 10, 1000, -1])
def test_a_damaged_file_is_an_error_and_is_set_aside_by_recover(tmp_path, outcomes, length):
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    file = folder.file(TrialKey(3))
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(RecordError, match=r"00003\.parquet: damaged"):
        folder.read(TrialKey(3))
    folder.write(outcomes[1])
    assert folder.recover() == [outcomes[1].head]
    assert not file.exists()
    assert folder.set_aside == [file.with_name("00003.parquet.damaged-1")]
    assert folder.set_aside[0].stat().st_size > 0 or length == 0, "what is left of it stays"
    with pytest.raises(RecordError, match="no trial '3'"):
        folder.read(TrialKey(3))
    folder.write(outcomes[0])
    file.write_bytes(b"")
    folder.recover()
    assert folder.set_aside[1:] == [file.with_name("00003.parquet.damaged-2")]


def test_a_file_that_cannot_be_read_now_stays_and_ends_the_command(tmp_path, monkeypatch, outcomes):
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    file = folder.file(TrialKey(3))
    before, fstat = file.read_bytes(), os.fstat

    def failing(descriptor):
        if os.readlink(f"/proc/self/fd/{descriptor}") == str(file):
            raise OSError(errno.EIO, "Input/output error")
        return fstat(descriptor)

    monkeypatch.setattr("os.fstat", failing)
    with pytest.raises(UnreadableError, match=r"00003.parquet: not readable \(Input/output error"):
        folder.recover()
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert folder.set_aside == []
    assert folder.recover() == [outcomes[0].head]


@pytest.mark.parametrize("place", ["metadata", "pages"])
def test_one_bit_that_has_changed_is_noticed(tmp_path, outcomes, place):
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    file = folder.file(TrialKey(3))
    content = bytearray(file.read_bytes())
    # a digit of the metadata's JSON, which stays JSON; a byte amid the first page
    spot = content.rindex(b'"seed": 5') + 8 if place == "metadata" else 60
    content[spot] ^= 1
    file.write_bytes(content)
    with pytest.raises(RecordError, match="00003.parquet: damaged"):
        folder.read(TrialKey(3))


@pytest.mark.parametrize("origin", ["probe", "unheard of"])
def test_what_another_version_wrote_is_read_or_stays(tmp_path, outcomes, origin):
    """Its checksum is right, so that nothing proves it damaged, and nobody trains it again."""
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    file = folder.file(TrialKey(3))
    table = pq.read_table(file)
    meta = json.loads(table.schema.metadata[b"autoprune"]) | {"origin": origin}
    text = json.dumps(meta).encode()
    own = {b"autoprune": text, b"sha256": hashlib.sha256(text).hexdigest().encode()}
    pq.write_table(table.replace_schema_metadata(own), file)
    if origin == "probe":
        assert [head.ended.origin for head in folder.recover()] == ["sampled"]
        assert folder.read(TrialKey(3)).origin == "sampled"
    else:
        said = r"00003.parquet: damaged \(Ended.origin is 'unheard of'\); it is as it was written"
        with pytest.raises(RecordError, match=said):
            folder.recover()
    assert file.is_file() and folder.set_aside == []


def test_a_trial_under_the_name_of_another_is_damaged(tmp_path, outcomes):
    folder = RunFolder(tmp_path)
    folder.write(outcomes[0])
    shutil.copy(folder.file(TrialKey(3)), folder.file(TrialKey(8)))
    assert folder.recover() == [outcomes[0].head]
    assert [file.name for file in folder.set_aside] == ["00008.parquet.damaged-1"]


@pytest.mark.parametrize("given", ["runs/digit", "digits", "runs"])
def test_the_run_that_was_meant_is_named(tmp_path, monkeypatch, shape, given):
    monkeypatch.chdir(tmp_path)
    RunFolder(Path("runs/digits")).write_record(RunRecord(shape=shape))
    with pytest.raises(RecordError, match=r"no study\.json\); did you mean 'runs/digits'\?"):
        RunFolder.opened(Path(given))
    with pytest.raises(RecordError, match=r"no study\.json\)$"):
        RunFolder.opened(Path("elsewhere/mnist"))


def test_what_is_not_a_run(tmp_path):
    with pytest.raises(RecordError, match="not a run folder"):
        RunFolder.opened(tmp_path)
    (tmp_path / "study.json").write_text('{"autoprune_run": ')
    with pytest.raises(RecordError, match="damaged"):
        RunFolder.opened(tmp_path)
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(RecordError, match="not a run; expected version 3"):
        RunFolder.opened(tmp_path)


def test_a_run_of_an_older_version_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "study.json").write_text('{"autoprune_run": 2, "title": "a study"}')
    with pytest.raises(RecordError, match=r"a run of version 2; expected version 3.*run the study"):
        RunFolder.opened(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a" / "b.txt"
    write_text(file, "old")

    def fail(part):
        part.write_text("new and incomp")
        raise OSError("disk full")

    with pytest.raises(RecordError, match=r"b\.txt: cannot be written \(disk full\)"):
        write_atomically(file, fail)
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]
