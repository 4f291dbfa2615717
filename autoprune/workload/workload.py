"""Workload: what one inference of a network does, in exact counts, without a joule.

All counts are integer totals over `Workload.samples` real samples and all time steps, so that
they add up without rounding; `Workload.per_sample` turns a count into the mean per inference.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autoprune.errors import InputError
from autoprune.files import read_text, typed
from autoprune.workload.columns import reader
from autoprune.workload.op import Op, Order

FORMAT = 2
FREE = "element by element"
"""How the reason of an operator begins that is known to multiply no matrices."""

ElementwiseKind = Literal["pooling", "batch_norm", "bias", "residual", "neuron_update"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """An operation that the workload does not count, its share of the dense MACs, and why."""

    name: str
    dense_macs: int
    reason: str

    @property
    def is_free(self) -> bool:
        """Whether it is known to multiply no matrices."""
        return self.reason.startswith(FREE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Neurons of no class that is known for them, which were found by what they emit.

    They are counted with the operation that drives them, one update for everything that could
    have been a spike.

    Attributes:
        module: the module that emitted their spikes.
        neurons: how many, per sample.
    """

    module: str
    neurons: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A layer that reads whole multiples of a number, which folds into its weights.

    Its spikes are counted in that unit; without folding they are the real numbers that they were.

    Attributes:
        layer: the operation.
        unit: what one spike is, such as 0.25 behind an average of 4; not 1.
    """

    layer: str
    unit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """Figures that nobody counted and nobody stated, and how they were derived.

    Attributes:
        columns: of `autoprune.workload.columns`. text: how.
    """

    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elementwise:
    """What a network does entry by entry, outside its products: no price has to know it.

    Attributes:
        kind: ``pooling``, maxima and means, reads so many entries, each counted once;
            ``batch_norm``, which is folded into the weights before it where nothing stands
            between, scales and shifts; ``bias`` adds constants, those of a layer or of positions;
            ``residual`` adds activations; ``neuron_update`` counts updates of membranes.
        places: how many operations of the kind one pass has.
        entries: over all samples and time steps.
    """

    kind: ElementwiseKind
    places: int
    entries: int


_LISTS: dict[str, Callable[..., object]] = {
    "elementwise": Elementwise,
    "uncounted": Uncounted,
    "found": Found,
    "folded": Folded,
    "assumed": lambda columns, text: Assumed(columns=tuple(columns), text=text),
}
_NEW = {"found", "folded", "assumed"}
"""What a workload holds beside its operations; older files lack some."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Workload:
    """Everything that a network did on `samples` samples.

    Attributes:
        network: the network's name.
        samples: samples that were counted; at least 1.
        time_steps: simulation steps of one inference.
        ops: every counted operation, in order of execution; attention products in both orders.
        elementwise: what is done entry by entry, one of each kind that occurs.
        uncounted: what was seen and not counted.
        found: neurons that were found by what they emit.
        folded: layers that read spikes in another unit than 1.
        assumed: what was derived, of a workload that was stated and not counted.
    """

    network: str
    samples: int
    time_steps: int
    ops: tuple[Op, ...]
    elementwise: tuple[Elementwise, ...] = ()
    uncounted: tuple[Uncounted, ...] = ()
    found: tuple[Found, ...] = ()
    folded: tuple[Folded, ...] = ()
    assumed: tuple[Assumed, ...] = ()

    def __repr__(self) -> str:
        """In a line: the network, and how much was counted."""
        return f"<workload of {self.network}: {len(self.ops)} operations, {self.samples} samples>"

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise InputError("workload", f"{self.samples} samples", "at least 1")
        names = [(op.name, op.order) for op in self.ops]
        if len(set(names)) != len(names):
            repeated = sorted({n for n, _ in names if names.count((n, _)) > 1})
            raise InputError("workload", f"operations named twice: {', '.join(repeated)}")
        for op in self.ops:
            if op.sizes.time_steps not in (1, self.time_steps):
                raise InputError(
                    f"op {op.name!r}",
                    f"time_steps is {op.sizes.time_steps}",
                    f"1, or the {self.time_steps} of an inference",
                )

    def select(self, order: Order) -> Iterator[Op]:
        """The operations of one inference, attention products in `order`."""
        return (op for op in self.ops if op.order in ("both", order))

    def total(self, count: str, order: Order = "executed") -> int:
        """Sum of one column of `autoprune.workload.columns` over all operations and samples."""
        return int(sum(map(reader(count), self.select(order))))

    def per_sample(self, count: str, order: Order = "executed") -> float:
        """Mean of one count per inference."""
        return self.total(count, order) / self.samples

    def share_of_dense_macs(self, dense_macs: int) -> float:
        """`dense_macs` relative to everything that the network does densely, counted or not."""
        whole = self.total("dense_macs") + sum(item.dense_macs for item in self.uncounted)
        return dense_macs / whole if whole else 0.0

    def to_json(self) -> str:
        """One JSON document that `from_json` reads back to an equal workload."""
        ops = [op.to_dict() for op in self.ops]
        return json.dumps({"autoprune_workload": FORMAT, **self.own(), "ops": ops})

    def own(self) -> dict[str, Any]:
        """Everything but the operations, as JSON holds it."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del given["ops"]
        lists = {name: [dataclasses.asdict(item) for item in given[name]] for name in _LISTS}
        return given | lists

    @classmethod
    def of_own(cls, own: Mapping[str, Any], ops: tuple[Op, ...]) -> Workload:
        """Out of what `own` gave; LookupError, TypeError or ValueError where that is damaged."""
        lists = {
            name: tuple(make(**item) for item in (own.get(name, ()) if name in _NEW else own[name]))
            for name, make in _LISTS.items()
        }
        return cls(**{**own, **lists, "ops": ops})

    @classmethod
    def from_json(cls, text: str, where: str = "workload") -> Workload:
        """Read a workload; raises InputError where the text is not a complete one."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(
                where, f"not readable as JSON ({error}); it may be truncated", "a workload file"
            ) from error
        version = data.get("autoprune_workload") if isinstance(data, dict) else None
        if version != FORMAT:
            older = type(version) is int and version < FORMAT
            raise InputError(
                where,
                f"a workload of version {version}" if version else "no workload",
                f"version {FORMAT}"
                + (", which holds counts that the older one lacks: count again" if older else ""),
            )
        del data["autoprune_workload"]
        try:
            ops = tuple(Op.from_dict(item) for item in data["ops"])
            return typed(cls.of_own(data, ops), Op)
        except InputError as error:
            raise InputError(where, str(error)) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InputError(
                where, f"incomplete workload ({error})", "every field of Workload"
            ) from error

    @classmethod
    def read(cls, path: Path) -> Workload:
        """Read a workload file; raises what `read_text` and `from_json` do."""
        return cls.from_json(read_text(path), str(path))
