"""What the tests share: one thread, a small network, and outcomes made without training."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import settings
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.plan import Plan
from autoprune.compress.setting import Value
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload
from autoprune.networks.shape import NetworkShape
from autoprune.networks.spikformer import SpikformerAdapter
from autoprune.networks.spikformer_patch import PatchSpikformer
from autoprune.runs.outcome import Outcome
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement, Precision, Score, Seconds

if TYPE_CHECKING:
    from tests.refusals import Said
    from tests.sweeps import Sweep

torch.set_num_threads(1)
# Ray's workers are nice to others by 15, and would starve beside the test processes next to them.
os.environ.setdefault("RAY_worker_niceness", "0")
settings.register_profile("quick", max_examples=20, deadline=None, derandomize=True)
settings.register_profile("full", max_examples=50, deadline=None)
settings.load_profile("quick")

LONG = ("full", "slow", "faults", "fuzz")
"""Markers of tests that run only where `-m` names them."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The whole suite has two processes; what is named on the command line, one."""
    option, here = config.option, not hasattr(config, "workerinput")
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    # pytest-cov has asked for the number before this
    one = option.usepdb or option.collectonly or getattr(option, "cov_source", None)
    if here and whole and config.pluginmanager.hasplugin("xdist") and option.numprocesses is None:
        option.numprocesses = 0 if one else 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """How tests are dealt out to processes."""
    from tests.pieces import Pieces

    return Pieces(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests go where nobody asks for them; those that start Ray come first."""
    long = [marker for marker in LONG if marker not in config.option.markexpr]
    gone = {item for item in items if any(map(item.get_closest_marker, long))}
    config.hook.pytest_deselected(items=list(gone))
    items[:] = [item for item in items if item not in gone]
    items.sort(key=lambda item: item.get_closest_marker("ray") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where files were changed at length: how many, and what became of them."""
    from tests.mutations import tried

    if "fuzz" not in terminalreporter.config.option.markexpr or not tried:
        return
    terminalreporter.write_line("\n| changed file | read or refused | refused by name |")
    terminalreporter.write_line("|---|---|---|")
    for name, found in tried.items():
        terminalreporter.write_line(f"| {name} | {found.total()} | {found['refused']} |")


@pytest.fixture(scope="session", autouse=True)
def _disk_not_waited_for() -> Iterator[None]:
    """What tests write need not outlast the machine; processes that they start do wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        yield


@pytest.fixture
def adapter() -> SpikformerAdapter:
    return SpikformerAdapter()


@pytest.fixture
def network() -> PatchSpikformer:
    """A network of 2 blocks that fires: batch norm with statistics of its own and a wide scale."""
    return make_network()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def effort() -> Effort:
    return Effort(time_steps=3, learning_rate=1e-3, epochs=1)


def make_network(seed: int = 3) -> PatchSpikformer:
    torch.manual_seed(seed)
    network = PatchSpikformer(
        T=3,
        in_channels=1,
        img_size_h=8,
        img_size_w=8,
        num_classes=4,
        embed_dims=12,
        depths=2,
        num_heads=3,
        mlp_ratio=2.0,
    )
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, 0.0, 2.5)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.02, 0.1)
    return network.eval()


@pytest.fixture
def measured() -> Callable[..., Measurement]:
    """Makes a measurement of a plan without training: accuracy given, costs fall with zeros.

    `rounded` has what is correct with weights of fewer bits, by bits; more are zero there.
    """

    def make(
        plan: Plan,
        *,
        correct: int = 90,
        seed: int = 0,
        zeros: float = 0.0,
        rounded: Mapping[int, int] = MappingProxyType({}),
    ) -> Measurement:
        own = plan.weight_bits
        return Measurement(
            plan=plan,
            seed=seed,
            precisions=tuple(
                Precision(
                    bits=bits,
                    validation=Score(correct=hits, total=100),
                    test=Score(correct=hits, total=100),
                    workload=sample_workload(zeros=zeros + (1 - zeros) * (own - bits) / 100),
                )
                for bits, hits in {own: correct, **rounded}.items()
            ),
            parameters=1000,
            kept_weights=1 - zeros,
            seconds=Seconds(training=1.0, evaluation=0.1, census=0.1, other=0.01),
        )

    return make


@pytest.fixture
def shape(adapter: SpikformerAdapter, network: PatchSpikformer) -> NetworkShape:
    return adapter.shape(network)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the suite's processes have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def once(shared: Path) -> Callable[[str, Callable[[Path], None]], Path]:
    """Fills a folder of that name once, in whichever of the suite's processes is the first."""

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        place, made = shared / name, shared / f"{name}.made"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(place, ignore_errors=True)
                fill(place)
                made.touch()
        return place

    return make


@pytest.fixture(scope="session", autouse=True)
def cache(shared: Path) -> Iterator[None]:
    """One cache of the session: what a test has trained or read is there for the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOPRUNE_CACHE", str(shared / "cache"))
        yield


@pytest.fixture(scope="session")
def short_run(once: Callable[..., Path], shared: Path) -> Path:
    """The finished run of the short study, made in one process: to be read or copied."""
    from tests.short import run_short

    def fill(place: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AUTOPRUNE_CACHE", str(shared / "empty_cache"))
            run_short(place)
        (shared / "cache" / "parents").mkdir(parents=True, exist_ok=True)
        for file in (shared / "empty_cache" / "parents").iterdir():
            file.replace(shared / "cache" / "parents" / file.name)

    return once("short_run", fill)


@pytest.fixture
def short_study(tmp_path: Path) -> Callable[..., Path]:
    """Writes the short study, changed, into the test's folder; see `tests.short.write_short`."""
    from tests.short import write_short

    return partial(write_short, tmp_path)


@pytest.fixture
def sweep(
    tmp_path: Path, shape: NetworkShape, measured: Callable[..., Measurement]
) -> Callable[..., Sweep]:
    """Makes a sweep over made-up measurements in a folder of that name."""
    from tests.sweeps import Sweep

    return lambda name="run", **settings: Sweep(tmp_path / name, shape, measured, **settings)


@pytest.fixture
def short_of_steps(short_study: Callable[..., Path]) -> str:
    """The short study without its stem, of whose two sampled trials one has 1 step, one 2."""
    from tests.short import change_space

    study = short_study()
    change_space(study)
    return str(study)


@pytest.fixture
def autoprune(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Runs `autoprune ARGUMENTS` as the console script does, on a terminal of 80 columns."""
    from autoprune.cli.main import main
    from tests.refusals import Said

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["autoprune", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "80")
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code is None or isinstance(stop.value.code, int)
        return Said(stop.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def one_ray() -> Iterator[Callable[[], None]]:
    """Starts the Ray that tests in one process share, unless it runs already."""
    import ray

    def start() -> None:
        if not ray.is_initialized():
            ray.init(
                address="local",
                num_cpus=2,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=200 * 2**20,
            )

    yield start
    ray.shutdown()


@pytest.fixture
def no_ray() -> None:
    """The Ray that tests share, if it runs, is ended: this one starts its own."""
    import ray

    ray.shutdown()


@pytest.fixture
def outcome(
    shape: NetworkShape, effort: Effort, measured: Callable[..., Measurement]
) -> Callable[..., Outcome]:
    """Makes an outcome: `correct` of 100 right, and `zeros` of the weights save energy.

    `rounded` has what is right with fewer bits of a weight, by bits; `weight_bits` are the plan's,
    `learned` what its neurons learn.
    """

    def make(
        key: object,
        *,
        origin: str = "sampled",
        correct: int = 90,
        zeros: float = 0.0,
        rounded: Mapping[int, int] = MappingProxyType({}),
        weight_bits: int = 32,
        learned: Mapping[str, str] = MappingProxyType({}),
        **fields: Any,
    ) -> Outcome:
        point: dict[str, Value] = {"blocks.0.attention.l1p": zeros, "weight_bits": weight_bits}
        plan = make_plan(parse_configuration({**point, **learned}), shape, effort)
        values = {
            "key": TrialKey.parse(str(key)),
            "origin": origin,
            "configuration": (),
            "plan": plan,
            "seed": 0,
            "state": "measured",
            "measurement": measured(plan, correct=correct, zeros=zeros, rounded=rounded),
        }
        return Outcome(**{**values, **fields})

    return make


@pytest.fixture
def model() -> CostModel:
    return load_machine("ops45_fp32")


@pytest.fixture
def int8() -> CostModel:
    """A machine with weights of 8 bits."""
    return load_machine("ops45_int8")
