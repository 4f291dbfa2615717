"""The one way in: run, open, price, check, profile; the commands use it, too.

Whatever is imported in here is imported when it is used: each command starts with what it needs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autoprune.errors import InputError
from autoprune.files import user_path
from autoprune.opened_run import OpenedRun
from autoprune.runs.own_files import refuse_own as refuse_own

if TYPE_CHECKING:
    from autoprune.config import Folder, Verdict
    from autoprune.report.front.cost_report import CostReport
    from autoprune.report.front.sensitivity import Sensitivity
    from autoprune.runs.recipe import ChosenRates
    from autoprune.study.shown import Shipped, Shown
    from autoprune.study.study import Study
    from autoprune.study.verdicts import Correct
    from autoprune.sweep.doctor import Finding
    from autoprune.sweep.prepared_run import PreparedRun
    from autoprune.sweep.progress import Observer
    from autoprune.workload.workload import Workload


def run(  # noqa: PLR0913 - the options of `autoprune run`
    study: str | Path | Study,
    *,
    out: str | Path | None = None,
    trials: int | None = None,
    workers: int | None = None,
    address: str | None = None,
    minutes: float | None = None,
    observer: Observer | None = None,
) -> OpenedRun:
    """Run a study, or go on with it where it stopped, as `autoprune run` does; open the run.

    Args:
        study: the name of a bundled study, a TOML file, or a `Study`, whose space and machines are
            names or files of the current folder.
        out: the run folder; runs/STUDY where it is left out, which a `Study` value cannot do.
        trials: plans to train; the study's where it is left out.
        workers: trials at a time, 0 for this process; the study's where it is left out.
        address: HOST:PORT of a Ray cluster; RAY_ADDRESS, else a Ray of its own.
        minutes: when no more trials begin; those that run are finished.
        observer: who is told how far it is, see `autoprune.sweep.progress.Observer`; in a notebook
            the running cell shows it where this is left out.

    What the command prints as a note or a warning is a Python warning, also that the run was
    interrupted: by the time limit, or Ctrl-C. Raises InputError where something is wrong with the
    study, before anything trains, and RecordError where the folder is in use or cannot be written.
    """
    from autoprune.sweep.notebook import usual_observer
    from autoprune.sweep.stop import Stop

    prepared = prepare_run(study, out=out, trials=trials, workers=workers, address=address)
    for text in (*prepared.notes, *([prepared.changed] if prepared.changed else [])):
        warnings.warn(text, stacklevel=2)
    with usual_observer() if observer is None else nullcontext(observer) as watching:
        finished = prepared.run(watching, Stop(minutes))
    left = ["interrupted: the same call goes on where it stopped"] * finished.interrupted
    for text in (*finished.warnings, *left):
        warnings.warn(text, stacklevel=2)
    return open_run(finished.folder.path, imports=True)  # of the very study that was given


def prepare_run(
    study: str | Path | Study,
    *,
    out: str | Path | None = None,
    trials: int | None = None,
    workers: int | None = None,
    address: str | None = None,
) -> PreparedRun:
    """A study checked whole, before anything trains; arguments and errors are those of `run`."""
    from autoprune.runs.folder import RunFolder, refuse_foreign
    from autoprune.sweep.prepare import prepare
    from autoprune.sweep.prepared_run import PreparedRun
    from autoprune.sweep.ray.address import find_address

    given = str(study) if isinstance(study, Path) else study
    if out is None and not isinstance(given, str):
        raise InputError("run(study)", "a study that has no file", "out, the run folder")
    folder = Path("runs") / Path(str(given)).stem if out is None else user_path(str(out), "--out")
    refuse_foreign(RunFolder(folder))
    prepared = prepare(given, trials, workers, find_address(address, workers))
    return PreparedRun(prepared, RunFolder(folder))


def open_run(path: str | Path, *, imports: bool = False) -> OpenedRun:
    """The run in a folder, also while it goes on; RecordError where there is none.

    `imports` allows to import classes of your own that only the folder names, such as a machine's.
    """
    return OpenedRun(path, imports=imports)


def cost_report(what: str, machine: str, *, imports: bool = False) -> CostReport:
    """What one inference of a workload costs on a machine, and what helps to read that.

    Args:
        what: a file of a workload, or a trial of a run as RUN:TRIAL.
        machine: name or TOML file; of a trial as in `OpenedRun.machine_front`.
        imports: see `open_run`.
    """
    from autoprune.report.front.cost_report import report_cost
    from autoprune.runs.named_workload import find_workload

    found = find_workload(what, machine, imports=imports)
    return report_cost(found.model, found.workload, found.numbers)


def price_workload(workload: Workload, machine: str, *, imports: bool = False) -> CostReport:
    """What one inference of a workload at hand costs on a machine; the rest as in `cost_report`."""
    from autoprune.cost.load import load_machine
    from autoprune.report.front.cost_report import report_cost

    return report_cost(load_machine(machine, imports=imports), workload)


def sensitivity(what: str, machine: str, share: float, *, imports: bool = False) -> Sensitivity:
    """How much a workload's energy, and of a trial the front of its run, hang on each price.

    `share`, such as 0.5, is by how much a price is less and more; the rest as in `cost_report`.
    """
    from autoprune.report.front.sensitivity import read_sensitivity
    from autoprune.runs.named_workload import find_workload

    found = find_workload(what, machine, imports=imports)
    return read_sensitivity(found.model, found.workload, share, found.run)


def check(
    what: str, *, imports: bool = False, watch: Callable[[Verdict], None] = lambda verdict: None
) -> tuple[Correct, ...]:
    """Check what you wrote: a machine, a search space, a study, or a method.

    Args:
        what: a TOML file, the name of something bundled, or a method as ``module:Class``.
        imports: whether classes that a file names may be imported.
        watch: told the verdict on each rule of machines or methods as soon as it is there.

    Raises InputError for what is wrong, and where a rule is broken.
    """
    from autoprune.study.verdicts import check_given

    return check_given(what, watch, imports=imports)


def try_rates(
    study: str | Path | Study,
    *,
    workers: int | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> ChosenRates:
    """The trainings by which a run chooses learning rates, at those of a study and around them.

    `study` and `workers` are as in `run`; `watch` is told how many of how many trainings are done.
    Raises InputError where no rate can be tried.
    """
    from autoprune.sweep.prepare import prepare
    from autoprune.sweep.ray.address import find_address
    from autoprune.sweep.recipe import try_rates

    given = str(study) if isinstance(study, Path) else study
    return try_rates(prepare(given, None, workers, find_address(None, workers)), watch)


def show(what: str, *, imports: bool = False) -> tuple[Shown, ...]:
    """A machine, search space or study with all that its file holds.

    `what` is a TOML file or a name, under which there may be one of each kind; `imports` as in
    `check`.
    """
    from autoprune.study.shown import read_shown

    return read_shown(what, imports=imports)


def shipped() -> Shipped:
    """What is bundled, with titles, and all families of machines."""
    from autoprune.study.shown import read_shipped

    return read_shipped()


def bundled(kind: Folder) -> list[str]:
    """Names of the bundled machines, search spaces or studies, by their folder; nothing is read."""
    from autoprune.config import bundled_names

    return bundled_names(kind)


def doctor(watch: Callable[[Finding], None] = lambda finding: None) -> list[Finding]:
    """What is found out about the installation, in seconds; `watch` is told each as it comes."""
    from autoprune.sweep.doctor import examine

    return examine(watch)


def profile_untrained(  # noqa: PLR0913 - the options of `autoprune profile`
    name: str,
    sizes: Sequence[int],
    *,
    samples: int = 4,
    time_steps: int | None = None,
    time_axis: int | None = None,
    product_sparsity: bool = False,
) -> Workload:
    """Count what the network of ``module:function`` does on noise: `trial.untrained`.

    `autoprune.profile` counts a network and inputs that are at hand.
    """
    from autoprune.trial.untrained import profile_untrained

    return profile_untrained(
        name, sizes, samples, time_steps, time_axis, product_sparsity=product_sparsity
    )


def profile_shown(  # noqa: PLR0913 - the options of `autoprune profile`
    name: str,
    inputs: str | Path,
    *,
    samples: int = 4,
    time_steps: int | None = None,
    time_axis: int | None = None,
    product_sparsity: bool = False,
) -> tuple[Workload, str]:
    """Count what the network of ``module:function`` does on real inputs: `trial.untrained`.

    `inputs` is an .npz with one array, or one called ``inputs``, or the name of a data set, of
    which validation samples are taken; at most `samples` of either. Beside the workload stands what
    has to be said of the inputs, such as bytes that are counted as spikes; empty for nothing.
    """
    from autoprune.data.load import named_inputs
    from autoprune.data.npz import read_inputs
    from autoprune.data.pixels import counted_as_spikes
    from autoprune.data.spec import DATA_SETS
    from autoprune.trial.untrained import profile_shown

    given = str(inputs)
    shown = named_inputs(given, samples) if given in DATA_SETS else read_inputs(Path(given))
    shown = shown[:samples]
    found = profile_shown(name, shown, time_steps, time_axis, product_sparsity=product_sparsity)
    return found, counted_as_spikes(shown)


def profile_graph(  # noqa: PLR0913 - the options of `autoprune profile`
    graph: str | Path,
    inputs: str | Path,
    *,
    time_steps: int | None = None,
    dt: float | None = None,
    machine: str | None = None,
    product_sparsity: bool = False,
    imports: bool = False,
) -> Workload:
    """Count what a graph of NIR does on the inputs in a file: `trial.nir_graph`.

    For a `machine`, its weights are rounded to the machine's bits, and what its rules read is
    counted. Raises InputError where the extra ``autoprune[nir]`` is not installed.
    """
    from autoprune.networks.nir.installed import check_nir

    check_nir("profile")
    from autoprune.cost.load import load_machine
    from autoprune.trial.nir_graph import Counting, profile_graph

    how = Counting(time_steps=time_steps, dt=dt, product_sparsity=product_sparsity)
    if machine is not None:
        model = load_machine(machine, imports=imports)
        tiles = product_sparsity or model.PRODUCT_SPARSITY
        how = replace(how, weight_bits=model.machine.weight_bits, product_sparsity=tiles)
    return profile_graph(Path(graph), Path(inputs), how)
