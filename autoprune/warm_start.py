"""Warm start: what another run has found out, for a study of the same network.

A run that differs in nothing but machines, objectives and search has measured the very trials of
this one: they are priced on its machines and never trained again. Where seed, effort or time steps
differ, they are trials of other networks: data for block_response, on no front.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from autoprune.errors import InputError
from autoprune.identity import MAY_CHANGE
from autoprune.measurement import Measurement
from autoprune.outcome import Outcome
from autoprune.plan import FULL_BITS, Effort
from autoprune.point import Value, make_plan
from autoprune.run_folder import RunFolder
from autoprune.shape import NetworkShape
from autoprune.spec.space import SearchSpace
from autoprune.spec.study import Study
from autoprune.storage import write_text

_FREE = {
    "budgets",
    "machines",
    "objectives",
    "search",
    "space",
    "storage",
    "threads",
    "warm_start",
    "weight_bits",
}
"""Keys of a run's identity that do not decide what a trial of a given plan measures."""

_OTHER = ("seed", "parent", "finetune", "compression", "compute", "measure", "network.time_steps")
"""Keys that make another network of the same plan, which says something about this one's."""


_HEAD = "warm_start.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """Trials of another run.

    Attributes:
        source: its folder.
        kind: ``measured`` where its trials are those of this study; ``data`` where they are of
            other networks.
        differs: keys that make them others.
        trials: with points of this study's space; those with a measurement, each plan once.
        baselines: where they are those of this study.
        outside: how many lie outside the space.
    """

    source: str
    kind: Literal["measured", "data"]
    differs: tuple[str, ...]
    trials: tuple[Outcome, ...]
    baselines: tuple[Outcome, ...]
    outside: int

    @property
    def measured(self) -> dict[str, Measurement]:
        """What need not be trained, by the hash of its plan."""
        if self.kind == "data":
            return {}
        found = (*self.trials, *self.baselines)
        return {o.plan.hash: o.measurement for o in found if o.measurement is not None}

    def __str__(self) -> str:
        found = f"Warm start: {len(self.trials)} trials of {self.source}"
        if self.kind == "measured":
            found += ", priced on the machines of this study; none is trained again."
        else:
            found += f" as data for block_response, on no front: other {', '.join(self.differs)}."
        return found + (f" {self.outside} lie outside the search space." if self.outside else "")


def read_warm_start(
    path: Path, study: Study, space: SearchSpace, shape: NetworkShape, bits: Sequence[int]
) -> WarmStart:
    """What the run in folder `path` offers a study that is measured at these `bits`.

    Raises RecordError where that is no run, and InputError where it is of another network or other
    data, where none of its trials is of use, or where only block_response could use them.
    """
    folder = RunFolder(path)
    recorded = folder.read_study()["identity"]
    where, wanted = f"warm_start: {path}", study.model_dump(exclude=MAY_CHANGE, mode="json")
    differs = [key for key in _differences(recorded, wanted) if key not in _FREE]
    foreign = [key for key in differs if key not in _OTHER]
    if foreign or folder.shape.blocks != shape.blocks:
        what = ", ".join(foreign) or "the network's shape"
        raise InputError(where, f"a run of another study: {what} differs", "the same network, data")
    if not {min(b, FULL_BITS) for b in bits} <= {FULL_BITS, *recorded["weight_bits"]}:
        differs.append("weight_bits")
    kind: Literal["measured", "data"] = "data" if differs else "measured"
    if kind == "data" and study.search.sampler != "block_response":
        raise InputError(
            where,
            f"a run of other {', '.join(differs)}, with sampler {study.search.sampler!r}",
            "sampler = 'block_response', which alone learns from such trials",
        )
    time_steps, epochs = recorded["network"]["time_steps"], recorded["finetune"]["epochs"]
    rate = recorded["finetune"]["learning_rate"]
    effort = Effort(time_steps=time_steps, learning_rate=rate, epochs=epochs)
    usable: dict[str, Outcome] = {}
    found = [o for o in folder.read_trials() if o.measurement is not None and not o.cause]
    for outcome in found:
        point = _point(outcome, space, shape, effort)
        if point is not None:
            usable.setdefault(outcome.plan.hash, replace(outcome, point=tuple(point.items())))
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


def _differences(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Keys of a study that differ; of `network`, its own keys."""
    for key in sorted(recorded.keys() & wanted.keys()):
        if key != "network":
            if recorded[key] != wanted[key]:
                yield key
            continue
        inner = sorted({*recorded[key], *wanted[key]})
        yield from (f"{key}.{k}" for k in inner if recorded[key].get(k) != wanted[key].get(k))


def _point(
    outcome: Outcome, space: SearchSpace, shape: NetworkShape, effort: Effort
) -> dict[str, Value] | None:
    """The trial's configuration in this space; None where the space does not have it.

    What the other run's space had and this one has not must have been neutral: the configuration,
    with the other run's `effort` where it names none, has to give the very plan.
    """
    domains = space.parameters(shape)
    try:
        known = {name: value for name, value in outcome.point if name in domains}
        point = space.complete(known, shape, effort)
    except InputError:
        return None
    return point if make_plan(point, shape, effort) == outcome.plan else None


def keep(warm: WarmStart, place: Path) -> None:
    """Copy what a run begins with into a folder of its own: the other run may change or vanish."""
    folder = RunFolder(place)
    for outcome in (*warm.trials, *warm.baselines):
        folder.write(outcome)
    head = {"source": warm.source, "kind": warm.kind, "differs": warm.differs}
    write_text(place / _HEAD, json.dumps({**head, "outside": warm.outside}, indent=1))


def kept(place: Path) -> WarmStart | None:
    """What `keep` has written; None where it has not, or not to the end."""
    if not (place / _HEAD).is_file():
        return None
    head = json.loads((place / _HEAD).read_text(encoding="utf-8"))
    folder = RunFolder(place)
    return WarmStart(
        source=head["source"],
        kind=head["kind"],
        differs=tuple(head["differs"]),
        trials=tuple(folder.read_trials()),
        baselines=tuple(folder.read_baselines().values()),
        outside=head["outside"],
    )
