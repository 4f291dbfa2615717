"""How samples are shown to a network: images as they are, frames along the axis that it takes."""

from __future__ import annotations

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.errors import CompressionError

IMAGES = 4
"""Axes of a batch of images, [B, C, H, W]: the one kind of samples without time."""

FRAMES = 5
"""Axes of a batch of frames of events, [B, frames, 2, H, W], which have time unless it is said
that they have none."""


def time_axis_of(model: nn.Module) -> int:
    """The axis along which `model` takes time: 0 of [T, B, ...], the default, or 1 of [B, T, ...].

    A network says it by an attribute ``time_axis``. CompressionError for any other axis.
    """
    axis = getattr(model, "time_axis", 0)
    if axis not in (0, 1):
        raise CompressionError(
            f"{type(model).__name__}: time_axis is {axis!r}; expected 0, of frames [T, B, ...], or "
            "1, of frames [B, T, ...]"
        )
    return int(axis)


def has_time(model: nn.Module, inputs: Tensor) -> bool:
    """Whether the second axis of samples is time: of frames, or since the network says so.

    One of volumes [B, C, D, H, W] says by ``time_axis = None`` that it is not.
    """
    if getattr(model, "time_axis", 0) is None:
        return False
    said = hasattr(model, "time_axis") and inputs.ndim not in (1, 2, IMAGES)
    return inputs.ndim == FRAMES or said


def present(model: nn.Module, inputs: Tensor) -> Tensor:
    """What `model` is called with.

    Args:
        model: the network; for frames it needs its time steps in an attribute T.
        inputs: images [B, C, H, W], which the network repeats over time itself, or frames of
            events [B, frames, 2, H, W]; anything else [B, frames, ...] of a network that says its
            ``time_axis``.

    Images stay as they are. Frames become [T, B, ...], or [B, T, ...] where the time axis is 1;
    where a plan runs for fewer steps than there are frames, as many neighbouring frames are added
    up to one.

    Raises CompressionError where T does not divide the number of frames.
    """
    if not has_time(model, inputs):
        return inputs
    frames, steps = inputs.shape[1], getattr(model, "T", None)
    if steps is None:
        raise CompressionError(
            f"{type(model).__name__} has no attribute T; say into how many time steps its {frames} "
            "frames of events go"
        )
    if not isinstance(steps, int) or frames % steps:
        raise CompressionError(
            f"{type(model).__name__}: {frames} frames of events for {steps} time steps; expected "
            "time steps that divide the frames; of a network of volumes [B, C, D, H, W], which "
            "have no time, its attribute time_axis = None"
        )
    shown = inputs.unflatten(1, (steps, -1)).sum(2)
    return shown if time_axis_of(model) else shown.transpose(0, 1).contiguous()


def check_time_axis(model: nn.Module, inputs: Tensor) -> None:
    """Show frames of another number of samples than time steps: then shapes tell the two apart.

    As many samples as steps would hide that a network takes the one for the other. What it gives
    has to have a row per sample; where that may as well be a row per step, what is changed in one
    sample must not reach another one. Nothing is asked of images, and of a network that gives no
    tensor.

    Args:
        model: in evaluation mode; stays as it is.
        inputs: a batch of at least one sample.

    Raises CompressionError where the network takes the other axis for time.
    """
    if not has_time(model, inputs):
        return
    steps = getattr(model, "T", 1)
    samples = 3 if steps == 2 else 2
    frames = inputs[torch.arange(samples, device=inputs.device) % len(inputs)]
    out = _out(model, frames)
    if not isinstance(out, Tensor) or not out.ndim:
        return
    rows = [axis for axis, length in enumerate(out.shape[:2]) if length == samples]
    stepped = len(rows) == 1 and out.ndim > 2 and out.shape[1 - rows[0]] == steps
    if rows and not (stepped and any(_mixes(model, gain * frames, rows[0]) for gain in _GAINS)):
        return
    axis = time_axis_of(model)
    ways = [f"[T, B, ...] = [{steps}, {samples}, ...]", f"[B, T, ...] = [{samples}, {steps}, ...]"]
    raise CompressionError(
        f"{type(model).__name__}: shown frames {ways[axis]} it gives {list(out.shape)}, which are "
        f"not {samples} samples that do not depend on each other; expected a network that takes "
        f"time along axis {axis}, or, for one that takes {ways[1 - axis]}, time_axis = {1 - axis}"
    )


_GAINS = (1, 4, 16, 64)
"""Factors of frames: neurons that are silent, or fire in every step, show no memory."""


def _out(model: nn.Module, frames: Tensor) -> object:
    functional.reset_net(model)
    with torch.inference_mode():
        out = model(present(model, frames))
    functional.reset_net(model)
    return out


def _mixes(model: nn.Module, frames: Tensor, axis: int) -> bool:
    """Whether what the first sample is shown changes what another one gives, along `axis`.

    Of a network that does not repeat itself nothing is known.
    """
    changed = frames.clone()
    changed[0] = changed.amax() - changed[0]
    outs = [_out(model, shown) for shown in (frames, frames, changed)]
    before, again, other = (out.movedim(axis, 0) for out in outs if isinstance(out, Tensor))
    return torch.equal(before, again) and not torch.equal(before[1:], other[1:])
