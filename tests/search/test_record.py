"""The record: the run folder is it; what Optuna's study lacks or has wrong is made anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from optuna.trial import TrialState

from autoprune.errors import RecordError
from autoprune.runs.outcome import Outcome
from autoprune.search.storages import open_journal
from autoprune.trial.key import TrialKey
from tests.sweeps import SAMPLERS, Sweep, optuna_trials, trials


def test_a_measurement_on_disk_that_optuna_was_not_told_is_told(sweep):
    run = sweep()
    scheduler = run.run(stop_after=10)  # 9 baselines and the first uniform trial
    first, second = scheduler.next(), scheduler.next()
    scheduler.finish(second.key, run.measure(second))  # out of order: on disk, but not told
    states = {t.number: t.state for t in optuna_trials(run)}
    assert states[second.key.number] == TrialState.RUNNING
    assert run.folder.file(second.key).is_file()
    again = sweep()
    again.run()
    assert str(second.key) not in again.ran
    assert str(first.key) in again.ran
    assert all(t.state == TrialState.COMPLETE for t in optuna_trials(again))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.full
def test_a_record_older_than_the_folder_is_made_anew_and_nothing_trains(sweep, sampler):
    """The journal of a backup, or none: the folder is the record."""
    run, whole = sweep(sampler=sampler, trials=30), sweep("whole", sampler=sampler, trials=33)
    run.run(workers=2), whole.run()
    before, told = trials(run), optuna_trials(run)
    for left in (0.0, 0.5, 0.9):
        again = sweep(f"{left} left", sampler=sampler, trials=30)
        shutil.copytree(run.folder.path, again.folder.path, dirs_exist_ok=True)
        journal = again.folder.journal
        content = journal.read_bytes()[: int(left * journal.stat().st_size)]
        journal.write_bytes(content) if content else journal.unlink()
        again.run()
        assert again.ran == []
        assert trials(again) == before
        assert [(t.number, t.params, t.values, t.state) for t in optuna_trials(again)] == [
            (t.number, t.params, t.values, t.state) for t in told
        ]
        longer = sweep(f"{left} left", sampler=sampler, trials=33)
        longer.run()
        assert trials(longer) == trials(whole)


def is_made_anew(again: Sweep, before: list[Outcome]) -> None:
    """A run that goes on sets the journal aside, and trains nothing."""
    again.run()
    assert [file.name for file in again.folder.set_aside] == ["optuna.journal.damaged-1"]
    assert again.ran == []
    assert trials(again) == before


@pytest.mark.parametrize(
    ("line", "last"),
    [
        (b"garbage\n", True),
        pytest.param(b'{"op_code": 99}\n', False, marks=pytest.mark.full),
        pytest.param(b"[" * 9999 + b"\n", True, marks=pytest.mark.full),
        pytest.param(b"\xff\n", False, marks=pytest.mark.full),
        pytest.param(bytes(4 * 2**20 + 1), True, marks=pytest.mark.full),
    ],
)
def test_a_damaged_journal_is_set_aside_and_made_anew(sweep, line, last):
    run = sweep(trials=6)
    run.run()
    before, journal = trials(run), run.folder.journal
    whole = journal.read_bytes().splitlines(keepends=True)
    whole.insert(len(whole) if last else 9, line)
    journal.write_bytes(b"".join(whole))
    with pytest.raises(RecordError, match="optuna.journal: damaged"):
        open_journal(journal)
    is_made_anew(sweep(trials=6), before)


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ('"state":1,"values":[', '"state":1,"values":[[1],'),
        pytest.param('"state":1,"values":[', '"state":1,"values":[NaN,', marks=pytest.mark.full),
        ('"state":1,', '"state":0,'),  # it has not ended, and those after it have
        pytest.param('"state":1,', '"state":2,', marks=pytest.mark.full),
        ('"params":{"blocks.0.attention.l1p":', '"params":{"blocks.0.attention.l1p":-1'),
        pytest.param('\\"high\\": ', '\\"high\\": 9', marks=pytest.mark.full),
        pytest.param('"hash":"', '"hash":[],"x":"', marks=pytest.mark.full),
    ],
)
def test_trials_that_no_run_has_stored_are_made_anew_from_the_folder(sweep, given, other):
    """Optuna takes them as they are, and fails where they are used."""
    run = sweep(trials=6)
    run.run()
    before, text = trials(run), run.folder.journal.read_text()
    assert given in text
    run.folder.journal.write_text(text.replace(given, other, 1))
    is_made_anew(sweep(trials=6), before)


def test_what_a_sampler_would_propose_otherwise_stays_as_it_was_measured(sweep):
    """Such as one of another version of Optuna's."""
    run = sweep(trials=26)
    run.run()
    before = trials(run)
    run.folder.journal.unlink()
    again = sweep(trials=26, sampler="random")
    again.run()
    assert again.ran == []
    assert trials(again) == before


def another_runs(journal: Path, sweep) -> None:
    """Put that of another run in its place."""
    other = sweep("other", trials=24, sampler="random")
    other.run()
    journal.write_bytes(other.folder.journal.read_bytes())


def a_trial_twice(journal: Path, sweep) -> None:
    """Double the line that makes the fourth trial: what ends one is taken for another's."""
    lines = journal.read_bytes().splitlines(keepends=True)
    place = [i for i, line in enumerate(lines) if json.loads(line)["op_code"] == 4][3]
    journal.write_bytes(b"".join([*lines[:place], lines[place], *lines[place:]]))


@pytest.mark.parametrize(
    ("wrong", "number"),
    [pytest.param(another_runs, 24, marks=pytest.mark.full), (a_trial_twice, 8)],
)
def test_a_record_of_other_plans_is_made_anew_and_nothing_trains(sweep, wrong, number):
    run = sweep(trials=number)
    run.run()
    before = trials(run)
    wrong(run.folder.journal, sweep)
    is_made_anew(sweep(trials=number), before)


def test_a_half_written_file_is_removed_and_its_trial_runs_again(sweep):
    run = sweep(trials=6)
    run.run()
    before = trials(run)
    file = run.folder.file(TrialKey(9))
    file.write_bytes(file.read_bytes()[:200])
    (run.folder.trials / f"00010.parquet.{'0' * 16}.partial").write_bytes(b"half")
    assert TrialKey(9) not in [head.key for head in run.folder.recover()]
    assert not [*run.folder.path.rglob("*.partial")]
    again = sweep(trials=6)
    again.run()
    assert again.ran == ["9"]
    assert trials(again) == before


def test_a_torn_last_line_of_the_journal_is_cut(sweep, recwarn):
    """The end of a trial, whose constraints Optuna had heard of already."""
    large = {"excess": lambda measurement: (("weights", 1.0),)}
    whole, torn = sweep("whole", **large), sweep("torn", **large)
    whole.run()
    torn.run(stop_after=14)
    journal = torn.folder.journal
    content = journal.read_bytes()
    journal.write_bytes(content[: content.rindex(b'{"op_code":6') + 25])
    sweep("torn", **large).run()
    assert trials(torn) == trials(whole)
    assert [str(w.message) for w in recwarn] == []


def test_what_a_sampler_notes_about_a_trial_is_kept(sweep):
    """NSGA-II notes the generation; without it every proposal would belong to the first."""
    run = sweep(sampler="nsga2")
    run.run()
    sampled = optuna_trials(run)[20:]
    assert all(any("generation" in key for key in t.system_attrs) for t in sampled)
