"""Confirm a run: the members of its fronts again, on seeds that the search never saw.

A search takes the best of many noisy results, so that its front is too good by what it had luck
with. What is measured again on fresh seeds is not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace

from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.report.front.confirmed import ConfirmedFront, confirmed_front
from autoprune.report.front.front import MachineFront
from autoprune.report.front.run_fronts import machine_front
from autoprune.report.tables.confirmed import save_confirmed
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer
from autoprune.runs.machines import by_price, on_each, run_machines
from autoprune.runs.outcome import Outcome, Read
from autoprune.search.samplers import derive_seed
from autoprune.study.parent import load_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.study.recorded import recorded_parts
from autoprune.sweep.execute import execute
from autoprune.sweep.stop import Stop
from autoprune.sweep.workers import Hire, Workers
from autoprune.trial.job import Job, Result
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement

_MOST_SEEDS = 1000

Watch = Callable[[int, int], None]
"""Told how many of how many trainings are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What a run's best trials are worth on fresh seeds.

    Attributes:
        fronts: of its machines. seeds: per trial.
        failed: by trial and repetition, the cause; the same command tries them again.
        unpriced: why a machine has no front. interrupted: whether trainings are left.
    """

    fronts: list[ConfirmedFront]
    seeds: int
    failed: dict[TrialKey, str]
    unpriced: list[str]
    interrupted: bool


class _Again:
    """Trials to be carried out again: whatever is measured is on disk before the next begins."""

    def __init__(
        self, jobs: Sequence[tuple[Job, Outcome]], folder: RunFolder, watch: Watch
    ) -> None:
        self._of = {job.key: (job, outcome) for job, outcome in jobs}
        self._ready = deque(self._of)
        self._folder, self._watch, self._done = folder, watch, 0
        self.failed: dict[TrialKey, str] = {}
        watch(0, len(self._of))

    @property
    def finished(self) -> bool:
        return self._done == len(self._of)

    def next(self) -> Job | None:
        return self._of[self._ready.popleft()][0] if self._ready else None

    def finish(self, key: TrialKey, result: Result) -> None:
        job, outcome = self._of[key]
        if isinstance(result, Measurement):
            again = replace(
                outcome,
                key=key,
                seed=job.seed,
                measurement=result,
                charges=(),
                same_as=None,
                read=tuple(
                    Read(time_steps=reading.time_steps, charges=(), broken=())
                    for reading in result.readings
                ),
            )
            self._folder.write(again)
        else:
            self.failed[key] = result.cause
        self._done += 1
        self._watch(self._done, len(self._of))


def confirm(  # noqa: PLR0913 - what is done, and who is told
    folder: RunFolder,
    seeds: int,
    hire: Hire,
    watch: Watch,
    stop: Stop | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Confirmed:
    """Train the members of every machine's front again, `seeds` times each; save it beside each.

    What an earlier call has measured is not measured again. `say` is told how much is to be
    trained, before anything is. After `stop` no more trainings begin.

    Raises RecordError where the run is in use or has no fine-tuned parent, and InputError where
    code may not be imported that it names, see `RunFolder`, and unless there are 1 to 1000 seeds.
    """
    if not 1 <= seeds <= _MOST_SEEDS:
        raise InputError("--seeds", f"given {seeds}", f"1 to {_MOST_SEEDS}")
    parts = recorded_parts(folder)
    hired = Workers.of(parts.compute, hire)
    with sole_writer(folder.path) as hold:
        folder.recover()
        for file in folder.set_aside:
            say(f"Damaged, and set aside: {file}; the run makes it anew when it goes on.")
        trials = {outcome.key: outcome for outcome in folder.read_trials()}
        priced, unpriced = _fronts(folder, list(trials.values()))
        if not priced:
            raise UnknownCost("; ".join(unpriced))
        keys = {row.key for _, front in priced for row in front.rows}
        steps = sorted({key.after for key in keys if key.after is not None})
        jobs = [
            (_job(parts.seed, trials[key], i), trials[key])
            for key in sorted({key.whole for key in keys})
            for i in range(seeds)
        ]
        left = [(job, outcome) for job, outcome in jobs if not folder.file(job.key).is_file()]
        say(_outlook(len(keys), seeds, [outcome for _, outcome in left], hired.count))
        again = _Again(left, folder, watch)
        if left:
            hired.check_here()
            parts.compute.check_device()
            parent = load_parent(parts, folder.parent)
            record = folder.record
            tiles = any(model.PRODUCT_SPARSITY for model in run_machines(folder))
            setup = make_setup(
                parts,
                load_data(parts),
                parent,
                record.weight_bits,
                arithmetics=record.arithmetics,
                product_sparsity=tiles,
            )
            execute(again, replace(setup, readings=tuple(steps)), hired, hold, stop)
        wanted = {job.key for job, _ in jobs}
        found = [outcome for outcome in folder.read_confirmed() if outcome.key in wanted]
        fronts = [confirmed_front(front, found, model) for model, front in priced]
        for front in fronts:
            save_confirmed(front, folder.fronts / front.machine)
        return Confirmed(
            fronts=fronts,
            seeds=seeds,
            failed=again.failed,
            unpriced=unpriced,
            interrupted=not again.finished,
        )


def _outlook(trials: int, seeds: int, left: Sequence[Outcome], workers: int) -> str:
    """What is going to be trained, and how long that takes by what the search took."""
    whole = trials * seeds
    kept = f", {whole - len(left)} of them kept from before" if len(left) < whole else ""
    took = [sum(astuple(o.measurement.seconds)) for o in left if o.measurement]
    minutes = sum(took) / max(1, workers) / 60
    return (
        f"{trials} trials on a front, fresh seeds {seeds}: {whole} networks"
        f"{kept}; {len(left)} to train" + (f", some {minutes:.2g} minutes." if left else ".")
    )


def _fronts(
    folder: RunFolder, trials: Sequence[Outcome]
) -> tuple[list[tuple[CostModel, MachineFront]], list[str]]:
    """The fronts as the search left them, and why a machine has none."""
    baselines, shape, data = folder.read_baselines(), folder.record.shape, folder.record.data
    return on_each(
        by_price(run_machines(folder))[0],
        lambda model: (model, machine_front(trials, baselines, model, shape, data)),
    )


def _job(seed: int, outcome: Outcome, repetition: int) -> Job:
    key = outcome.key.again(repetition)
    fresh = derive_seed(seed, f"confirm {outcome.key} {repetition}")
    return Job(key=key, plan=outcome.plan, seed=fresh, weights=None, test=True)
