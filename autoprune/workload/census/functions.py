"""What torch's operators do, where torch itself does not say it: who multiplies, and who does not.

Torch marks what is entrywise, a reduction or a view, and the core of which all else is made; of the
core, those that multiply are known. Every other operator that is not listed here is named as one
that may multiply.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import flop_registry

from autoprune.workload.census.call import Call, tensors

CONVOLUTIONS = {"convolution", "_convolution", "convolution_overrideable"}
MATRICES = {
    **dict.fromkeys(("mm", "bmm", "mv", "_int_mm"), (0, 1)),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm", "addmv", "_sparse_addmm"), (1, 2, 0)),
}
"""What multiplies matrices: where its left and its right one stand, and what is added."""

ADDITIONS = {"add", "sub", "rsub"}
JOINS = {"stack", "cat"}
CHOICES = {"index", "index_select", "gather", "masked_select"}
"""What gives entries of its first argument at places that the others tell."""

_FREE = {
    *("stack", "roll", "tril", "triu", "median", "cumprod", "cummax", "masked_select", "zero"),
    *("index_add", "index_fill", "masked_fill", "im2col", "diag_embed", "set", "replication_pad1d"),
    *("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "upsample_nearest1d"),
    *("upsample_nearest3d", "_unique2", "histc", "_safe_softmax", "_fused_dropout"),
    *("_prelu_kernel", "glu", "bernoulli", "poisson"),
}
"""Operators that are not marked and give real numbers, and that multiply no matrices."""

_UNKNOWN = {"_fft_r2c", "_fft_c2r", "grid_sampler_2d", "upsample_bilinear2d", "_pdist_forward"}
_UNKNOWN |= {"_embedding_bag"}
"""Those of torch's core that multiply, nobody knows how often."""


def multiplies(call: Call) -> int | None:
    """Dense MACs of a call that the census does not count; 0 of one that is known to be free.

    None where it may multiply, nobody knows how often.
    """
    packet, name = call.function.overloadpacket, call.name
    if packet in flop_registry:
        parts = 4 if any(map(torch.is_complex, call.inputs)) else 1
        return parts * int(flop_registry[packet](*call.args, **call.named, out_val=call.out)) // 2
    if name in _MACS:
        return _MACS[name](call)
    if name in _UNKNOWN or call.function.namespace not in ("aten", "prims"):
        return None
    marked = call.is_same or call.is_entrywise or call.is_reduction or call.is_pool or call.is_core
    named = name in _FREE or call.makes or call.is_batch_norm
    real = any(x.is_floating_point() or x.is_complex() for _, x in call.results)
    return 0 if marked or named or not real else None


def _trilinear(call: Call) -> int:
    shapes = []
    for x, places in zip(call.args[:3], call.args[3:6], strict=True):
        shape = list(x.shape)
        for place in places:
            shape.insert(place, 1)
        shapes.append(shape)
    return torch.Size(torch.broadcast_shapes(*shapes)).numel()


def _entries(call: Call) -> int:
    return int(call.args[0].numel())


def _recurrent(call: Call) -> int:
    """Every weight of a gate is used once per step and sample."""
    weights = [w for w in tensors(call.args[1:3]) if w.ndim == 2]
    return call.args[0].shape[:2].numel() * sum(w.numel() for w in weights)


def _distances(call: Call) -> int:
    a, b = call.args[:2]
    return a.shape[:-1].numel() * b.shape[-2] * a.shape[-1]


_MACS = {
    "_trilinear": _trilinear,
    "mkldnn_rnn_layer": _recurrent,
    "_cudnn_rnn": _recurrent,
    "_cdist_forward": _distances,
    "_euclidean_dist": _distances,
    "dot": _entries,
    "vdot": _entries,
}
"""Dense MACs of operators that `torch.utils.flop_counter` does not know either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """How a convolution walks over its input, one entry per dimension; a linear layer has none.

    Attributes:
        stride, padding, dilation, groups: of the layer.
        transposed: whether it is a transposed one: every input reaches several outputs.
    """

    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    transposed: bool = False


LINEAR = Convolution()
"""What a linear layer has in its place."""
