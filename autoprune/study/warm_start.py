"""Warm start: what another run has found out, for a study of the same network.

A run that differs in nothing but machines, objectives and search has measured the very trials of
this one: they are priced on its machines and never trained again. Where seed, effort or time steps
differ, they are trials of other networks: data for block_response, on no front.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from autoprune.compress.bits import FULL_BITS
from autoprune.compress.configuration import make_plan
from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.compress.space import SearchSpace
from autoprune.errors import InputError
from autoprune.networks.shape import NetworkShape
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.runs.record import Identity
from autoprune.search.warm_start import WarmStart
from autoprune.study.build import Built

_FREE = {
    "budgets",
    "machines",
    "objectives",
    "search",
    "space",
    "storage",
    "threads",
    "warm_start",
}
"""Keys of a run's identity that do not decide what a trial of a given plan measures."""

_OTHER = ("seed", "parent", "finetune", "compression", "compute", "measure", "network.time_steps")
"""Keys that make another network of the same plan, which says something about this one's."""


def read_warm_start(path: Path, built: Built) -> WarmStart:
    """What the run in folder `path` offers a study.

    Raises RecordError where that is no run, and InputError where it is of another network or other
    data, where none of its trials is of use, or where only block_response could use them.
    """
    folder = RunFolder(path)
    record = folder.record
    where, shape, space = f"warm_start: {path}", built.shape, built.space
    differs = [key for key in _differences(record.identity, built.identity) if key not in _FREE]
    foreign = [key for key in differs if key not in _OTHER]
    if foreign or record.shape != shape:
        what = ", ".join(foreign) or "the network's shape"
        raise InputError(where, f"a run of another study: {what} differs", "the same network, data")
    if not set(built.weight_bits) <= {FULL_BITS, *record.weight_bits}:
        differs.append("weight_bits")
    if not set(built.arithmetics) <= set(record.arithmetics):
        differs.append("arithmetic")
    kind: Literal["measured", "data"] = "data" if differs else "measured"
    if kind == "data" and built.search.sampler != "block_response":
        raise InputError(
            where,
            f"a run of other {', '.join(differs)}, with sampler {built.search.sampler!r}",
            "sampler = 'block_response', which alone learns from such trials",
        )
    usable: dict[str, Outcome] = {}
    found = [o for o in folder.read_trials() if o.measurement is not None and not o.cause]
    for outcome in found:
        mine = _in_space(outcome, space, shape, record.effort)
        if mine is not None:
            own = replace(outcome, configuration=tuple(mine.items()))
            usable.setdefault(outcome.plan.hash, own)
    if not usable:
        raise InputError(where, "none of its trials lies in the search space", "the same space")
    same = folder.read_baselines().values() if kind == "measured" else ()
    return WarmStart(
        source=str(path),
        kind=kind,
        differs=tuple(differs),
        trials=tuple(usable.values()),
        baselines=tuple(outcome for outcome in same if outcome.measurement is not None),
        outside=len({outcome.plan.hash for outcome in found} - usable.keys()),
    )


def _differences(recorded: Identity, wanted: Identity) -> Iterator[str]:
    """Keys of a study that differ; of `network`, its own keys."""
    for key in sorted(recorded.keys() & wanted.keys()):
        if key != "network":
            if recorded[key] != wanted[key]:
                yield key
            continue
        one, other = recorded[key], wanted[key]
        assert isinstance(one, Mapping) and isinstance(other, Mapping)  # the table [network]
        yield from (f"{key}.{k}" for k in sorted({*one, *other}) if one.get(k) != other.get(k))


def _in_space(
    outcome: Outcome, space: SearchSpace, shape: NetworkShape, effort: Effort
) -> dict[Parameter, Value] | None:
    """The trial's configuration in this space; None where the space does not have it.

    What the other run's space had and this one has not must have been neutral: the configuration,
    with the other run's `effort` where it names none, has to give the very plan.
    """
    domains = space.parameters(shape)
    try:
        known = {p: value for p, value in outcome.configuration if p in domains}
        mine = space.complete(known, shape, effort)
    except InputError:
        return None
    return mine if make_plan(mine, shape, effort) == outcome.plan else None
