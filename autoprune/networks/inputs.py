"""How samples are shown to a network: images as they are, events with time first."""

from __future__ import annotations

from torch import Tensor, nn

from autoprune.errors import CompressionError


def present(model: nn.Module, inputs: Tensor) -> Tensor:
    """What `model` is called with.

    Args:
        model: the network; for events it needs its time steps in an attribute T.
        inputs: images [B, C, H, W], which the network repeats over time itself, or frames of
            events [B, frames, 2, H, W].

    Images stay as they are. Frames of events become [T, B, 2, H, W]; where a plan runs for fewer
    steps than there are frames, as many neighbouring frames are added up to one.

    Raises CompressionError where T does not divide the number of frames.
    """
    if inputs.ndim != 5:
        return inputs
    frames, steps = inputs.shape[1], getattr(model, "T", None)
    if not isinstance(steps, int) or frames % steps:
        raise CompressionError(
            f"{type(model).__name__}: {frames} frames of events for {steps} time steps; expected "
            "time steps that divide the frames"
        )
    return inputs.unflatten(1, (steps, -1)).sum(2).transpose(0, 1).contiguous()
