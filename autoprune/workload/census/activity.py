"""How spikes lie in time and space: in windows of steps, in groups of rows, in tiles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from torch import Tensor

from autoprune.workload.census.places import Site
from autoprune.workload.census.tiles import tiles
from autoprune.workload.census.values import nonzero
from autoprune.workload.parts import ROWS, WINDOWS, Activity


def asked(at: Site, x: Tensor, matrices: Iterable[Tensor]) -> Activity | None:
    """What is asked of ``x = [T, B, ..., columns, rows]`` at a place, with tiles of `matrices`."""
    if not at.with_activity:
        return None
    seen = activity(x)
    if not at.with_tiles:
        return seen
    each = np.array([(0, 0, 0, 0), *map(tiles, matrices)]).sum(0).tolist()
    return replace(seen, tiles=(each[0], each[1], each[2], each[3]))


def activity(x: Tensor) -> Activity:
    """The `Activity` of ``x = [T, B, ..., columns, rows]``, without tiles."""
    held = np.ascontiguousarray(nonzero(x))
    parts, windows = list(held), []
    for _ in WINDOWS:  # each twice as long as the one before
        parts = [a | b for a, b in zip(parts[::2], parts[1::2], strict=False)] + (
            parts[-1:] if len(parts) % 2 else []
        )
        windows.append(sum(map(_count, parts)))
    rows, columns = held.shape[-1], held.size // max(1, held.shape[-1])
    groups = [columns * -(-rows // size) for size in ROWS]
    return Activity(
        silent=held[0].size - _count(np.logical_or.reduce(parts)),
        windows=(windows[0], windows[1], windows[2]),
        empty_groups=_empty(held, groups),
        groups=(groups[0], groups[1]),
    )


def _count(held: np.ndarray) -> int:
    return int(np.count_nonzero(held))


def _empty(held: np.ndarray, groups: list[int]) -> tuple[int, int]:
    """How many of the groups of 8 and of 32 rows hold nothing.

    8 truth values are one word of memory, which is 0 where all of them are false.
    """
    missing = -held.shape[-1] % 8
    if missing:
        held = np.pad(held, [(0, 0)] * (held.ndim - 1) + [(0, missing)])
    eights = held.view(np.uint64)
    both = eights[..., ::4].copy()
    for part in (eights[..., start::4] for start in (1, 2, 3)):
        both[..., : part.shape[-1]] |= part
    return groups[0] - _count(eights), groups[1] - _count(both)
