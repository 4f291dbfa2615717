"""Learning rates chosen by trainings: at the start of a run, or to check those of a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from autoprune.compress.configuration import make_plan
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import Hold, sole_writer
from autoprune.runs.recipe import ChosenRates, write_chosen
from autoprune.search.recipe.doubt import doubt
from autoprune.search.recipe.jobs import RecipeJobs
from autoprune.search.recipe.plans import thinned
from autoprune.search.recipe.task import RecipeTask
from autoprune.study.build import Built
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.study.recipe import recipe_task
from autoprune.sweep.execute import execute
from autoprune.sweep.finished import Finished
from autoprune.sweep.prepare import Prepared
from autoprune.sweep.stop import Stop
from autoprune.sweep.workers import Hire, Workers
from autoprune.trial.key import FINE_TUNED
from autoprune.trial.setup import Setup

Watch = Callable[[int, int], None]
"""Told how many of how many trainings are done; more may follow."""


def choose(  # noqa: PLR0913 - as `execute`, and what is chosen for
    task: RecipeTask,
    folder: RunFolder,
    setup: Setup,
    workers: Workers,
    hold: Hold,
    stop: Stop | None,
    watch: Watch,
) -> ChosenRates | None:
    """Choose learning rates, and put them into the folder; None where it was stopped before.

    Raises what `execute` and `RecipeJobs` raise.
    """
    jobs = RecipeJobs(task, folder, watch)
    execute(jobs, setup, workers, hold, stop)
    if jobs.chosen is not None:
        write_chosen(jobs.chosen, folder.chosen_rates)
    return jobs.chosen


def rate_doubts(built: Built, finished: Finished) -> list[str]:
    """What the uniform sweep of a finished run says against the learning rate of its study."""
    parent, tuned = built.parts.parent, finished.baselines.get(FINE_TUNED)
    medium = thinned(built.space, built.shape, built.effort)[:1]
    swept = [t.key for t in finished.trials if t.origin == "uniform" and t.score is not None]
    if parent is None or tuned is None or not medium or not swept:
        return []
    plan = make_plan(medium[0], built.shape, built.effort)
    outcomes = map(finished.folder.read, swept)
    reached = next((o.ended.score for o in outcomes if o.plan == plan), None)
    lost = None if reached is None else (tuned.ended.score or 0.0) - reached
    words = plan.short(built.shape)
    return (
        [] if lost is None else doubt(built.effort.learning_rate, parent.learning_rate, lost, words)
    )


def try_rates(prepared: Prepared, watch: Watch) -> ChosenRates:
    """What trainings say of a study's own learning rates, and of those around them.

    The parent is trained where it is not cached; nothing else is kept. Raises InputError where no
    rate can be tried, see `autoprune.study.recipe.recipe_task`, or the data are not there.
    """
    built, parts = prepared.built, prepared.built.parts
    task = recipe_task(built)
    parts.compute.check_device()
    data = load_data(parts)
    setup = make_setup(parts, data, find_parent(parts, data), built.weight_bits)
    workers = Workers.of(parts.compute, Hire(address=prepared.address))
    with TemporaryDirectory(prefix="autoprune-") as scratch, sole_writer(Path(scratch)) as hold:
        found = choose(task, RunFolder(Path(scratch)), setup, workers, hold, None, watch)
    if found is None:
        raise KeyboardInterrupt
    return found
