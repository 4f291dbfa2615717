"""The Ray that a sweep runs on: one of our own, or a cluster that somebody else has started.

A cluster that was joined is asked, node by node, what it lacks. Its workers get the driver's own
autoprune, and the user's modules that the driver has imported, through the cluster.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import ray
import ray._private.worker as ray_worker
from ray._private import ray_constants
from ray.exceptions import GetTimeoutError, RayError
from ray.job_config import JobConfig
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import autoprune
from autoprune.errors import InputError
from autoprune.files import GIB
from autoprune.plugin import own_modules
from autoprune.sweep.ray.node import Needs, lacks
from autoprune.sweep.ray.place import check_place
from autoprune.sweep.stop import TERMINATING
from autoprune.sweep.workers import Workers

_STORE_BYTES = 200 * 2**20
"""The object store of our own Ray, beside data in memory: one copy of each for all workers. What
does not fit Ray puts on the disk. Its default is 30 % of memory."""

_NODE_S = 120.0
"""How long a node may take to fetch the modules and say what it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A node that answers: its number, its name, and by Ray's names what it has."""

    id: str
    name: str
    resources: Mapping[str, float]

    def __str__(self) -> str:
        """It as messages name it."""
        return f"node {self.name} ({self.id[:8]})"

    def has(self, name: str) -> float:
        """How much of a resource."""
        return self.resources.get(name, 0)


@contextmanager
def connected(workers: Workers, needs: Needs, data_bytes: int = 0) -> Iterator[None]:
    """While this lasts, this process is connected to the Ray that the workers work on.

    Uses the Ray that it is connected to already, where there is one. One of our own has room for
    so many bytes of data in memory.

    Raises InputError where the cluster cannot be joined, a node lacks something, or no node has
    what a worker reserves.
    """
    started = not ray.is_initialized()
    if started:
        _join(workers.address) if workers.address else _start(workers, data_bytes)
    try:
        nodes = _alive()
        _check_room(workers, nodes)
        if workers.address:
            _check_nodes(nodes, needs)
        yield
    finally:
        if started:
            _end()


def try_ray() -> str:
    """Start a Ray of our own, run a task on it, end it; returns what the task said.

    Raises whatever Ray does where that fails.
    """
    check_place()
    _start(Workers(count=1, threads=1, cpus=1), 0)
    try:
        process: int = ray.get(ray.remote(_process).remote(), timeout=_NODE_S)
        return f"{ray.__version__} starts, and ran a task in process {process}"
    finally:
        _end()


def _process() -> int:
    return os.getpid()


def _alive() -> list[_Node]:
    found: list[Any] = ray.nodes()  # type: ignore[no-untyped-call]
    return [
        _Node(id=node["NodeID"], name=node["NodeName"], resources=node["Resources"])
        for node in found
        if node["Alive"]
    ]


def _start(workers: Workers, data_bytes: int) -> None:
    """Start a Ray that listens on the loopback interface alone, and leaves it to us to end.

    Ray does the former where it takes clusters for impossible, as on macOS; it is told so by this
    variable, which it reads when it is imported, here and in the processes that it starts.

    Its processes inherit that they do not hear the signals that ask a run to end: Slurm and systemd
    send those to each of a job's, a terminal to its process group. Were Ray's gone at once, no
    trial would have its grace, and Ray would end this process in its own words.
    """
    make_private_token(Path.home() / ".ray")
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = "0"
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATING)
    try:
        _init(workers, data_bytes)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        ray_constants.ENABLE_RAY_CLUSTER = before
        del os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR]


def _end() -> None:
    """Leave Ray; the processes of one of our own are killed, and what they have begun.

    ray.shutdown asks each by SIGTERM, which they do not hear, and waits a second for it. What the
    raylet leaves would notice, but take up to a minute to say so to a gcs_server that is gone.
    """
    node = ray_worker._global_node
    started: dict[str, list[Any]] = {} if node is None else node.all_processes
    begun: list[psutil.Process] = []
    for process in [info.process for infos in started.values() for info in infos]:
        with suppress(psutil.NoSuchProcess):
            begun += psutil.Process(process.pid).children(recursive=True)
        process.terminate = process.kill
    ray.shutdown()
    for left in begun:
        with suppress(psutil.NoSuchProcess):
            left.kill()


def make_private_token(folder: Path) -> None:
    """The token by which Ray's processes know each other, for this user's eyes alone.

    Ray would make the file that is not there, readable for all who may look into the home. It
    appears whole: another process may start at the same moment, and this one be killed.
    """
    file, part = folder / "auth_token", folder / f"auth_token.{secrets.token_hex(8)}"
    with suppress(OSError):  # Ray says what is wrong with the home
        folder.mkdir(mode=0o700, exist_ok=True)
        if not file.exists():
            part.touch(0o600, exist_ok=False)
            try:
                part.write_text(secrets.token_hex(32), encoding="ascii")
                with suppress(FileExistsError):
                    file.hardlink_to(part)
            finally:
                part.unlink()
        file.chmod(0o600)


def _init(workers: Workers, data_bytes: int) -> None:
    # Of other jobs Ray's workers import from the driver's current folder first, whoever's it is.
    job = JobConfig(_client_job=True)
    ray.init(
        address="local",  # else Ray would join whatever RAY_ADDRESS or a file of its own names
        job_config=job,
        num_cpus=workers.count * workers.cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=_STORE_BYTES + data_bytes,
    )


def _join(address: str) -> None:
    modules = [Path(autoprune.__file__).parent, *own_modules()]
    try:
        with chdir("/"):  # workers would import from the driver's current folder first
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"py_modules": [str(module) for module in modules]},
            )
    except (Exception, SystemExit) as error:  # Ray ends the process where it does not get through
        raise InputError(f"Ray cluster {address}", f"cannot be joined ({error})") from error


def _check_room(workers: Workers, nodes: Sequence[_Node]) -> None:
    """InputError unless a worker fits on one of the nodes; Ray would wait for one for ever."""
    names = {"cpu": "CPU", "gpu": "GPU", "memory": "memory"}
    wanted = {names[name]: amount for name, amount in workers.resources.items()}
    if any(all(node.has(k) >= v for k, v in wanted.items()) for node in nodes):
        return
    have = "; ".join(
        f"{node}: {node.has('CPU'):g} CPUs, {node.has('GPU'):g} GPUs, "
        f"{node.has('memory') / GIB:.3g} GiB"
        for node in nodes
    )
    raise InputError(
        "compute", f"a worker takes {workers}", f"no more than some node has ({have or 'no nodes'})"
    )


def _check_nodes(nodes: Sequence[_Node], needs: Needs) -> None:
    """InputError with what each node lacks, unless none lacks anything."""
    ask = ray.remote(num_cpus=0, max_retries=0)(lacks)
    asked = {
        str(node): ask.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
        ).remote(needs)
        for node in nodes
    }
    ray.wait(list(asked.values()), num_returns=len(asked), timeout=_NODE_S)
    found = []
    for name, answer in asked.items():
        try:
            missing = ray.get(answer, timeout=0.1)
        except GetTimeoutError:
            missing = [f"an answer within {_NODE_S:.0f} s"]
        except RayError as error:
            missing = [f"what it takes to run anything ({str(error).strip().splitlines()[-1]})"]
        found += [f"{name} lacks {', '.join(missing)}"] if missing else []
    if found:
        raise InputError("Ray cluster", "; ".join(found), "the same on every node")
