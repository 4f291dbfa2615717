"""A Ray cluster that somebody else has started: addresses, two nodes, and one that goes down."""

from __future__ import annotations

import contextlib
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
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from autoprune.errors import InputError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.sweep.confirm import confirm
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody
from autoprune.sweep.ray.address import find_address
from autoprune.sweep.ray.cluster import make_private_token
from autoprune.sweep.ray.node import Needs, lacks
from autoprune.sweep.workers import Hire, Workers
from tests.short import untimed, write_short

RAY = [sys.executable, "-m", "ray.scripts.scripts"]
AUTOPRUNE = [sys.executable, "-c", "from autoprune.cli.main import main; main()"]


def refused(option: str | None) -> tuple[str, float]:
    """What is said of an address, and after how long."""
    start = time.monotonic()
    with pytest.raises(InputError) as error:
        find_address(option, None)
    return str(error.value), time.monotonic() - start


def test_a_closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    said, seconds = refused(address)
    assert f"--address {address}: nothing answers there (Connection refused)" in said
    assert seconds < 60


@pytest.mark.full
def test_a_silent_port_named_by_the_environment(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        said, seconds = refused(None)
    assert f"RAY_ADDRESS {address}: something listens there, but gives no answer" in said
    assert seconds < 60


@pytest.mark.parametrize(
    "address",
    ["", "6379", "head", "head:", ":6379", "head:70000", "ray://head:10001", "http://h:1"],
)
def test_what_is_no_address(address):
    assert "no address; expected HOST:PORT of a cluster's head" in refused(address)[0]


def test_a_name_that_no_host_can_have():
    assert (
        f"--address {'x' * 300}:1: nothing answers there (no connection)"
        in refused(f"{'x' * 300}:1")[0]
    )


def test_the_token_of_our_own_appears_whole_and_once(tmp_path, monkeypatch):
    file = tmp_path / ".ray" / "auth_token"
    make_private_token(file.parent)
    token = file.read_text()
    make_private_token(file.parent)
    assert (file.read_text(), len(token)) == (token, 64)
    file.unlink()
    write = Path.write_text

    def late(part: Path, text: str, **how: str) -> int:
        """Another process is quicker."""
        write(file, "another's")
        return write(part, text, **how)

    monkeypatch.setattr(Path, "write_text", late)
    make_private_token(file.parent)
    assert file.read_text() == "another's"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [place.name for place in file.parent.iterdir()] == ["auth_token"]


def test_without_ray_there_is_no_cluster(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert find_address(None, 0) is None
    with pytest.raises(InputError, match="--workers 0, which uses no Ray"):
        find_address("127.0.0.1:1", 0)
    monkeypatch.delenv("RAY_ADDRESS")
    assert find_address(None, None) is None


def test_what_a_worker_takes_is_the_studys(root):
    parts = prepare(str(root / "tests" / "studies" / "short.toml")).built.parts
    assert Workers.of(parts.compute).resources == {"cpu": 1}
    spec = parts.compute.spec.model_copy(
        update={"cpus": 3, "memory_gib": 0.5, "device": "cuda", "gpu_fraction": 0.25}
    )
    workers = Workers.of(replace(parts.compute, spec=spec), Hire(count=5))
    assert workers.resources == {"cpu": 3, "gpu": 0.25, "memory": 2**29}
    assert (workers.count, str(workers)) == (5, "3 CPUs, 0.25 GPUs, 0.5 GiB of memory")


def test_a_node_says_what_it_lacks(tmp_path):
    shared, data = tmp_path / "run.lock", tmp_path / "data.npy"
    shared.write_text("the driver's name")
    data.touch()
    needs = Needs.here([data], shared)
    assert lacks(needs) == []
    other = replace(needs, versions={"torch": "0.1", "no-such-thing": "2"})
    shared.write_text("another's")
    data.unlink()
    first, *rest = lacks(other)
    assert first.startswith("torch 0.1 (it has 2.")
    assert rest == [
        "no-such-thing 2",
        f"the file {data}",
        f"the run folder {tmp_path} (put it on storage that all nodes share)",
    ]


@pytest.mark.ray
def test_what_no_node_has_is_refused_at_once(short_study, one_ray, tmp_path):
    """Ray itself would wait for such a node for ever."""
    one_ray()
    big = short_study(after="[compute]\ncpus = 1000")
    said = r"compute: a worker takes 1000 CPUs; expected no more than some node"
    with pytest.raises(InputError, match=said):
        run(prepare(str(big)), tmp_path / "run", Nobody())


class Cluster(NamedTuple):
    """A head and a node, each a `ray start` of its own."""

    address: str
    environment: dict[str, str]
    head: subprocess.Popen[bytes]
    node: subprocess.Popen[bytes]


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    """Two nodes of one CPU each on this machine, with ports, folder and token of their own."""
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as server:
            ports.append(str(server.getsockname()[1]))
    environment = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    environment.pop("RAY_ADDRESS", None)
    common = ["--num-cpus=1", "--object-store-memory=100000000", "--block"]
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # a socket's path must not be long
    head = [f"--port={ports[0]}", f"--ray-client-server-port={ports[1]}", f"--temp-dir={folder}"]
    log = (tmp_path / "ray.log").open("w")
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, nodes: int, *options: str) -> subprocess.Popen[bytes]:
        """A node, once the cluster has so many; started again where Ray gave up on starting it."""
        deadline = time.monotonic() + 300
        status = [*RAY, "status", "--address", f"127.0.0.1:{ports[0]}"]
        while time.monotonic() < deadline:
            # a session of its own: ending it ends everything that it has started
            process = subprocess.Popen(
                [*RAY, "start", *options, *common],
                env={**environment, "TESTED_NODE": name},
                start_new_session=True,
                stdout=log,
                stderr=log,
            )
            started.append(process)
            while process.poll() is None and time.monotonic() < deadline:
                done = subprocess.run(status, env=environment, capture_output=True, text=True)
                if done.stdout.count(" node_") == nodes:
                    return process
                time.sleep(0.5)
            end(process)
        raise AssertionError((tmp_path / "ray.log").read_text())

    try:
        first = start("first", 1, "--head", *head, "--include-dashboard=false")
        second = start("second", 2, f"--address=127.0.0.1:{ports[0]}")
        yield Cluster(f"127.0.0.1:{ports[0]}", environment, first, second)
    finally:
        for process in started:
            end(process)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a node at once, with all that it runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


NOTING = """
import json, os, time, uuid
from pathlib import Path
import torch
import autoprune

NOTES = Path({notes!r})

def evaluate(network, part):
    node, at_work = os.environ.get("TESTED_NODE", "none"), list(NOTES.glob("second-*"))
    if node == "second" and at_work and (NOTES.parent / "hold").exists():
        (NOTES.parent / "held").touch()
        time.sleep(600)
    note = {{"node": node, "own": __file__, "autoprune": autoprune.__file__}}
    (NOTES / f"{{node}}-{{uuid.uuid4().hex}}").write_text(json.dumps(note))
    # In its first job a node waits for the other, however long that takes to start: Tune gives the
    # job of a worker that starts to one that is done, so one node could do all that there is.
    other = {{"first": "second", "second": "first"}}.get(node)
    while other and not list(NOTES.glob(f"{{other}}-*")):
        time.sleep(0.05)
    return float((network(part.inputs(slice(64))).argmax(1) == part.labels[:64]).float().mean())
"""


@pytest.fixture
def study(tmp_path) -> Path:
    """The short study with a score of its own, in a module beside it, that notes where it runs."""
    notes = tmp_path / "notes"
    notes.mkdir()
    folder = tmp_path / "study"
    folder.mkdir()
    name = f"noting_{secrets.token_hex(4)}"
    (folder / f"{name}.py").write_text(NOTING.format(notes=str(notes)), encoding="utf-8")
    return write_short(
        folder,
        ('["accuracy"', '["evaluate"'),
        ("trials = 7", "trials = 9"),
        after=f'[functions]\nevaluate = "{name}:evaluate"',
    )


def notes(study: Path) -> list[dict[str, str]]:
    files = (study.parent.parent / "notes").iterdir()
    return [json.loads(file.read_text()) for file in files]


def trials(folder: Path) -> list[Outcome]:
    """The search's trials, as far as they have to repeat themselves."""
    return untimed(RunFolder(folder).read_trials())


def confirmed(folder: Path) -> list[Outcome]:
    """The confirmed trials, as far as they have to repeat themselves."""
    return untimed(RunFolder(folder).read_confirmed())


@pytest.mark.full
@pytest.mark.ray
def test_trials_run_on_both_nodes_and_one_that_goes_down_loses_nothing(cluster, study, tmp_path):
    """The second node is killed while it trains; the trials are those of a run without Ray."""
    folder = tmp_path / "run"
    (tmp_path / "hold").touch()
    command = [*AUTOPRUNE, "run", str(study), "--address", cluster.address, "--out", str(folder)]
    driver = subprocess.Popen(
        command,
        env=cluster.environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 600
    while not (tmp_path / "held").exists():
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.05)
    assert any(note["node"] == "second" for note in notes(study))
    end(cluster.node)
    out, err = driver.communicate(timeout=600)
    assert driver.returncode == 0, err
    assert "9 plans measured, 0 duplicates, 0 failed" in out
    seen = [note for note in notes(study) if note["node"] != "none"]  # the driver tries the score
    assert len({note["node"] for note in seen}) == 2
    for note in seen:  # both came through the cluster, not from this machine's disk
        assert "runtime_resources" in note["own"] and "runtime_resources" in note["autoprune"]
    alone = tmp_path / "alone"
    run(prepare(str(study), workers=0), alone, Nobody())
    assert trials(folder) == trials(alone)


@pytest.mark.ray
@pytest.mark.slow
def test_confirming_on_both_nodes(cluster, study, tmp_path):
    """What the cluster confirms is what this process does; the run was searched without Ray."""
    folder, alone = tmp_path / "run", tmp_path / "alone"
    run(prepare(str(study), workers=0), folder, Nobody())
    shutil.copytree(folder, alone)
    searched = len(notes(study))
    done = subprocess.run(
        [*AUTOPRUNE, "confirm", str(folder), "--address", cluster.address, "--seeds", "2",
         "--workers", "2", "--import", "--json"],
        env=cluster.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    on_cluster = [note for note in notes(study) if note["node"] != "none"]
    assert len(on_cluster) == len(notes(study)) - searched
    assert len({note["node"] for note in on_cluster}) == 2
    confirm(RunFolder.opened(alone, imports=True), 2, Hire(count=0), lambda done, left: None)
    assert confirmed(folder) == confirmed(alone)
    assert confirmed(folder)
