"""Baselines: what every search is compared with, and what shows if there is anything to search.

The parent; the parent after the standard fine-tuning, the fair comparison; and, fine-tuned alike,
the network without each branch, each block, and all blocks, as far as they can be removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autoprune.compress.configuration import Value, make_plan
from autoprune.compress.domain import Domain
from autoprune.compress.plan import Effort, Plan
from autoprune.compress.space import SearchSpace
from autoprune.networks.shape import NetworkShape
from autoprune.runs.outcome import FINE_TUNED, NO_BLOCKS, PARENT, Origin, Outcome


def baseline_points(shape: NetworkShape) -> dict[str, dict[str, Value]]:
    """The configurations of all baselines but the parent, by key, without neutral values."""
    points: dict[str, dict[str, Value]] = {FINE_TUNED: {}}
    for index, branch in shape.branches():
        if not branch.fixed:
            name = f"blocks.{index}.{branch.name}"
            points[f"without {name}"] = {f"{name}.dsp": 0.0}
    whole: dict[str, Value] = {}
    removable = [not any(branch.fixed for branch in block.branches) for block in shape.blocks]
    for index, block in enumerate(shape.blocks):
        gone: dict[str, Value] = {f"blocks.{index}.{b.name}.dsp": 0.0 for b in block.branches}
        whole |= gone
        if removable[index] and len(block.branches) > 1 and len(shape.blocks) > 1:
            points[f"without blocks.{index}"] = gone
    if all(removable):
        points[NO_BLOCKS] = whole
    return points


def baseline_plans(shape: NetworkShape, effort: Effort) -> dict[str, Plan]:
    """The plans of all baselines by key, the parent first."""
    plans: dict[str, Plan] = {PARENT: make_plan({}, shape, replace(effort, epochs=0))}
    for key, point in baseline_points(shape).items():
        plans[key] = make_plan(point, shape, effort)
    return plans


def first_points(
    space: SearchSpace, shape: NetworkShape, effort: Effort
) -> list[tuple[Origin, dict[str, Value]]]:
    """The configurations that come before the sampler's: baselines, uniform sweep, probes.

    A baseline that the space offers is a trial, too, so that it can be on a front and the sampler
    learns from it; its measurement is already there. A space in which all weights are rounded
    offers none.
    """
    domains = space.parameters(shape)
    first: list[tuple[Origin, dict[str, Value]]] = []
    for point in baseline_points(shape).values():
        if all(name in domains and value in domains[name].all for name, value in point.items()):
            whole = space.complete(point, shape, effort)
            if make_plan(whole, shape, effort) == make_plan(point, shape, effort):
                first.append(("baseline", whole))
    first += [("uniform", point) for point in space.uniform_points(shape, effort)]
    return first + [("probe", space.complete(p, shape, effort)) for p in probes(space, shape)]


def probes(space: SearchSpace, shape: NetworkShape) -> list[dict[str, Value]]:
    """Two configurations per branch of which the space searches something, nothing else changed.

    Gentle: L1P in the middle of what is offered, or, where the branch has none of its own, DSP.
    Harsh: the most of L1P together with the least that DSP keeps without removing the branch; that
    is a baseline.
    """
    domains, found = space.parameters(shape), []
    for index, branch in shape.branches():
        name = f"blocks.{index}.{branch.name}"
        l1p = [v for v in _offered(domains, f"{name}.l1p") if v != 0]
        dsp = [v for v in _offered(domains, f"{name}.dsp") if v not in (0, 1)]
        gentle: dict[str, Value] = {}
        if l1p:
            gentle[f"{name}.l1p"] = l1p[(len(l1p) - 1) // 2]
        elif dsp:
            gentle[f"{name}.dsp"] = dsp[len(dsp) // 2]
        harsh: dict[str, Value] = {}
        if l1p:
            harsh[f"{name}.l1p"] = l1p[-1]
        if dsp:
            harsh[f"{name}.dsp"] = dsp[0]
        found += [point for point in (gentle, harsh) if point]
    return found


def _offered(domains: Mapping[str, Domain], name: str) -> tuple[Value, ...]:
    return domains[name].all if name in domains else ()


def warnings(baselines: Mapping[str, Outcome], uniform: Mapping[str, Outcome]) -> list[str]:
    """What is wrong with a study whose baselines or uniform sweep look like this, in words.

    Args:
        baselines: by key.
        uniform: by a name for people, those that only L1P at 95 % made.
    """
    accuracy = {
        key: outcome.measurement.validation.accuracy
        for key, outcome in {**baselines, **uniform}.items()
        if outcome.measurement is not None
    }
    found: list[str] = []
    tuned = accuracy.get(FINE_TUNED)
    if tuned is None:
        return found
    if PARENT in accuracy and abs(accuracy[PARENT] - tuned) > 0.01:
        found.append(
            f"Fine-tuning moves the uncompressed network by {100 * (tuned - accuracy[PARENT]):+.1f}"
            " points; more than 1 says that its recipe does not fit the parent."
        )
    if NO_BLOCKS in accuracy and tuned - accuracy[NO_BLOCKS] < 0.10:
        found.append(
            f"All blocks together carry {100 * (tuned - accuracy[NO_BLOCKS]):.1f} points; below 10 "
            "there is nothing to search."
        )
    for name in uniform:
        if name in accuracy and tuned - accuracy[name] < 0.05:
            found.append(
                f"{name} costs {100 * (tuned - accuracy[name]):.1f} points; below 5 there is "
                "nothing to search."
            )
    return found
