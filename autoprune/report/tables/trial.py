"""One trial explained, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from autoprune.cost.cost import NO_PRICE
from autoprune.report.front.trial import ExplainedTrial, OnMachine
from autoprune.report.units import energy_words
from autoprune.runs.budget import parse_budget

VERBATIM = ("Cause:", "Export: ")
"""How lines begin that are never broken: a cause as it was raised, a command to be copied."""


def trial_lines(found: ExplainedTrial) -> Iterator[str]:
    """Everything that is known of it."""
    row, gain = found.row, found.expected_gain
    same = f" of {row.same_as}, not trained again" if row.same_as else ""
    yield f"Trial {row.key}: {row.state}{same}"
    said = f", expected gain of hypervolume {gain:.3g}" if gain is not None else ""
    yield f"Proposed by: {row.origin}{said}; seed {found.seed}"
    yield f"Plan: {row.plan}"
    for branch, words in found.branches:
        yield f"  {branch}: {words}"
    for own, part, score in found.scores:
        low, high = (100 * end for end in score.interval)
        name = f"{part} {score.name}, {own.words}"
        yield f"{name}: {100 * score.accuracy:.1f} % [{low:.1f} {high:.1f}]"
    if row.parameters is not None and row.kept_weights is not None:
        kept = f"{100 * row.kept_weights:.1f} % of block weights kept"
        yield f"{row.parameters} nonzero parameters; {kept}"
    for machine in found.machines:
        yield from _machine(machine)
    if found.seconds:
        parts = asdict(found.seconds).items()
        yield f"Time: {', '.join(f'{name} {value:.1f} s' for name, value in parts)}"
    for budget, excess in row.broken:
        yield f"Breaks {budget} by {parse_budget(budget, 'budget').words(excess)}"
    if row.cause:
        yield f"Cause:\n{row.cause}"
    if found.export:
        yield f"Export: {found.export}"


def _machine(on: OnMachine) -> Iterator[str]:
    if on.missing == NO_PRICE.action and on.memory_kib is not None:
        yield (
            f"{on.machine}: {on.missing}; measured at {_numbers(on)}, {on.memory_kib:.4g} KiB of "
            "weights and membranes"
        )
        yield from _fits(on)
        return
    if on.energy_uj is None:
        yield f"{on.machine}: cannot run it: {on.missing}"
        return
    ratio = on.energy_ratio
    compared = f", {ratio:.3f} of the fine-tuned parent" if ratio is not None else ""
    latency = f", {on.latency_us:.4g} µs" if on.latency_us is not None else ""
    yield f"{on.machine}: {energy_words(on.energy_uj, 4)} at {_numbers(on)}{compared}{latency}"
    if on.expected is not None:
        yield (
            f"  worth {100 * on.expected:.1f} % by all trials; the chance that it is on the true "
            f"front: {on.chance:.2f}"
        )
    if on.on_front:
        yield "  on the front"
    elif on.dominated_by:
        yield f"  dominated by {', '.join(map(str, on.dominated_by))}"
    else:
        yield "  not a candidate for the front, and no trial there dominates it"
    yield from _fits(on)
    whole = sum(on.energy_pj_by_cause.values())
    for cause, energy in on.energy_pj_by_cause.items():
        if energy:
            yield f"  {100 * energy / whole:5.1f} %  {cause}"


def _numbers(on: OnMachine) -> str:
    """In which numbers it was measured."""
    return f"{on.bits} bits" + (", in its integers" if on.in_integers else "")


def _fits(on: OnMachine) -> Iterator[str]:
    """What its integers do not hold, what a host does, and what does not fit."""
    if on.not_held:
        yield f"  not in its integers: {on.not_held}"
    if on.host_share:
        yield f"  {100 * on.host_share:.1f} % of its dense MACs are a host's"
    if on.fits not in (None, "yes"):
        yield f"  does not fit: {on.fits}"
