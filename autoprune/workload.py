"""Op and Workload: what one inference of a network does, in exact counts, without a joule.

All counts are integer totals over `Workload.samples` real samples and all time steps, so that
they add up without rounding; `Workload.per_sample` turns a count into the mean per inference.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from autoprune.errors import InputError

OperandClass = Literal["binary", "integer", "real"]
SecondClass = Literal[OperandClass, "weight"]
Kind = Literal["conv", "linear", "attention_product", "masking", "sum"]
Order = Literal["executed", "published"]
Orders = Literal["both", Order]

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Of a convolution: kernel, stride, padding, dilation, sizes; one entry per dimension."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    in_size: tuple[int, ...]
    out_size: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One matrix operation, ``out[M, N] = A[M, K] @ B[K, N]`` per time step, group and head.

    A is the activation; B is a static weight, or in an attention product another activation.

    Attributes:
        name: unique within a workload and an order, such as ``blocks.0.attention.q``.
        block: index of the transformer block, None for stem and head.
        branch: ``attention``, ``mlp``, ``mixer``, ``stem`` or ``head``.
        kind: ``masking`` multiplies spikes entry by entry and ``sum`` adds spikes up, both without
            a MAC: K entries of A make one of M.
        order: for an attention product, whether the code executes this product or the papers
            publish it; ``both`` for all other operations. A price takes one order, never both.
        m, k, n: rows (tokens or output positions), summed dimension, columns; per time step,
            group and head, for one sample.
        groups: convolution groups, 1 elsewhere. heads: attention heads, 1 elsewhere.
        time_steps: how often the product is done in one inference; 1 where time was averaged out.
        a_class, b_class: what the operands hold; ``integer`` is a count of spikes.
        a_nonzeros: nonzero entries of A. a_events: sum of A's spike counts; an integer n is n
            events. 0 where A is real. a_size: entries of A. All summed over samples and time.
        b_nonzeros, b_events, b_size: the same of B; of a static weight ``b_nonzeros`` and
            ``b_size`` count the matrix once, not per sample, and ``b_events`` is 0.
        events_per_step: ``a_events`` by time step.
        dense_macs: multiply-accumulates of the dense product, M K N per step, group and head.
            At the border of a convolution the padding counts, as in every FLOP counter.
        fanout_sops: events times dense fan-out, exact at borders and strides. Of an attention
            product: events of its binary operand times the width of the other.
        effective_sops: synaptic operations in which event and weight are both nonzero. Of an
            attention product: coincidences, both operands nonzero.
        effective_sops_per_step: the same by time step.
        effective_sops_std: standard deviation over samples of the count per sample.
        real_macs: dense MACs where A is real, else 0.
        norm_folded: whether a batch norm behind the product is folded into its weights.
        neurons: spiking neurons that this product drives, per sample; 0 if it drives none.
        updates_active: neuron updates in whose step the product was not zero. Where several
            products are summed before a neuron, it belongs to the last, and all are active.
        updates_inactive: the other updates; the two add up to samples x time steps x neurons.
        output_spikes: spikes of those neurons.
        producers: names of the operations whose neurons feed A (and B).
    """

    name: str
    kind: Kind
    block: int | None
    branch: str
    order: Orders = "both"
    m: int
    k: int
    n: int
    groups: int = 1
    heads: int = 1
    time_steps: int
    geometry: Geometry | None = None
    a_class: OperandClass
    b_class: SecondClass
    a_size: int
    a_nonzeros: int
    a_events: int
    b_size: int
    b_nonzeros: int
    b_events: int = 0
    events_per_step: tuple[int, ...]
    dense_macs: int
    fanout_sops: int
    effective_sops: int
    effective_sops_per_step: tuple[int, ...]
    effective_sops_std: float
    real_macs: int
    norm_folded: bool = False
    neurons: int = 0
    updates_active: int = 0
    updates_inactive: int = 0
    output_spikes: int = 0
    producers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"op {self.name!r}"
        self._check_words(where)
        self._check_counts(where)
        self._check_steps(where)
        for part, whole in (
            ("effective_sops", "fanout_sops"),
            ("a_nonzeros", "a_size"),
        ):
            if getattr(self, part) > getattr(self, whole):
                raise InputError(
                    where,
                    f"{part} {getattr(self, part)} exceeds {whole} {getattr(self, whole)}",
                )

    def _check_words(self, where: str) -> None:
        for name, words in _WORDS.items():
            word = getattr(self, name)
            if word not in words:
                raise InputError(where, f"{name} is {word!r}", name=str(word), candidates=words)

    def _check_counts(self, where: str) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type in ("int", "tuple[int, ...]"):
                counts = value if isinstance(value, tuple) else (value,)
                if any(type(count) is not int or count < 0 for count in counts):
                    raise InputError(where, f"{field.name} is {value!r}", "whole counts >= 0")
        if not self.effective_sops_std >= 0:
            raise InputError(
                where, f"effective_sops_std is {self.effective_sops_std}", "a number >= 0"
            )
        if min(self.m, self.groups, self.heads, self.time_steps) < 1:
            raise InputError(where, "M, groups, heads or time_steps is 0", "at least 1")

    def _check_steps(self, where: str) -> None:
        for total, parts in (
            ("a_events", self.events_per_step),
            ("effective_sops", self.effective_sops_per_step),
        ):
            if len(parts) != self.time_steps or sum(parts) != getattr(self, total):
                raise InputError(
                    where,
                    f"{total} by step is {parts}",
                    f"{self.time_steps} counts that add up to {getattr(self, total)}",
                )


_WORDS = {
    "kind": get_args(Kind),
    "order": get_args(Orders),
    "a_class": get_args(OperandClass),
    "b_class": get_args(SecondClass),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """An operation that the workload does not count, its share of the dense MACs, and why."""

    name: str
    dense_macs: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Everything that a network did on `samples` samples.

    Attributes:
        network: the network's name.
        samples: samples that were counted; at least 1.
        time_steps: simulation steps of one inference.
        ops: every counted operation, in order of execution; attention products in both orders.
        uncounted: what was seen and not counted.
    """

    network: str
    samples: int
    time_steps: int
    ops: tuple[Op, ...]
    uncounted: tuple[Uncounted, ...] = ()

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise InputError("workload", f"{self.samples} samples", "at least 1")
        names = [(op.name, op.order) for op in self.ops]
        if len(set(names)) != len(names):
            repeated = sorted({n for n, _ in names if names.count((n, _)) > 1})
            raise InputError("workload", f"operations named twice: {', '.join(repeated)}")

    def select(self, order: Order) -> Iterator[Op]:
        """The operations of one inference, attention products in `order`."""
        return (op for op in self.ops if op.order in ("both", order))

    def total(self, count: str, order: Order = "executed") -> int:
        """Sum of one count of `Op` over all operations and samples."""
        return int(sum(getattr(op, count) for op in self.select(order)))

    def per_sample(self, count: str, order: Order = "executed") -> float:
        """Mean of one count per inference."""
        return self.total(count, order) / self.samples

    def share_of_dense_macs(self, dense_macs: int) -> float:
        """`dense_macs` relative to everything that the network does densely, counted or not."""
        whole = self.total("dense_macs") + sum(item.dense_macs for item in self.uncounted)
        return dense_macs / whole if whole else 0.0

    def to_json(self) -> str:
        """One JSON document that `from_json` reads back to an equal workload."""
        return json.dumps({"autoprune_workload": FORMAT, **dataclasses.asdict(self)})

    @classmethod
    def from_json(cls, text: str, where: str = "workload") -> Workload:
        """Read a workload; raises InputError where the text is not a complete one."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(
                where, f"not readable as JSON ({error}); it may be truncated", "a workload file"
            ) from error
        if not isinstance(data, dict) or data.get("autoprune_workload") != FORMAT:
            raise InputError(
                where,
                "no workload of this version",
                f'a JSON object with "autoprune_workload": {FORMAT}',
            )
        del data["autoprune_workload"]
        try:
            return cls(
                **{
                    **data,
                    "ops": tuple(_op(item) for item in data["ops"]),
                    "uncounted": tuple(Uncounted(**item) for item in data["uncounted"]),
                }
            )
        except InputError as error:
            raise InputError(where, str(error)) from error
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(
                where, f"incomplete workload ({error})", "every field of Workload"
            ) from error

    @classmethod
    def read(cls, path: Path) -> Workload:
        """Read a workload file."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"), str(path))
        except FileNotFoundError as error:
            raise InputError(str(path), "no such file", "a workload file") from error
        except UnicodeDecodeError as error:
            raise InputError(str(path), "not UTF-8", "a workload file") from error
        except OSError as error:
            raise InputError(
                str(path), f"not readable ({error.strerror})", "a workload file"
            ) from error


def _op(data: dict[str, Any]) -> Op:
    """An Op from its JSON object, lists turned back into tuples."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
    }
    if values.get("geometry"):
        values["geometry"] = Geometry(**{k: tuple(v) for k, v in data["geometry"].items()})
    return Op(**values)
