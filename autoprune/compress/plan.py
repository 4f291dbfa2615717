"""Plan: the compression of a whole network in canonical form, with a hash.

Two configurations that would train the same network are the same plan: shares are numbers, and a
setting without effect takes its neutral value.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autoprune.compress.bits import FULL_BITS
from autoprune.compress.effort import Effort
from autoprune.compress.method import Left, Method
from autoprune.compress.part import Amount, Part
from autoprune.compress.registry import in_stages
from autoprune.errors import InputError
from autoprune.networks.granularity import Differing, Granularity, finest_of
from autoprune.networks.place import HEAD, MODEL, STEM, Place
from autoprune.networks.shape import NetworkShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done to a network.

    Attributes:
        blocks: how many the network has.
        parts: of the methods that change something, in the order of their names.
        effort: time steps, and learning rate and epochs of fine-tuning; without epochs the
            learning rate is 0.

    Raises InputError for a part that is none of its method's.
    """

    blocks: int
    parts: tuple[Part, ...]
    effort: Effort

    def __post_init__(self) -> None:
        if type(self.blocks) is not int or self.blocks < 0:
            raise InputError("plan", f"blocks = {self.blocks!r}", "a whole number from 0")
        names = [part.method for part in self.parts]
        if names != sorted(set(names)) or not all(part.amounts for part in self.parts):
            raise InputError("plan", f"parts {names}", "each once, in order, none of them empty")
        for method, part in self.stages():
            method.check(part)

    def part(self, method: str) -> Part:
        """The part of a method; empty where it changes nothing."""
        return next((part for part in self.parts if part.method == method), Part(method=method))

    def stages(self) -> Iterator[tuple[Method, Part]]:
        """The parts that are not empty with their methods, as far as known, as they act."""
        if self.parts:
            parts = {part.method: part for part in self.parts}
            for method in in_stages():
                if method.name in parts:
                    yield method, parts[method.name]

    @property
    def unknown(self) -> tuple[Part, ...]:
        """The parts of methods that are not known here."""
        known = {method.name for method in in_stages()}
        return tuple(part for part in self.parts if part.method not in known)

    @property
    def known(self) -> Plan:
        """The same without the parts of methods that are not known here."""
        unknown = self.unknown
        return dataclasses.replace(self, parts=tuple(p for p in self.parts if p not in unknown))

    def to_dict(self) -> dict[str, object]:
        """Plain containers, as `from_dict` reads them."""
        effort = self.effort
        return {
            "blocks": self.blocks,
            "parts": {part.method: part.to_json() for part in self.parts},
            "effort": {f.name: getattr(effort, f.name) for f in dataclasses.fields(effort)},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote; InputError where `data` is no such thing."""
        try:
            parts = sorted(data["parts"].items())
            return cls(
                **{
                    **data,
                    "parts": tuple(Part.from_json(method, part) for method, part in parts),
                    "effort": Effort(**data["effort"]),
                }
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InputError("plan", f"not a plan ({type(error).__name__}: {error})") from error

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical form, 16 hexadecimal digits."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        # One string per plan, however many places of a long run hold it; likewise `short`.
        return sys.intern(hashlib.sha256(canonical.encode()).hexdigest()[:16])

    @property
    def weight_bits(self) -> int:
        """Bits of a weight when all is done."""
        return min((m.weight_bits(part) for m, part in self.stages()), default=FULL_BITS)

    @property
    def granularities(self) -> dict[Differing, Granularity]:
        """The finest granularities at which neurons of a layer differ, by what differs."""
        return finest_of(
            found for method, part in self.stages() for found in method.granularities(part)
        )

    def left(self, shape: NetworkShape) -> Left:
        """What is left of a network: sizes, and zeros that stay; rounding may add to them."""
        left = Left(shape)
        for method, part in self.stages():
            left = method.left(part, left)
        return left

    def kept_weights(self, shape: NetworkShape) -> int:
        """Nonzero weights that the plan leaves in the matrices of the blocks."""
        left = self.left(shape)
        return left.shape.block_weights - left.zeros_in(MODEL)

    def inside(self, place: Place) -> tuple[tuple[str, str, Amount], ...]:
        """What is done at a place: method, name and amount."""
        return tuple((p.method, *amount) for p in self.parts for amount in p.at(place).items())

    def short(self, shape: NetworkShape) -> str:
        """One line: per block A (attention), M (MLP or mixer) with share kept and sparsity, neuron.

        ``T4 8b | A4/8 80% M- θ/la`` reads: 4 steps; weights of 8 bits, of 32 where nothing says
        so; block 0 keeps 4 of 8 attention dimensions per head, of whose weights 80 % are zero, has
        no MLP, and learns a threshold per layer.
        """
        words = self._words(shape)
        parts = [f"T{self.effort.time_steps}{words(MODEL)}"]
        for index, block in enumerate(shape.blocks):
            branches = (Place(index, branch.name) for branch in block.branches)
            whole = words(Place(index)) + words(Place(index, "neuron"))
            parts.append(" ".join(_letter(place) + words(place) for place in branches) + whole)
        for place in (STEM, HEAD):
            parts += [f"{place}{found}"] if (found := words(place)) else []
        parts += [f"{part.method}?" for part in self.unknown]
        return sys.intern(" | ".join(parts))

    def branch_words(self, shape: NetworkShape) -> dict[Place, str]:
        """Every branch as in `short`, such as ``A4/8 80%``."""
        words = self._words(shape)
        return {place: _letter(place) + words(place) for place, _ in shape.branches()}

    def _words(self, shape: NetworkShape) -> Callable[[Place], str]:
        """What is done at a place; what has a section of its own behind the rest."""
        before, left = [], Left(shape)
        for method, part in self.stages():
            before.append((method, part.by_place(), left))
            left = method.left(part, left)

        def words(place: Place) -> str:
            key = str(place)
            found = [m.words(part[key], place, own) for m, part, own in before if key in part]
            if len(found) > 1:
                found.sort(key=lambda word: word.startswith(" | "))
            return "".join(found)

        return words


def _letter(place: Place) -> str:
    return place.part[0].upper()
