"""Confirming a real run: fresh seeds, the same whatever the workers, resumed where it stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer
from autoprune.sweep.confirm import confirm
from autoprune.sweep.workers import Hire
from autoprune.trial.key import TrialKey
from tests.short import untimed

HERE = Hire(count=0)


@pytest.fixture
def place(short_run, tmp_path) -> Path:
    return Path(shutil.copytree(short_run, tmp_path / "short"))


def ignore(done: int, total: int) -> None:
    pass


def results(place: Path) -> dict:
    """All repetitions by key, without how long they took."""
    return {o.key: o for o in untimed(RunFolder(place).read_confirmed())}


@pytest.mark.full
@pytest.mark.ray
def test_two_workers_confirm_as_one_process_does(place, one_ray, tmp_path):
    other = Path(shutil.copytree(place, tmp_path / "other"))
    alone = confirm(RunFolder.opened(place), 2, HERE, ignore)
    one_ray()
    assert confirm(RunFolder.opened(other), 2, Hire(count=2), ignore) == alone
    assert results(other) == results(place)
    assert not alone.failed
    assert {front.machine for front in alone.fronts} == {"loihi1", "systolic_14x12", "ops45_fp32"}
    for front in alone.fronts:
        assert all((row.choosing, row.seeds) == (1, 1) for row in front.rows)
        assert any(row.stays for row in front.rows)


def test_damage_and_workers_that_cannot_be_are_said_before_anything_trains(place, monkeypatch):
    said: list[str] = []
    file = RunFolder(place).file(TrialKey(1))
    file.write_bytes(b"no Parquet")
    monkeypatch.setenv("TMPDIR", f"/tmp/{'x' * 100}")
    with pytest.raises(InputError, match="too long a name for the sockets of Ray"):
        confirm(RunFolder.opened(place), 1, Hire(count=2), ignore, say=said.append)
    aside = f"{file}.damaged-1"
    assert said[0] == f"Damaged, and set aside: {aside}; the run makes it anew when it goes on."
    assert Path(aside).read_bytes() == b"no Parquet"
    assert RunFolder(place).read_confirmed() == []


@pytest.mark.full
def test_repetitions_have_seeds_of_their_own_and_the_plans_of_their_trials(place):
    confirm(RunFolder.opened(place), 2, HERE, ignore)
    searched = {outcome.key: outcome for outcome in RunFolder(place).read_trials()}
    found = results(place)
    assert len({o.seed for o in found.values()} | {o.seed for o in searched.values()}) == len(
        found
    ) + len(searched)
    for key, outcome in found.items():
        trial = searched[TrialKey(key.number)]
        assert outcome.plan == outcome.measurement.plan == trial.plan
        assert outcome.measurement.seed == outcome.seed
        assert outcome.measurement.precisions[0].bits == trial.measurement.precisions[0].bits
        assert len(outcome.measurement.precisions) == len(trial.measurement.precisions)


def test_it_goes_on_where_it_stopped_and_adds_seeds(place):
    folder, told = RunFolder(place), []
    confirm(RunFolder.opened(place), 1, HERE, ignore)
    first = results(place)
    gone = sorted(folder.confirmed.glob("*.parquet"))[0]
    gone.unlink()
    (folder.confirmed / "00099-0.parquet").write_bytes(b"half a fi")
    confirm(RunFolder.opened(place), 1, HERE, lambda done, total: told.append((done, total)))
    assert told == [(0, 1), (1, 1)]
    assert results(place) == first
    more = confirm(RunFolder.opened(place), 2, HERE, ignore)
    assert {key: o for key, o in results(place).items() if key.repetition == 0} == first
    assert all((row.choosing, row.seeds) == (1, 1) for front in more.fronts for row in front.rows)
    fewer = confirm(RunFolder.opened(place), 1, HERE, lambda *done: told.append(done))
    assert told[-1] == (0, 0)
    assert all((row.choosing, row.seeds) == (0, 1) for front in fewer.fronts for row in front.rows)


def test_no_run_and_a_run_in_use_are_refused(place, tmp_path):
    with pytest.raises(RecordError, match="not a run folder"):
        confirm(RunFolder.opened(tmp_path / "nothing"), 1, HERE, ignore)
    assert not (tmp_path / "nothing").exists()
    with sole_writer(place), pytest.raises(RecordError, match="in use by"):
        confirm(RunFolder.opened(place), 1, HERE, ignore)


def test_the_command_writes_tables_and_files(place, monkeypatch, capsys):
    from autoprune.cli.main import main

    monkeypatch.setattr("sys.argv", ["autoprune", "confirm", str(place), "--seeds", "1",
                                     "--workers", "0", "--json"])  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    said = capsys.readouterr()
    documents = json.loads(said.out)
    trained = len(results(place))
    trials, *tenths = said.err.splitlines()
    assert trials.startswith(f"{trained} trials on a front, fresh seeds 1: ")
    assert f"{trained} networks; {trained} to train, some " in " ".join(said.err.split())
    assert f"{trained} of {trained} networks trained" in tenths, "where nothing is redrawn"
    for document in documents:
        saved = place / "fronts" / document["machine"] / "confirmed.json"
        assert json.loads(saved.read_text()) == document
        assert saved.with_suffix(".csv").read_text().count("\n") == len(document["rows"]) + 1
