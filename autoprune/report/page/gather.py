"""Everything that the page of a run shows, as one JSON value; nothing is calculated twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from importlib.metadata import version

from autoprune.compress.registry import settings_at
from autoprune.config import Json
from autoprune.cost.model import CostModel
from autoprune.errors import RecordError
from autoprune.report.front.branches import removals
from autoprune.report.front.compare import compare
from autoprune.report.front.one_shot import one_shot
from autoprune.report.front.run_fronts import RunFronts
from autoprune.report.page.machines import machine_values
from autoprune.report.page.trials import Names, score_values, trial_values
from autoprune.report.plots.figure import MARKS
from autoprune.report.tables.calibration import calibration_lines
from autoprune.report.tables.front_notes import unpriced_lines
from autoprune.report.tables.one_shot import one_shot_lines
from autoprune.runs.columns import TrialColumns
from autoprune.runs.environment import read_environments
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import by_price, on_each, run_machines
from autoprune.runs.outcome import Head
from autoprune.runs.recipe import read_chosen
from autoprune.trial.job import in_one_line
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Seconds


def gather(folder: RunFolder) -> dict[str, Json]:
    """What the page of the run in a folder shows, also while it goes on.

    A machine that cannot price the run's parent, or any trial, is named in ``failed``.

    Raises RecordError where this is no run folder, nothing was measured yet, or a file is damaged.
    """
    record, heads = folder.record, folder.read_heads()
    again, names = folder.read_confirmed(), Names()
    fronts = RunFronts(folder, heads)
    priced, unpriced = by_price(run_machines(folder))
    found, failed = on_each(priced, lambda model: (model, machine_values(fronts, again, model)))
    models, machines = [model for model, _ in found], [values for _, values in found]
    if not machines:
        why = "; ".join([*failed, *unpriced_lines(unpriced)])
        raise RecordError(f"{folder.path}: no machine can price it: {why}")
    read = sorted({key for model in models for key in _read_otherwise(fronts, model)})
    keys = [head.key for head in heads]
    trials = list(trial_values(folder, [*keys, *read], models, names))
    (parent,) = trial_values(folder, [FINE_TUNED], models, names)
    return {
        "title": record.title,
        "data": record.data,
        "run": folder.path.name,
        "version": version("autoprune"),
        "score": next((one.validation.name for h in heads for one in h.scores), "accuracy"),
        "neurons": [{"name": s.name, "words": s.words} for s in settings_at("neuron") if s.words],
        "branches": [str(place) for place, _ in record.shape.branches()],
        "marks": {origin: list(mark) for origin, mark in MARKS.items()},
        "failed": failed,
        "unpriced": list(unpriced_lines(unpriced)),
        "machines": machines,
        "trials": [trial.values for trial in trials],
        "parent": parent.values,
        "names": names.all,
        "search": [*calibration_lines(record.calibration), *one_shot_lines(one_shot(heads))],
        "recipe": _recipe(folder),
        "sensitivity": _sensitivity(folder, heads, models),
        "comparison": _comparison(folder, models),
        "time": _time(heads, {h.key: t.seconds for h, t in zip(heads, trials, strict=False)}),
        "environments": [asdict(one) for one in read_environments(folder.environments)],
    }


def _read_otherwise(fronts: RunFronts, model: CostModel) -> list[TrialKey]:
    """Members of a front that are read after other time steps than they were trained for."""
    return [m.key for m in fronts.members(model) if m.key.after is not None]


def _recipe(folder: RunFolder) -> Json:
    """The rates that were tried, and what was chosen; None where the study has its own."""
    chosen = read_chosen(folder.chosen_rates)
    if chosen is None:
        return None
    return {
        "trainings": chosen.trainings,
        "seconds": chosen.seconds,
        "doubts": chosen.doubts,
        "choices": [
            {
                "of": choice.of,
                "plans": choice.plans,
                "attempts": [
                    {
                        "rate": attempt.rate,
                        "best": attempt == choice.best,
                        "scores": attempt.scores,
                        "together": score_values(attempt.score),
                    }
                    for attempt in choice.attempts
                ],
            }
            for choice in chosen.choices
        ],
    }


def _sensitivity(
    folder: RunFolder, heads: Sequence[Head], models: Sequence[CostModel]
) -> list[Json]:
    found = removals(folder.read_baselines(), models, folder.record.shape)
    return [{**asdict(removal), "saved": dict(removal.saved)} for removal in found]


def _comparison(folder: RunFolder, models: Sequence[CostModel]) -> Json:
    """Where the machines disagree; None of a single machine."""
    if len(models) < 2:
        return None
    trials = TrialColumns(folder)
    found = compare([trials.on(model) for model in models])
    return {
        "shared": [str(key) for key in found.shared],
        "infeasible": {name: [str(key) for key in keys] for name, keys in found.infeasible.items()},
        "apart": {name: [str(key) for key in keys] for name, keys in found.apart.items()},
        "pairs": [
            {
                "machines": list(pair),
                "tau": tau,
                "disagreements": [
                    {**asdict(item), "trial": str(item.trial)} for item in found.disagreements[pair]
                ],
            }
            for pair, tau in found.correlation.items()
        ],
    }


def _time(heads: Sequence[Head], took: Mapping[TrialKey, Seconds | None]) -> Json:
    """Seconds by what they were spent on, what duplicates spared, and why trials failed."""
    ends = [head.ended for head in heads]
    spent: dict[str, float] = {}
    for seconds in filter(None, took.values()):
        for what, lasted in asdict(seconds).items():
            spent[what] = spent.get(what, 0) + lasted
    same = [took.get(end.same_as) for end in ends if end.state == "duplicate" and end.same_as]
    causes = Counter(in_one_line(end.cause) for end in ends if end.state == "failed")
    return {
        "spent": spent,
        "states": dict(Counter(end.state for end in ends)),
        "spared": sum(sum(astuple(seconds)) for seconds in same if seconds),
        "causes": causes.most_common(),
    }
