"""What torch's operators do, where torch itself does not say it: who multiplies, and who does not.

Entrywise operators, reductions and views are marked by torch. Every other operator that is not
listed here is named as one that may multiply.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import flop_registry

from autoprune.workload.census.call import Call, tensors

CONVOLUTIONS = {"convolution", "_convolution", "convolution_overrideable"}
MATRICES = {
    **dict.fromkeys(("mm", "bmm", "mv", "_int_mm"), (0, 1)),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm", "addmv"), (1, 2, 0)),
}
"""What multiplies matrices: where its left and its right one stand, and what is added."""

ADDITIONS = {"add", "sub", "rsub"}
JOINS = {"stack", "cat"}
_ORDERS = {"sort", "topk", "median", "cumsum", "cumprod", "cummax", "flip", "roll", "tril", "triu"}
_CHOOSES = {
    *("index", "index_select", "gather", "scatter", "scatter_add", "index_put", "index_add"),
    *("masked_select", "nonzero", "embedding", "copy", "fill", "zero", "im2col"),
    *("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad1d"),
    *("replication_pad2d", "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"),
    *("slice_scatter", "select_scatter", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"),
    *("resize", "set", "index_fill", "masked_scatter", "diag_embed", "repeat"),
}
MAKES = {  # whatever shape or type they take from a tensor, they take nothing else
    *("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full"),
    *("new_empty", "new_empty_strided", "rand_like", "randn_like", "randint_like", "linspace"),
    *("uniform", "normal", "random"),
}
_READS = {"_local_scalar_dense", "bincount", "isin", "_unique2", "histc"}
_READS |= {"searchsorted", "bucketize"}
_NORMS = {
    *("native_batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit"),
    *("cudnn_batch_norm", "native_layer_norm", "native_group_norm"),
    *("_softmax", "_log_softmax", "_safe_softmax", "native_dropout"),
}
BATCH_NORMS = {name for name in _NORMS if "batch_norm" in name}
FREE = JOINS | _ORDERS | _CHOOSES | MAKES | _READS | _NORMS
FREE |= {"masked_fill", "_fused_dropout", "_prelu_kernel", "glu", "bernoulli", "poisson"}
"""Operators that torch marks neither as entrywise nor as views or reductions, and that are neither
copies nor pools, and multiply no matrices."""


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
    free = call.is_same or call.is_entrywise or call.is_reduction or call.is_pool or name in FREE
    return 0 if free and call.function.namespace in ("aten", "prims") else None


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
