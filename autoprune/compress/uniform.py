"""Uniform sweep: the same setting everywhere, which a search is compared with.

Every combination of what a space lists in ``[uniform]``, in the order of the lists. Whatever else
it searches of the network and of neurons, such as time steps, is dealt out over these combinations,
so that the sweep takes no more trainings. Of each such setting the value that changes nothing, the
study's T for one, comes first, then the others in turn: the value that stood least often in this
third of the combinations; of those, least often at all; of those, least often beside what else is
set here. So with three combinations for each of its values, every value stands in each third. Of
more values than combinations as many are taken, evenly spread.

A setting of branches and blocks that is not listed stays neutral, and so do stem and head.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Sequence

from autoprune.compress.domain import Domain
from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.compress.space import SearchSpace
from autoprune.networks.place import HEAD, STEM, Kind
from autoprune.networks.shape import NetworkShape

DEALT: frozenset[Kind] = frozenset(("neuron", "model"))
"""The kinds of places whose settings are dealt out where ``[uniform]`` does not list them."""


def uniform_sweep(
    space: SearchSpace, shape: NetworkShape, effort: Effort
) -> list[dict[Parameter, Value]]:
    """The configurations of the uniform sweep, complete.

    Raises InputError where a value is not one that the space offers.
    """
    domains, listed = _swept(space, shape)
    rows: list[tuple[Value, ...]] = list(itertools.product(*listed.values()))
    neutral = space.complete({}, shape, effort)
    dealt = {
        p.setting: [neutral[p], *(value for value in domain.all if value != neutral[p])]
        for p, domain in domains.items()
        if p.setting not in listed and p.place.kind in DEALT
    }
    found = []
    for row in deal(rows, [*dealt.values()]):
        settings = dict(zip((*listed, *dealt), row, strict=True))
        same = {p: settings[p.setting] for p in domains if p.setting in settings}
        found.append(space.complete(same, shape, effort))
    return found


def listed_alone(
    space: SearchSpace, shape: NetworkShape, effort: Effort
) -> list[dict[Parameter, Value]]:
    """The combinations of what a space lists, with nothing dealt out over them.

    Raises InputError where a value is not one that the space offers.
    """
    domains, listed = _swept(space, shape)
    rows = [dict(zip(listed, row, strict=True)) for row in itertools.product(*listed.values())]
    same = [{p: row[p.setting] for p in domains if p.setting in row} for row in rows]
    return [space.complete(one, shape, effort) for one in same]


def _swept(
    space: SearchSpace, shape: NetworkShape
) -> tuple[dict[Parameter, Domain], dict[str, Sequence[Value]]]:
    """What is searched but of stem and head, and the values that are listed of it, by setting."""
    domains = {p: d for p, d in space.parameters(shape).items() if p.place not in (STEM, HEAD)}
    searched = dict.fromkeys(p.setting for p in domains)
    return domains, {name: space.uniform[name] for name in searched if name in space.uniform}


def deal(
    rows: Sequence[tuple[Value, ...]], columns: Sequence[Sequence[Value]]
) -> list[tuple[Value, ...]]:
    """The rows, each with one value of every column, as the module's docstring says."""
    found = list(rows)
    for values in columns:
        seen: Counter[tuple[Hashable, Value]] = Counter()
        for index, row in enumerate(found):
            third, beside = ("third", index * 3 // len(found)), [*enumerate(row)]
            value = _rarest(_spread(values, len(found)), seen, third, beside)
            seen.update((place, value) for place in (None, third, *beside))
            found[index] = (*row, value)
    return found


def _rarest(
    values: Sequence[Value],
    seen: Counter[tuple[Hashable, Value]],
    third: Hashable,
    beside: Sequence[Hashable],
) -> Value:
    """The value seen least often in this third, then at all, then beside these; else the first."""

    def times(value: Value) -> tuple[int, int, int]:
        return seen[third, value], seen[None, value], sum(seen[one, value] for one in beside)

    return min(values, key=times)


def _spread(values: Sequence[Value], most: int) -> Sequence[Value]:
    """At most so many of the values: the first, and others evenly apart up to the last."""
    if len(values) <= most:
        return values
    return [values[round(i * (len(values) - 1) / max(most - 1, 1))] for i in range(most)]
