"""The Optuna study in a real PostgreSQL server: the same trials after any kill, and no password."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import optuna
import pytest
from optuna.trial import TrialState

from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.search.block_response import GAIN
from autoprune.search.storages import PASSWORD, open_database
from autoprune.study.address import check_storage
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody
from autoprune.sweep.status import read_status
from tests.refusals import Said
from tests.short import SHORT, untested, untimed

AUTOPRUNE = [sys.executable, "-c", "from autoprune.cli.main import main; main()"]


class Server(NamedTuple):
    """A PostgreSQL server of the tests' own."""

    address: str
    password: str
    start: list[str]
    stop: list[str]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Started as the user of Debian's package, since initdb refuses root; asks for a password."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        reason = (
            "PostgreSQL's server programs are not in /usr/lib/postgresql: apt install postgresql"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="autoprune-pg-"))
    password = secrets.token_urlsafe(12) + "/@:%"
    (folder / "password").write_text(password)
    as_user = []
    if os.geteuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres", "postgres")

    def do(program: str, *options: str) -> None:
        command = [*as_user, str(found[-1] / program), *options]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    data = str(folder / "data")
    login = ["-U", "searcher", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]
    do("initdb", "-D", data, "-N", *login)
    control = [*as_user, str(found[-1] / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log")]
    start = [*control, "-o", f"-p {port} -k {folder} -h 127.0.0.1", "start"]
    stop = [*control, "-m", "immediate", "stop"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
    try:
        yield Server(f"postgresql://searcher@127.0.0.1:{port}/postgres", password, start, stop)
    finally:
        subprocess.run(stop, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder)


@pytest.fixture
def short(short_study, server, monkeypatch) -> Path:
    """The short study with its Optuna study in the server."""
    monkeypatch.setenv(PASSWORD, server.password)
    return short_study(before=f'storage = "{server.address}"')


def trials(folder: Path) -> list:
    """What has to repeat itself, however often a run ended; how long it took does not."""
    return [untested(trial) for trial in untimed(RunFolder(folder).read_trials())]


def recorded(folder: Path, address: str) -> list[optuna.trial.FrozenTrial]:
    """What any Optuna tool reads in the database."""
    name = RunFolder(folder).record.places.study
    return optuna.load_study(study_name=name, storage=open_database(address)).trials


def holds(folder: Path, word: str) -> list[Path]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if word.encode() in file.read_bytes()]


@pytest.mark.slow
@pytest.mark.postgres
def test_a_driver_killed_at_any_moment_leaves_a_study_that_goes_on(
    short_run, short, server, tmp_path
):
    alone = Path(shutil.copytree(short_run, tmp_path / "alone"))
    run(prepare(SHORT, workers=0, trials=12), alone, Nobody())
    folder = tmp_path / "run"
    command = [*AUTOPRUNE, "run", str(short), "--workers", "0", "--trials", "12", "--out"]
    said = ""
    for killed_after in (3, 8, None):
        driver = subprocess.Popen(
            [*command, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + 600
        while killed_after is not None:
            assert time.monotonic() < deadline
            assert driver.poll() is None, driver.communicate()
            if len(list((folder / "trials").glob("*.parquet"))) >= killed_after:
                driver.send_signal(signal.SIGKILL)
                break
            time.sleep(0.03)
        said += driver.communicate()[0]
    assert driver.returncode == 0, said
    assert trials(folder) == trials(alone)
    found = recorded(folder, server.address)
    assert [t.number for t in found] == list(range(len(trials(alone))))
    assert {t.state for t in found} == {TrialState.COMPLETE}
    for frozen, outcome in zip(found, trials(alone), strict=True):
        assert frozen.user_attrs["hash"] == outcome.plan.hash
        assert frozen.values[0] == outcome.measurement.validation.accuracy
    assert not (folder / "optuna.journal").exists()
    assert f"Optuna study: {RunFolder(folder).record.places.study}, in the database" in said
    assert "optuna.journal" not in said
    assert server.password not in said
    assert holds(tmp_path, server.password) == []
    assert RunFolder(folder).study_file in holds(folder, server.address)


@pytest.mark.full
@pytest.mark.postgres
def test_a_server_that_goes_down_ends_the_run_and_loses_nothing(short, server, tmp_path):
    folder = tmp_path / "run"

    class Down(Nobody):
        def progress(self, standing):
            if standing.done == 4:
                subprocess.run(server.stop, check=True, stdout=subprocess.DEVNULL)

    with pytest.raises(RecordError, match="the database of the Optuna study fails") as error:
        run(prepare(str(short), workers=0), folder, Down())
    assert server.password not in str(error.value)
    with pytest.raises(InputError, match=r"storage postgresql://searcher@.*cannot be used"):
        run(prepare(str(short), workers=0), folder, Nobody())
    subprocess.run(server.start, check=True, stdout=subprocess.DEVNULL)
    before = trials(folder)
    run(prepare(str(short), workers=0), folder, Nobody())
    assert trials(folder)[: len(before)] == before
    found = recorded(folder, server.address)
    assert {t.state for t in found} == {TrialState.COMPLETE}
    assert len(found) == len(trials(folder))


@pytest.mark.full
@pytest.mark.postgres
def test_a_database_older_than_the_run_folder_is_made_anew(short, server, tmp_path, monkeypatch):
    """A backup was restored, or the study is gone: nothing is trained again."""
    path, storage = tmp_path / "run", open_database(server.address)
    run(prepare(str(short), workers=0, trials=4), path, Nobody())
    name = RunFolder(path).record.places.study

    def copy(source: str, target: str) -> None:
        places = {"from_storage": storage, "to_storage": storage}
        optuna.copy_study(from_study_name=source, to_study_name=target, **places)

    copy(name, "backup")
    prepared = prepare(str(short), workers=0)
    before = run(prepared, path, Nobody())
    whole = [(t.params, t.values, t.state) for t in recorded(path, server.address)]
    fronts = {f: f.read_bytes() for f in path.glob("fronts/*/front.*")}
    monkeypatch.setattr("autoprune.sweep.worker.run_trial", lambda *_, **__: pytest.fail("trained"))
    for backup in (True, False):
        optuna.delete_study(study_name=name, storage=storage)
        if backup:
            copy("backup", name)
        assert run(prepared, path, Nobody()).outcomes == before.outcomes
        assert [(t.params, t.values, t.state) for t in recorded(path, server.address)] == whole
        assert {f: f.read_bytes() for f in path.glob("fronts/*/front.*")} == fronts


@pytest.mark.full
@pytest.mark.postgres
def test_status_and_trial_read_the_database_where_they_may(
    short, server, autoprune, tmp_path, monkeypatch
):
    """With --import, and a password that ~/.pgpass has for that host: none of the environment."""
    passwords, escaped = tmp_path / "pgpass", server.password.replace(":", "\\:")
    passwords.write_text(f"127.0.0.1:*:*:searcher:{escaped}\n", encoding="utf-8")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.setenv("PGPASSWORD", "of another server")
    text = short.read_text(encoding="utf-8")
    assert 'sampler = "tpe"' in text
    short.write_text(text.replace('"tpe"', '"block_response"'), encoding="utf-8")
    folder = tmp_path / "run"
    command = [*AUTOPRUNE, "run", str(short), "--workers", "0", "--trials", "9", "--out"]
    with subprocess.Popen([*command, str(folder)], stdout=subprocess.DEVNULL) as driver:
        while not list(folder.glob("trials/*.parquet")) and driver.poll() is None:
            time.sleep(0.02)
        meanwhile = []
        while driver.poll() is None:
            meanwhile.append(read_status(RunFolder(folder, imports=True)))
            time.sleep(0.1)  # the driver needs the processor, too
    assert driver.returncode == 0
    assert any(s.running and s.writer and s.writer.process == driver.pid for s in meanwhile)

    def ask(*words: str) -> Said:
        said = autoprune(words[0], folder, *words[1:])
        assert server.password not in said.out + said.err
        assert "Traceback" not in said.err
        return said

    assert json.loads(ask("status", "--json").out)["running"] is None
    status = json.loads(ask("status", "--json", "--import").out)
    assert (status["done"], status["running"], status["writer"]) == (9, 0, None)
    expected = {t.number: t.system_attrs.get(GAIN) for t in recorded(folder, server.address)}
    number, gain = next((n, gain) for n, gain in expected.items() if gain is not None)
    found = json.loads(ask("trial", str(number), "--json", "--import").out)
    assert (found["origin"], found["expected_gain"]) == ("sampled", gain)
    words = " ".join(ask("trial", str(number), "--import").out.split())
    assert f"expected gain of hypervolume {gain:.3g}" in words
    subprocess.run(server.stop, check=True, stdout=subprocess.DEVNULL)
    try:
        for words in (("status",), ("trial", str(number))):
            assert ask(*words).code == 0, "it is not asked"
            done = ask(*words, "--import")
            assert (done.code, done.out) == (2, "")
            assert server.address in done.err.replace("\n", "")
    finally:
        subprocess.run(server.start, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.postgres
@pytest.mark.full
def test_a_wrong_password_and_another_place_are_refused(short, short_study, tmp_path, monkeypatch):
    run(prepare(str(short), workers=0, trials=3), tmp_path / "run", Nobody())
    monkeypatch.setenv(PASSWORD, "guessed-wrong")
    with pytest.raises(InputError, match=f"password authentication failed.*{PASSWORD}") as error:
        run(prepare(str(short), workers=0, trials=3), tmp_path / "run", Nobody())
    assert "guessed-wrong" not in str(error.value)
    short_study()
    with pytest.raises(InputError, match="storage is 'postgresql://searcher@.* and None in"):
        run(prepare(str(short), workers=0, trials=3), tmp_path / "run", Nobody())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://me:s3cr3t@host/runs", "holds a password"),
        ("postgresql://host/runs?user=me&password=s3cr3t", "holds a password"),
        ("mysql://host/runs?passwd=s3cr3t", "holds a password"),
        ("postgresql://[host/s3cr3t", "not an address"),
        ("runs.db", "not an address"),
        ("sqlite:///", "not an address"),
        ("postgresql://", "not an address"),
        (" sqlite:///runs.db", "not an address"),
        ("sqlite:///:memory:", "in memory, which is lost"),
        ("sqlite:///runs.db?mode=memory", "in memory, which is lost"),
    ],
)
def test_addresses_are_refused_without_being_shown(address, said):
    with pytest.raises(InputError, match=f"storage: {said}") as error:
        check_storage(address, "study.toml: storage")
    assert "s3cr3t" not in str(error.value)
    check_storage("postgresql://me@host/runs", "storage")


def test_no_other_message_about_a_study_shows_a_password(root, tmp_path):
    text = (root / "tests" / "studies" / "short.toml").read_text(encoding="utf-8")
    start, end = text.index("[parent]"), text.index("[finetune]")
    broken = f'storage = "postgresql://me:s3cr3t@host/runs"\n{text[:start]}{text[end:]}'
    (tmp_path / "study.toml").write_text(broken, encoding="utf-8")
    with pytest.raises(InputError, match="holds a password") as error:
        prepare(str(tmp_path / "study.toml"))
    assert "s3cr3t" not in str(error.value)


def test_a_database_whose_driver_is_missing():
    with pytest.raises(InputError, match="no driver for it .*oracledb"):
        open_database("oracle+oracledb://me@host/runs")
