"""Form: what it takes to load an exported network besides its plan and its tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from autoprune.deploy.formats import Format
from autoprune.errors import InputError
from autoprune.files import typed
from autoprune.networks.families import FAMILIES

_LARGEST = 10**8
"""Weights of a matrix: it may take few bytes, and be anybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How one matrix is stored.

    Attributes:
        format: see `autoprune.deploy.formats`. holds: the plan's matrices in it.
        shape, dtype: of the tensor. weights: entries. nonzeros: entries that are not +0.0.
        bytes, dense_bytes: as it is stored, and dense.
    """

    format: Format
    holds: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    weights: int
    nonzeros: int
    bytes: int
    dense_bytes: int

    def __post_init__(self) -> None:
        if self.format not in ("dense", "bitmap", "csr") or not self.shape:
            raise ValueError(f"a matrix of format {self.format!r}, shape {self.shape}")
        if not 0 <= math.prod(self.shape) <= _LARGEST:
            raise ValueError(f"a matrix of shape {self.shape}; expected at most {_LARGEST} weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the parent of a network was built from.

    Attributes:
        kind: name of the network's class.
        model, arguments, offered: as `autoprune.networks.build.build` takes them.
        adapter: the adapter's name, None for that of the family.
        methods: the user's own that loading repeats, ``module:Class``: those that reshape.
    """

    kind: str
    model: str
    arguments: Mapping[str, Any]
    offered: Mapping[str, Any]
    adapter: str | None
    methods: tuple[str, ...]

    def __post_init__(self) -> None:
        if ":" not in self.model and self.model not in FAMILIES:
            raise ValueError(f"no family of networks is called {self.model!r}")

    @property
    def code(self) -> tuple[str, ...]:
        """What of it is a user's own, ``module:name``."""
        named = (self.model, self.adapter or "", *self.methods)
        return tuple(name for name in named if ":" in name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form of an exported network.

    Attributes:
        network: its origin. after: time steps after which it is read; None for those that it was
            trained for. starts: what surgery put into no tensor, by method and
            module.
        folded: norms that were folded, and the layers that took them up.
        storage: how every matrix is stored, by name.
    """

    network: Origin
    after: int | None
    starts: Mapping[str, Mapping[str, Mapping[str, float]]]
    folded: Mapping[str, str]
    storage: Mapping[str, Stored]

    def to_dict(self) -> dict[str, object]:
        """Keys and values of a manifest."""
        network = {"class" if k == "kind" else k: v for k, v in asdict(self.network).items()}
        return {
            "network": network,
            "after": self.after,
            "starts": {method: dict(starts) for method, starts in self.starts.items()},
            "folded": dict(self.folded),
            "storage": {name: asdict(how) for name, how in self.storage.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str) -> Form:
        """The form in a manifest; InputError, at `where`, where it is none."""
        try:
            network = data["network"]
            names = [f.name for f in fields(Origin) if f.name not in ("kind", "methods")]
            found = cls(
                network=Origin(
                    **{name: network[name] for name in names},
                    kind=network["class"],
                    methods=tuple(network["methods"]),
                ),
                after=_steps(data.get("after")),
                starts={method: dict(starts) for method, starts in data["starts"].items()},
                folded=dict(data["folded"]),
                storage={name: _stored(how) for name, how in data["storage"].items()},
            )
            return typed(found)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise InputError(where, f"damaged ({type(error).__name__}: {error})") from error


def _steps(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise ValueError(f"after {value!r} time steps")
    return value


def _stored(data: Mapping[str, Any]) -> Stored:
    return Stored(**{**data, "holds": tuple(data["holds"]), "shape": tuple(data["shape"])})
