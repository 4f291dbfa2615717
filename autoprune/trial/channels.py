"""Whether what neurons learn per channel lies along their channels, and not along another axis.

A shape that broadcasts says little: of 16 channels and 16 tokens, either axis takes 16 thresholds.
So the data are asked. One channel is made NaN where it leaves its layer, and on its way to the
neurons it stays what it is, a channel: there NaN has to stand at one index of the axis that the
adapter gives, or to fill all other axes. Neurons behind no layer are asked the other way round:
one of their channels is made NaN, and has to arrive as one input of the layers that read it.
NaN ends at neurons, and at the layers' inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from autoprune.compress.surgery.shown import show
from autoprune.errors import CompressionError
from autoprune.networks.adapter import ModelAdapter, NeuronSite, Weighted
from autoprune.networks.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """What the data say of neurons that may learn per channel; all that answered are right.

    Attributes:
        answered: those of which NaN told. alike: of these, how many take another axis of the same
            size as that of their channels. silent: those of which it did not.
    """

    answered: tuple[str, ...] = ()
    alike: int = 0
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """Neurons with a parameter per channel, as the adapter tells of them.

    Attributes:
        place: their branch. site: where they stand.
    """

    place: Place
    site: NeuronSite

    @property
    def key(self) -> tuple[type[nn.Module], str, tuple[int, ...]]:
        """Kind of neurons that are asked once for all blocks."""
        return type(self.site.owner), self.site.name, self.site.channels

    @property
    def neuron(self) -> nn.Module:
        found: nn.Module = getattr(self.site.owner, self.site.name)
        return found

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of their input, counted from the last, along which the parameter lies."""
        ndim = len(self.site.channels)
        return tuple(i - ndim for i, size in enumerate(self.site.channels) if size > 1)

    def channel(self, x: Tensor) -> Tensor:
        """The entries of `x` [T, B, ...] that have one of the parameters, the second."""
        of_one = torch.zeros(self.site.channels, dtype=torch.bool, device=x.device)
        of_one[tuple(min(1, size - 1) for size in self.site.channels)] = True
        return of_one.expand(x.shape)

    def has_alike(self, x: Tensor) -> bool:
        """Whether another axis of `x` [T, B, ...] has the size of one of these."""
        own = [axis % x.ndim for axis in self.axes]
        others = [x.shape[axis] for axis in range(2, x.ndim) if axis not in own]
        return bool({x.shape[axis] for axis in own}.intersection(others))

    def fits(self, x: Tensor) -> bool:
        """Whether `x` [T, B, ...] has axes of these sizes there."""
        return x.ndim >= len(self.site.channels) + 2 and all(
            x.shape[axis] == self.site.channels[axis] for axis in self.axes
        )


class _Answers:
    """Who answered, while the passes run; by place and name, or by key where asked once for all."""

    def __init__(self) -> None:
        self.of: dict[object, bool] = {}
        """Whether there is another axis of the same size."""

    def note(self, one: _Told, x: Tensor) -> None:
        self.of[one if one.site.layer is not None else one.key] = one.has_alike(x)

    def result(self, told: list[_Told]) -> Channels:
        found = {
            f"{one.place}.{one.site.name}": self.of.get(one, self.of.get(one.key)) for one in told
        }
        return Channels(
            answered=tuple(name for name, alike in found.items() if alike is not None),
            alike=sum(alike is True for alike in found.values()),
            silent=tuple(name for name, alike in found.items() if alike is None),
        )


def check_channels(network: nn.Module, adapter: ModelAdapter, samples: Tensor) -> Channels:
    """Ask it of every neuron of every branch; passes over the samples tell.

    Nothing is said where NaN does not arrive, or fills everything, as behind an attention product.

    Raises CompressionError for a parameter that lies along another axis.
    """
    told = [
        _Told(Place(index, branch.name), site)
        for index, branches in enumerate(adapter.branches(network))
        for branch in branches
        for site in branch.neurons
        if max(site.channels, default=1) > 1
    ]
    layers = [module for module in network.modules() if isinstance(module, Weighted)]
    behind = [one for one in told if one.site.layer is not None]
    answers = _Answers()
    with ExitStack() as stack:
        for layer in {one.site.layer for one in behind}:
            assert layer is not None
            stack.callback(layer.register_forward_hook(_second_channel_nan).remove)
        for one in behind:
            stack.callback(one.neuron.register_forward_pre_hook(_taken(one, answers)).remove)
        _clean(stack, layers)
        show(network, samples)
    for one in {one.key: one for one in told if one.site.layer is None}.values():
        emitted: list[Tensor] = []

        def arrived(one: _Told = one, emitted: list[Tensor] = emitted) -> None:
            answers.note(one, emitted[0])

        with ExitStack() as stack:
            stack.callback(one.neuron.register_forward_hook(_emitted(one, emitted)).remove)
            _clean(stack, layers, one, arrived)
            show(network, samples)
    return answers.result(told)


def _second_channel_nan(layer: Weighted, _given: object, out: Tensor) -> Tensor:
    made = out.clone()
    made.movedim(1 - layer.weight.ndim, 0)[min(1, len(layer.weight) - 1)] = torch.nan
    return made


def _taken(
    one: _Told, answers: _Answers
) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...] | None]:
    """Looks at what neurons take, and cleans it."""

    def look(_neuron: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if not given:
            return None
        x, *rest = given
        lost = x.isnan()
        told = lost.any() and not lost.all()
        if told and not (one.fits(x) and _is_channel(lost, one.axes)):
            size = max(one.site.channels)
            axes = [a for a in range(2 - x.ndim, 0) if x.shape[a] == size]
            found = [axis for axis in axes if _is_channel(lost, (axis,))]
            but = f"a channel of their layer lies {_along(x, found)}"
            wanted = f"Inside(neurons={{{one.site.name!r}: {_shape(size, found)}}})"
            raise _refusal(one, _along(x, list(one.axes)), but, wanted if found else _MIXED)
        if told:
            answers.note(one, x)
        return (x.nan_to_num(), *rest)

    return look


def _emitted(one: _Told, seen: list[Tensor]) -> Callable[[nn.Module, object, Tensor], Tensor]:
    """Makes one channel of what neurons emit NaN; it is put into `seen`."""

    def change(_neuron: nn.Module, _given: object, out: Tensor) -> Tensor:
        seen.append(out)
        return out.masked_fill(one.channel(out), torch.nan) if one.fits(out) else out

    return change


def _clean(
    stack: ExitStack,
    layers: list[Weighted],
    one: _Told | None = None,
    arrived: Callable[[], None] = lambda: None,
) -> None:
    """While the stack lasts, layers read no NaN; what `one` emitted has to be one input of each."""

    def clean(layer: Weighted, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if not given:
            return None
        x, *rest = given
        lost = x.isnan()
        if lost.any() and not lost.all():
            arrived()
        if one is not None and not _is_channel(lost, (1 - layer.weight.ndim,)):
            lies = f"along axis {one.axes[0]}, counted from the last, of what they emit"
            many = f"one entry of it arrives as several of the {layer.weight.shape[1]} inputs"
            but = f"{many} of the layer that reads them"
            raise _refusal(one, lies, but, "the axis of their channels")
        return (x.nan_to_num(), *rest)

    for layer in layers:
        stack.callback(layer.register_forward_pre_hook(clean).remove)


def _is_channel(lost: Tensor, axes: tuple[int, ...]) -> bool:
    """Whether what is lost may be a channel along these axes: one index, or no other axis told."""
    kept = [axis % lost.ndim for axis in axes]
    others = [axis for axis in range(lost.ndim) if axis not in kept]
    along = lost.any(others, keepdim=True) if others else lost
    return int(along.sum()) <= 1 or bool((lost == along).all())


def _along(x: Tensor, axes: list[int]) -> str:
    where = " or ".join(f"{axis + x.ndim}" for axis in axes)
    return f"along axis {where} of {list(x.shape)}" if axes else f"along no axis of {list(x.shape)}"


def _shape(size: int, axes: list[int]) -> str:
    """A parameter's shape along the first of some axes; empty where there is none."""
    return str((size, *[1] * (-axes[0] - 1))) if axes else ""


_MIXED = (
    "a transpose where the network reshapes before them, which mixes channels with tokens; or a "
    "search space whose neurons do not learn per 'channel'"
)
"""What to do where nothing that neurons take is a channel any more."""


def _refusal(one: _Told, lies: str, but: str, wanted: str) -> CompressionError:
    return CompressionError(
        f"{one.place}: what {one.site.name!r} learns per channel, of shape {one.site.channels}, "
        f"lies {lies}, but {but}; expected {wanted}"
    )
