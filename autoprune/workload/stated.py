"""A workload that is stated layer by layer in five figures, as papers have them; the rest derived.

Papers state of a layer its dense MACs, the rate of the spikes that it reads and the time steps,
and count by these (Zhou et al., Spikformer, arXiv 2209.15425)

    SOPs = rate x T x MACs

times the density of the weights, where some of them are zero. Machines read more than that. What
nobody stated is derived here, and `Workload.assumed` says how, column by column.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from autoprune.config import STRICT, Count, Steps, Title, validate
from autoprune.errors import InputError
from autoprune.files import parse_json, read_text
from autoprune.workload.columns import PER_STEP
from autoprune.workload.op import Op
from autoprune.workload.parts import NO_NEURONS, Activation, Neurons, Second, Sizes, Work
from autoprune.workload.workload import Assumed, Workload


def _whole(value: object) -> object:
    """A whole number that is written as 3.8e6."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _rate(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value != "real" and not (number and 0 <= value <= 10**6):  # type: ignore[operator]
        raise ValueError("spikes per input and step, from 0 to 1e6, or 'real'")
    return value


_LAYERS: Final = 4096
"""That are read; the deepest published networks have a quarter of that."""

_Macs = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10**12)]
_InputRate = Annotated[float | Literal["real"], BeforeValidator(_rate)]


class StatedLayer(BaseModel):
    """A layer as a paper states it.

    Attributes:
        layer: its name.
        dense_macs: multiply-accumulates of the dense layer in one time step, for one sample.
        input_rate: spikes per input and time step; above 1 where inputs are counts of spikes.
            ``real`` where the layer reads real numbers, such as pixels.
        weight_density: share of the weights that are not zero; of a product of two activations the
            rate of the other one.
        time_steps: how often the layer runs in an inference: T, or 1 where time was averaged out.
        m, k, n: sizes of the product ``out[M, N] = A[M, K] @ B[K, N]``, where they are known.
    """

    model_config = STRICT
    layer: Title
    dense_macs: _Macs
    input_rate: _InputRate
    weight_density: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    time_steps: Steps
    m: Count | None = None
    k: Count | None = None
    n: Count | None = None

    @model_validator(mode="after")
    def _sizes_make_the_macs(self) -> Self:
        given = (self.m, self.k, self.n)
        if any(given) and math.prod(size or 0 for size in given) != self.dense_macs:
            raise ValueError(f"m x k x n = {self.dense_macs}, its dense_macs, or none of the three")
        return self

    @property
    def sizes(self) -> tuple[int, int, int]:
        """M, K and N: those that are given, or as near to equal as their product allows."""
        if self.m and self.k and self.n:
            return self.m, self.k, self.n
        m = _divisor(self.dense_macs, 3)
        k = _divisor(self.dense_macs // m, 2)
        return m, k, self.dense_macs // m // k


class _Stated(BaseModel):
    model_config = STRICT
    network: Title = "stated"
    layers: Annotated[list[StatedLayer], Field(max_length=_LAYERS)]


def read_workload(file: Path) -> Workload:
    """The workload in a file: one of autoprune's, or stated layers as JSON or CSV.

    JSON is a list of objects with the keys of `StatedLayer`, or ``{"network": ..., "layers":
    [...]}``; CSV, by the ending ``.csv``, has them as columns. Raises what `read_text` does, and
    InputError where it is no workload.
    """
    where = str(file)
    if file.suffix == ".csv":
        return derive(_rows(read_text(file), where), where)
    text = read_text(file)
    if text.lstrip().startswith("["):
        return derive(parse_json(text, where), where)
    whole = parse_json(text, where) if '"layers"' in text else None
    if isinstance(whole, dict) and "layers" in whole:
        return derive(whole["layers"], where, **{k: v for k, v in whole.items() if k != "layers"})
    return Workload.from_json(text, where)


def derive(layers: Sequence[Mapping[str, Any]], where: str, **about: object) -> Workload:
    """The workload of stated layers, of one sample.

    Args:
        layers: the keys of `StatedLayer`, in the order of execution.
        where: what they are of, for errors.
        about: the network's name, as ``network``.

    Raises InputError for a figure that is missing, unknown or cannot be.
    """
    if not layers:
        raise InputError(where, "no layer", "one at least")
    stated = validate(_Stated, {"layers": layers, **about}, where)
    following = [*stated.layers[1:], None]
    ops, before = [], "input"
    for layer, after in zip(stated.layers, following, strict=True):
        ops.append(_op(layer, before, after))
        before = layer.layer
    try:
        return Workload(
            network=stated.network,
            samples=1,
            time_steps=max(layer.time_steps for layer in stated.layers),
            ops=tuple(ops),
            assumed=_assumed(stated.layers),
        )
    except InputError as error:
        raise InputError(where, str(error)) from error


def _op(layer: StatedLayer, before: str, after: StatedLayer | None) -> Op:
    """A layer behind another one and before the next, as a linear one."""
    (m, k, n), steps = layer.sizes, layer.time_steps
    real, dense = layer.input_rate == "real", layer.dense_macs * steps
    events = 0 if layer.input_rate == "real" else round(layer.input_rate * m * k * steps)
    kept, size = round(layer.weight_density * k * n), m * k * steps
    effective = round(layer.weight_density * events * n)
    return Op(
        name=layer.layer,
        kind="linear",
        block=None,
        branch="stem" if before == "input" else "head" if after is None else "mlp",
        sizes=Sizes(m=m, k=k, n=n, time_steps=steps),
        a=_activation(layer, size, events),
        b=Second(
            kind="weight",
            bits=32,
            size=k * n,
            nonzeros=kept,
            row_max=-(-kept // k),
            column_max=-(-kept // n),
        ),
        work=Work(
            dense_macs=dense,
            real_macs=dense if real else 0,
            fanout_sops=events * n,
            effective_sops=effective,
            effective_sops_per_step=_spread(effective, steps),
            effective_sops_std=0.0,
        ),
        neurons=NO_NEURONS if after is None else _neurons(m * n, steps, after),
        producers=() if real else (before,),
    )


def _activation(layer: StatedLayer, size: int, events: int) -> Activation:
    steps, rate = layer.time_steps, layer.input_rate
    nonzeros = size if rate == "real" else min(size, events)
    counts = 1 if rate == "real" else math.ceil(rate)
    return Activation(
        kind="real" if rate == "real" else "integer" if counts > 1 else "binary",
        bits=32 if rate == "real" else max(1, counts.bit_length()),
        size=size,
        nonzeros=nonzeros,
        events=events,
        events_std=0.0,
        events_per_step=_spread(events, steps),
        nonzeros_per_step=_spread(nonzeros, steps),
    )


def _neurons(count: int, steps: int, after: StatedLayer) -> Neurons:
    """A neuron per output, which emits what the next layer reads; none before real numbers."""
    if after.input_rate == "real":
        return NO_NEURONS
    updates = count * steps
    return Neurons(
        count=count,
        updates_active=updates,
        output_spikes=round(after.input_rate * updates),
    )


def _spread(count: int, steps: int) -> tuple[int, ...]:
    """A count over time steps, as even as whole numbers are."""
    each, more = divmod(count, steps)
    return (each + 1,) * more + (each,) * (steps - more)


def _divisor(number: int, root: int) -> int:
    """The largest divisor whose power of `root` is no more than the number.

    Of primes above 10 000 their product is taken for one: no layer is made of two such sizes, and
    a file may have thousands.
    """
    found, left = [1], number
    for prime in _PRIMES:
        if prime * prime > left:
            break
        powers = [1]
        while left % prime == 0:
            left //= prime
            powers.append(powers[-1] * prime)
        if len(powers) > 1:
            found = [d * power for d in found for power in powers if (d * power) ** root <= number]
    return max(d for one in found for d in (one, one * left) if d**root <= number)


def _primes(below: int) -> Iterator[int]:
    sieve = bytearray([1]) * below
    for number in range(2, below):
        if sieve[number]:
            yield number
            sieve[number * number :: number] = bytes(len(sieve[number * number :: number]))


_PRIMES: Final = tuple(_primes(10_000))


def _rows(text: str, where: str) -> list[dict[str, object]]:
    """The rows of a CSV file with a line of names; numbers as numbers, cells left out as absent."""
    found: list[dict[str, object]] = []
    try:
        for row in csv.DictReader(io.StringIO(text), skipinitialspace=True):
            if None in row or None in row.values():
                raise InputError(where, f"row {len(found) + 1}: not as many cells as names")
            if len(found) == _LAYERS:
                raise InputError(where, f"more than {_LAYERS} rows", "the layers of a network")
            found.append({name.strip(): _cell(cell) for name, cell in row.items() if cell.strip()})
    except csv.Error as error:
        raise InputError(where, f"row {len(found) + 1}: {error}") from error
    return found


def _cell(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()


_ALWAYS: Final = (
    Assumed(
        columns=("kind", "geometry"),
        text="every layer is linear: no border of a convolution, no product of activations",
    ),
    Assumed(
        columns=("effective_sops", "fanout_sops"),
        text="spikes meet zero weights as often as others: SOPs = rate x T x MACs x density",
    ),
    Assumed(columns=PER_STEP, text="as many spikes in every time step"),
    Assumed(
        columns=("b_row_max", "b_column_max", "b_max_of_2", "b_max_of_4", "b_max_of_8"),
        text="zero weights lie evenly over rows and columns, and by no pattern",
    ),
    Assumed(columns=("b_bits",), text="weights have the bits of the machine"),
    Assumed(
        columns=("neurons", "updates_active", "updates_inactive", "output_spikes"),
        text="a neuron behind every output, updated in every step, that fires as often as the "
        "next layer's input; none behind the last",
    ),
)


def _assumed(layers: Sequence[StatedLayer]) -> tuple[Assumed, ...]:
    """What is derived of these layers, and how."""
    found = list(_ALWAYS)
    without = [layer.layer for layer in layers if layer.m is None]
    if without:
        sizes = ("m", "k", "n", "a_size", "a_nonzeros", "a_events", "b_size", "b_nonzeros")
        text = "sizes M, K, N as near to equal as the MACs allow: " + ", ".join(without)
        found.append(Assumed(columns=sizes, text=text))
    counts = [x.layer for x in layers if x.input_rate != "real" and x.input_rate > 1]
    if counts:
        text = "no input is 0, and none above the rate rounded up: " + ", ".join(counts)
        found.append(Assumed(columns=("a_nonzeros", "a_bits"), text=text))
    return tuple(found)
