"""Columns: the figures of operations by the names under which machines, files and users read them.

A column's name is flat, such as ``a_events``; `PLACES` says where an `autoprune.workload.op.Op`
holds it. Nothing else in the project maps one to the other.
"""

from __future__ import annotations

from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy.typing as npt

from autoprune.errors import InputError

Column: TypeAlias = npt.NDArray[Any]
Pattern = Literal["4:8", "2:8", "1:8", "2:4", "1:4", "1:2"]
"""N:M: of M consecutive inputs of every output at most N weights are not 0."""

WeightFormat = Literal["dense", "bitmap", "csr", Pattern]
"""How a machine may hold a matrix of weights; by a pattern one that obeys it."""

PLACES = MappingProxyType(
    {
        **{name: name for name in ("name", "kind", "block", "branch", "order")},
        **{name: f"sizes.{name}" for name in ("m", "k", "n", "groups", "heads", "time_steps")},
        "geometry": "geometry",
        "a_class": "a.kind",
        "b_class": "b.kind",
        "a_bits": "a.bits",
        "b_bits": "b.bits",
        "a_size": "a.size",
        "a_nonzeros": "a.nonzeros",
        "a_events": "a.events",
        "b_size": "b.size",
        "b_nonzeros": "b.nonzeros",
        "b_events": "b.events",
        "b_row_max": "b.row_max",
        "b_column_max": "b.column_max",
        "b_max_of_2": "b.max_of_2",
        "b_max_of_4": "b.max_of_4",
        "b_max_of_8": "b.max_of_8",
        "events_per_step": "a.events_per_step",
        "nonzeros_per_step": "a.nonzeros_per_step",
        "a_events_std": "a.events_std",
        "dense_macs": "work.dense_macs",
        "fanout_sops": "work.fanout_sops",
        "effective_sops": "work.effective_sops",
        "effective_sops_per_step": "work.effective_sops_per_step",
        "effective_sops_std": "work.effective_sops_std",
        "real_macs": "work.real_macs",
        "norm_folded": "norm_folded",
        "neurons": "neurons.count",
        "updates_active": "neurons.updates_active",
        "updates_inactive": "neurons.updates_inactive",
        "output_spikes": "neurons.output_spikes",
        "output_spikes_std": "neurons.output_spikes_std",
        "producers": "producers",
        "activity": "activity",
    }
)
"""Where an operation holds each column, in the order in which files have them."""

NAMES = MappingProxyType({place: name for name, place in PLACES.items()})
"""The column of each place: the name of a figure in messages."""

ACTIVITY = MappingProxyType(
    {
        "silent": "silent",
        "windows": "windows",
        "empty_groups": "empty_groups",
        "row_groups": "groups",
    }
)
"""Columns that are figures of `autoprune.workload.parts.Activity`, and which one each is."""

TILES = ("tile_spikes", "tile_left", "tile_emptied", "tile_searched")
"""Columns that are the figures of `autoprune.workload.parts.Activity.tiles`."""

WORDS = ("name", "kind", "branch", "order", "a_class", "b_class")
SIZES = (
    *("m", "k", "n", "groups", "heads", "time_steps", "neurons", "a_bits", "b_bits"),
    *("b_row_max", "b_column_max", "b_max_of_2", "b_max_of_4", "b_max_of_8"),
)
PER_STEP = ("events_per_step", "nonzeros_per_step", "effective_sops_per_step")
MEANS = (
    *("a_size", "a_nonzeros", "a_events", "dense_macs", "fanout_sops", "effective_sops"),
    *("real_macs", "updates_active", "updates_inactive", "output_spikes"),
    *PER_STEP,
    *ACTIVITY,
    *TILES,
)
SECOND = ("b_size", "b_nonzeros", "b_events")
COLUMNS = (*WORDS, "block", "geometry", "norm_folded", *SIZES, *MEANS, *SECOND)
"""Every column that cost rules may read; `autoprune.cost.ops.Ops` derives more."""

_READERS = {name: attrgetter(place) for name, place in PLACES.items()}


def sizes(pattern: Pattern) -> tuple[int, int]:
    """N and M of a pattern."""
    n, m = pattern.split(":")
    return int(n), int(m)


def reader(name: str) -> attrgetter[Any]:
    """A function of an `autoprune.workload.op.Op` that gives one column's figure.

    Raises InputError where there is no such column.
    """
    if name not in _READERS:
        raise InputError("workload", f"no column {name!r}", name=name, candidates=PLACES)
    return _READERS[name]
