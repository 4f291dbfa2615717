"""OpenedRun: a recorded run, and everything that is asked of one."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autoprune.files import user_path
from autoprune.trial.key import TrialKey

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from autoprune.cost.cost import Cost
    from autoprune.cost.machine import Machine
    from autoprune.cost.model import CostModel
    from autoprune.deploy.export import Exported
    from autoprune.deploy.measure import Conditions
    from autoprune.report.frames import Selection
    from autoprune.report.front.answer import Answer
    from autoprune.report.front.compare import Comparison
    from autoprune.report.front.front import MachineFront
    from autoprune.report.front.fronts import Fronts
    from autoprune.report.front.pick import Pick
    from autoprune.report.front.trial import ExplainedTrial
    from autoprune.runs.folder import RunFolder
    from autoprune.runs.measured import MeasuredOn
    from autoprune.sweep.confirm import Confirmed, Watch
    from autoprune.sweep.status import Status
    from autoprune.sweep.stop import Stop
    from autoprune.workload.workload import Workload


@final
class OpenedRun:
    """A recorded run.

    Where a method takes machines, each is a name of the run's, of a bundled machine, a TOML file,
    or a `Machine`, and all those of the run are meant where none is given. It raises InputError
    where there is no such machine.

    Args:
        path: its folder.
        imports: see `autoprune.api.open_run`; without it what needs such a class raises InputError.

    Attributes:
        folder: its files.

    Raises RecordError where this is no run folder, or one of another version.
    """

    def __init__(self, path: str | Path, *, imports: bool = False) -> None:
        from autoprune.runs.folder import RunFolder

        self.folder: RunFolder = RunFolder.opened(user_path(str(path), "RUN"), imports=imports)

    def __repr__(self) -> str:
        """As it is opened."""
        return f"autoprune.open_run({str(self.folder.path)!r})"

    def _repr_html_(self) -> str:
        """In a notebook: the answer, a row per machine; the line where there is no front yet."""
        from autoprune.errors import AutopruneError
        from autoprune.report.html import answers_html

        try:
            return answers_html(self.folder.record.title, self.answers())
        except AutopruneError as error:
            return f"<code>{escape(repr(self))}</code>: {escape(str(error))}"

    def answers(self, *machines: str | Machine) -> list[Answer]:
        """The network to take for each machine where nobody says more, as a run ends with.

        Raises what `fronts` raises.
        """
        from autoprune.report.front.answer import answer

        return [answer(front) for front in self.fronts(*machines).fronts]

    def models(self, *machines: str | Machine) -> list[CostModel]:
        """The cost models of machines."""
        from autoprune.runs.machines import find_machine, run_machines

        return [find_machine(self.folder, name) for name in machines] or run_machines(self.folder)

    def _priced(self, machines: tuple[str | Machine, ...]) -> list[CostModel]:
        """Those that are named; else those of the run that have a price, where any has."""
        from autoprune.runs.machines import by_price

        models = self.models(*machines)
        return models if machines else by_price(models)[0] or models

    @property
    def unpriced(self) -> list[str]:
        """Names of the machines of the run that have no published price, and so no front."""
        from autoprune.runs.machines import by_price

        return by_price(self.models())[1]

    @property
    def machines(self) -> list[str]:
        """Names of the machines of the run."""
        return [model.machine.name for model in self.models()]

    def machine_front(self, machine: str | Machine) -> MachineFront:
        """The front of a machine with all that is said about it.

        Raises RecordError without a fine-tuned parent, UnknownCost where the machine cannot run
        that.
        """
        from autoprune.report.front.run_fronts import RunFronts

        (model,) = self.models(machine)
        return RunFronts(self.folder, self.folder.read_heads()).of(model)

    def fronts(self, *machines: str | Machine) -> Fronts:
        """The fronts of machines, what removals and measurements say beside them, and who has none.

        Of the run's machines, where none is named, those that are not `unpriced`. Raises
        UnknownCost where none has one, and RecordError without a fine-tuned parent.
        """
        from autoprune.report.front.fronts import read_fronts

        return read_fronts(self.folder, self._priced(machines))

    def front(self, machine: str | Machine) -> pd.DataFrame:
        """The front of a machine, by ascending energy; see `report.frames.front_frame`."""
        from autoprune.report.frames import front_frame

        return front_frame(self.machine_front(machine))

    @property
    def measured(self) -> list[MeasuredOn]:
        """What `autoprune measure` found on the computers at hand."""
        from autoprune.runs.measured import read_all

        return read_all(self.folder.path)

    def trials(self, *machines: str | Machine, wanted: Selection | None = None) -> pd.DataFrame:
        """All trials, or those that are `wanted`; see `autoprune.report.frames.trials_frame`.

        Raises InputError where `wanted` names a machine or a column that is not there.
        """
        from autoprune.report.frames import select, trials_frame

        folder = self.folder
        named = {model.machine.name: model for model in self.models(*machines)}
        frame = trials_frame(folder.read_heads(), named, folder.record.shape, folder.read)
        return frame if wanted is None or frame.empty else select(frame, wanted)

    def trial(self, trial: int | str) -> ExplainedTrial:
        """One trial explained: a number, or a baseline's name.

        Raises RecordError where there is no such trial.
        """
        from autoprune.report.front.trial import explain_trial

        outcome, gain = self.folder.read(TrialKey.parse(str(trial))), None
        if outcome.origin == "sampled":  # only a sampler expects anything
            from autoprune.search.proposals import read_proposals

            proposal = (read_proposals(self.folder) or {}).get(outcome.key)
            gain = proposal.gain if proposal else None
        return explain_trial(self.folder, outcome, gain)

    def workload(self, trial: int | str, weight_bits: int | None = None) -> Workload:
        """What one inference of a trial does, in exact counts.

        The network is as it is, or as a machine with weights of `weight_bits` bits has it. Raises
        RecordError where there is no such trial, or nothing was measured.
        """
        return self.folder.read_workload(TrialKey.parse(str(trial)), weight_bits)

    def price(self, trial: int | str, machine: str | Machine) -> Cost:
        """What one inference of a trial costs, term by term; see `autoprune.api.cost_report`."""
        (model,) = self.models(machine)
        key = TrialKey.parse(str(trial))
        return model.price(self.folder.read_workload(key, *model.machine.precision))

    def pick(
        self,
        machine: str | Machine,
        *,
        max_energy_uj: float | None = None,
        min_accuracy: float | None = None,
        max_parameters: int | None = None,
        knee: bool = False,
    ) -> Pick:
        """The one trial to take for a machine, and why; see `autoprune.report.front.pick`."""
        from autoprune.cost.limits import fit_words
        from autoprune.report.front.pick import Limits, pick
        from autoprune.report.front.trial import export_command

        limits = Limits(
            max_energy_uj=max_energy_uj, min_accuracy=min_accuracy, max_parameters=max_parameters
        )
        found = pick(self.machine_front(machine), limits, at_knee=knee)
        if found.row is None:
            return found
        return replace(
            found,
            fits=fit_words(self.price(str(found.row.key), machine).misfits),
            export=export_command(self.folder.path, found.row.key),
        )

    def compare(self, *machines: str | Machine) -> Comparison:
        """The same trials on two or more machines, and why some cannot price them.

        Of the run's machines, where none is named, those that are not `unpriced`. Raises
        UnknownCost unless two can.
        """
        from autoprune.report.front.compare import read_comparison

        return read_comparison(self.folder, self._priced(machines))

    def figure(self, machine: str | Machine) -> Any:
        """The front of a machine and all trials as a plotly figure."""
        from autoprune.report.plots.figure import front_figure

        return front_figure(self.machine_front(machine))

    def report(self, out: Path | None = None) -> Path:
        """One page with everything about the run, written to a file; returns that file.

        It is report.html in the run's folder where `out` is left out.
        """
        from autoprune.files import write_text
        from autoprune.report.page.gather import gather
        from autoprune.report.page.page import render

        file = out or self.folder.path / "report.html"
        write_text(file, render(gather(self.folder)))
        return file

    def status(self) -> Status:
        """How far the run is, also while it goes on; no lock is taken."""
        from autoprune.sweep.status import read_status

        return read_status(self.folder)

    def confirm(  # noqa: PLR0913 - the options of `autoprune confirm`
        self,
        seeds: int = 3,
        workers: int | None = None,
        *,
        address: str | None = None,
        watch: Watch | None = None,
        stop: Stop | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> Confirmed:
        """The best trials again on fresh seeds, saved beside each front.

        Args:
            seeds: fresh ones per trial.
            workers: trainings at a time, 0 for this process; the study's where it is left out.
            address: HOST:PORT of a Ray cluster; RAY_ADDRESS, else a Ray of its own.
            watch: told how many of how many trainings are done; where it is left out, the cell of a
                notebook shows that.
            stop: when no more trainings begin.
            say: told before that how many networks are to be trained.
        """
        from autoprune.sweep.confirm import confirm
        from autoprune.sweep.notebook import usual_count
        from autoprune.sweep.ray.address import find_address
        from autoprune.sweep.workers import Hire

        hire = Hire(count=workers, address=find_address(address, workers))
        with usual_count("networks trained") if watch is None else nullcontext(watch) as told:
            return confirm(self.folder, seeds, hire, told, stop, say)

    def export(  # noqa: PLR0913 - the options of `autoprune export`
        self,
        trial: int | str,
        out: Path,
        *,
        folded: bool = False,
        onnx: bool = False,
        nir: bool = False,
        nir_extension: bool = False,
        say: Callable[[str], None] = lambda line: None,
    ) -> Exported:
        """A network of the run as a folder that loads alone; see `deploy.export.export`."""
        from autoprune.deploy.export import export
        from autoprune.deploy.write import Wanted

        key = TrialKey.parse(str(trial))
        wanted = Wanted(folded=folded, onnx=onnx, nir=nir, nir_extension=nir_extension)
        return export(self.folder, key, out, wanted, say)

    def measure(
        self,
        conditions: Conditions | None = None,
        *,
        say: Callable[[str], None] = lambda line: None,
        progress: Watch = lambda done, total: None,
    ) -> tuple[MeasuredOn, Path]:
        """The networks timed on the computer at hand, and where that is; see `deploy.measure`."""
        from autoprune.deploy.measure import Conditions, measure

        return measure(self.folder, conditions or Conditions(), say=say, progress=progress)

    def clean(self, *, dry_run: bool = False) -> list[tuple[str, int]]:
        """What no front needs, removed from the run; see `autoprune.sweep.clean.clean`."""
        from autoprune.sweep.clean import clean

        return clean(self.folder, dry_run=dry_run)
