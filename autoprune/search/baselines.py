"""Baselines: what every search is compared with, and what shows if there is anything to search.

The parent; the parent after the standard fine-tuning, the fair comparison; and, fine-tuned alike,
the network without each branch, each block, and all blocks, as far as they can be removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autoprune.compress.configuration import make_plan
from autoprune.compress.domain import Domain
from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.compress.registry import settings_at
from autoprune.compress.setting import Value
from autoprune.compress.space import SearchSpace
from autoprune.compress.uniform import uniform_sweep
from autoprune.networks.place import HEAD, STEM, Kind, Place
from autoprune.networks.shape import NetworkShape
from autoprune.runs.outcome import Origin, Outcome
from autoprune.search.task import Task
from autoprune.trial.key import FINE_TUNED, NO_BLOCKS, PARENT, TrialKey


def baseline_configurations(shape: NetworkShape) -> dict[TrialKey, dict[Parameter, Value]]:
    """The configurations of all baselines but the parent, by key, without neutral values."""
    found: dict[TrialKey, dict[Parameter, Value]] = {FINE_TUNED: {}}
    [removing, *_] = (s for s in settings_at("branch") if s.removes is not None)
    nothing = removing.removes
    assert nothing is not None
    whole: dict[Parameter, Value] = {}
    for place, branch in shape.branches():
        gone: dict[Parameter, Value] = {Parameter(place, removing.name): nothing}
        whole |= gone
        if not branch.fixed:
            found[TrialKey.without(place)] = gone
    removable = [not any(branch.fixed for branch in block.branches) for block in shape.blocks]
    for index, block in enumerate(shape.blocks):
        if removable[index] and len(block.branches) > 1 and len(shape.blocks) > 1:
            found[TrialKey.without(Place(index))] = {
                parameter: nothing for parameter in whole if parameter.place.block == index
            }
    if all(removable):
        found[NO_BLOCKS] = whole
    return found


def baseline_plans(shape: NetworkShape, effort: Effort) -> dict[TrialKey, Plan]:
    """The plans of all baselines by key, the parent first."""
    plans: dict[TrialKey, Plan] = {PARENT: make_plan({}, shape, replace(effort, epochs=0))}
    for key, configuration in baseline_configurations(shape).items():
        plans[key] = make_plan(configuration, shape, effort)
    return plans


def first_configurations(
    space: SearchSpace, shape: NetworkShape, effort: Effort
) -> list[tuple[Origin, dict[Parameter, Value]]]:
    """The configurations that come before the sampler's: baselines and uniform sweep.

    A baseline that the space offers is a trial, too, so that it can be on a front and the sampler
    learns from it; its measurement is already there. A space in which all weights are rounded
    offers none.
    """
    domains = space.parameters(shape)
    first: list[tuple[Origin, dict[Parameter, Value]]] = []
    for gone in baseline_configurations(shape).values():
        if all(value in _offered(domains, parameter) for parameter, value in gone.items()):
            whole = space.complete(gone, shape, effort)
            if make_plan(whole, shape, effort) == make_plan(gone, shape, effort):
                first.append(("baseline", whole))
    return first + [("uniform", same) for same in uniform_sweep(space, shape, effort)]


def fixed_configurations(task: Task) -> list[tuple[Origin, dict[Parameter, Value]]]:
    """What comes before the sampler's proposals, another run's trials at last."""
    first = first_configurations(task.space, task.shape, task.effort)
    known = {make_plan(given, task.shape, task.effort).hash for _, given in first}
    if task.warm is not None and task.warm.kind == "measured":
        new = [outcome for outcome in task.warm.trials if outcome.plan.hash not in known]
        first += [("warm", dict(outcome.configuration)) for outcome in new]
    return first


def _offered(domains: Mapping[Parameter, Domain], parameter: Parameter) -> tuple[Value, ...]:
    return domains[parameter].all if parameter in domains else ()


def warnings(baselines: Mapping[TrialKey, Outcome], uniform: Mapping[str, Outcome]) -> list[str]:
    """What is wrong with a study whose baselines or uniform sweep look like this, in words.

    Args:
        baselines: by key.
        uniform: by a name for people, those of one setting alone at the value that it `tells` by.
    """
    parent, tuned, none_left = (
        _accuracy(baselines.get(key)) for key in (PARENT, FINE_TUNED, NO_BLOCKS)
    )
    found: list[str] = []
    if tuned is None:
        return found
    if parent is not None and abs(parent - tuned) > 0.01:
        found.append(
            f"Fine-tuning moves the uncompressed network by {100 * (tuned - parent):+.1f}"
            " points; more than 1 says that its recipe does not fit the parent."
        )
    if none_left is not None and tuned - none_left < 0.10:
        found.append(
            f"All blocks together carry {100 * (tuned - none_left):.1f} points; below 10 "
            "there is nothing to search."
        )
    for name, outcome in uniform.items():
        reached = _accuracy(outcome)
        if reached is not None and tuned - reached < 0.05:
            found.append(
                f"{name} costs {100 * (tuned - reached):.1f} points; below 5 there is "
                "nothing to search."
            )
    return found


def harsh_uniform(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    """The first uniform trial of each method at a value that has to tell, nothing else of blocks.

    Time steps, bits and neurons are what the sweep has dealt to it.
    """
    of_blocks: tuple[Kind, ...] = ("branch", "block")
    found: dict[str, Outcome] = {}
    compress = {s.name: s for kind in of_blocks for s in settings_at(kind)}
    neutral = {name: setting.neutral for name, setting in compress.items()}
    for setting in compress.values():
        if setting.tells is None:
            continue
        harsh = neutral | {setting.name: setting.tells}
        for outcome in outcomes:
            inside = [(p, v) for p, v in outcome.configuration if p.place not in (STEM, HEAD)]
            settings = {(p.setting, v) for p, v in inside if p.setting in harsh}
            if outcome.origin == "uniform" and harsh.items() >= settings:
                name = f"Uniform {setting.title} at {100 * setting.tells:g} %"
                found.setdefault(name, outcome)
    return found


def _accuracy(outcome: Outcome | None) -> float | None:
    """On validation data; None where there is none."""
    found = outcome.measurement if outcome is not None else None
    return None if found is None else found.validation.accuracy
