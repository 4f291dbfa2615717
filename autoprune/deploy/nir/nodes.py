"""One layer of a network as a node of NIR.

A neuron fires here where H >= theta and in NIR where V > V_threshold. Written is the largest number
of float32 below theta, above which a number of float32 is just where it is not below theta: both
fire on the same potentials. A decay is written as tau = dt / k, and a constant that is added to
what neurons take as the potential to which they leak.
"""

from __future__ import annotations

from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from spikingjelly.activation_based import neuron
from torch import nn

from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.networks.adapter import Weighted
from autoprune.networks.nir.network import STEP_S


class NotHeld(ValueError):
    """What neither NIR nor an extension node holds, in words."""


Shape = tuple[int, ...]
Numbers = NDArray[np.float64]


def weighted_node(module: Weighted, shape: Shape) -> Any:
    """A layer with weights whose input has this shape; NotHeld where NIR has none like it."""
    weight = _numpy(module.weight)
    held = None if module.bias is None else _numpy(module.bias)
    if isinstance(module, nn.Linear):
        if len(shape) != 1:
            raise NotHeld(f"a linear layer of a signal {list(shape)}; NIR's take one axis")
        return nir.Linear(weight) if held is None else nir.Affine(weight, held)
    if module.padding_mode != "zeros":
        raise NotHeld(f"padding of {module.padding_mode}; NIR's is of zeros")
    bias = np.zeros(len(weight), weight.dtype) if held is None else held
    one = isinstance(module, nn.Conv1d)
    walk = {
        key: value if isinstance(value, str) else value[0] if one else tuple(value)
        for key in ("stride", "padding", "dilation")
        for value in [getattr(module, key)]
    }
    kind = nir.Conv1d if one else nir.Conv2d
    side = shape[-1] if one else shape[-2:]
    return kind(side, weight, groups=module.groups, bias=bias, **walk)


def mean_node(channels: int, width: int) -> Any:
    """The mean over the last axis of [channels, width], a convolution of which most is zero.

    One by channel would hold no zeros, but spikingjelly's importer, and nir's own check of types,
    take no groups.
    """
    weight = np.zeros((channels, channels, width), np.float32)
    weight[np.arange(channels), np.arange(channels)] = 1 / width
    return nir.Conv1d(width, weight, 1, 0, 1, 1, np.zeros(channels, np.float32))


def pool_arguments(pool: Any) -> dict[str, NDArray[np.int64]]:
    """Kernel, stride and padding of a pooling layer; NotHeld for others."""
    unusual = pool.ceil_mode or getattr(pool, "dilation", 1) != 1
    if unusual or getattr(pool, "divisor_override", None) is not None:
        raise NotHeld(f"an unusual {type(pool).__name__}")
    if not getattr(pool, "count_include_pad", True) and np.any(np.asarray(pool.padding)):
        raise NotHeld("averages that leave the border out")
    keys = ("kernel_size", "stride", "padding")
    return {key: np.broadcast_to(np.asarray(getattr(pool, key)), 2).copy() for key in keys}


def neuron_node(module: Any, shape: Shape, constant: Numbers | None) -> Any:
    """Neurons that take a signal of this shape, to which a constant is added.

    Raises NotHeld for neurons that NIR does not hold.
    """
    known = (neuron.IFNode, neuron.LIFNode, neuron.ParametricLIFNode, SLIFNode)
    if type(module) not in known:
        names = ", ".join(kind.__name__ for kind in known)
        raise NotHeld(f"neurons {type(module).__name__}; written are {names}")
    if module.v_reset is None:
        raise NotHeld("soft reset; NIR's neurons are set to a potential")
    theta = module.threshold if isinstance(module, SLIFNode) else module.v_threshold
    below = np.nextafter(_array(theta, shape).astype(np.float32), np.float32(-np.inf))
    ends = {"v_threshold": below, "v_reset": np.full(shape, module.v_reset, np.float32)}
    if type(module) is neuron.IFNode:
        if constant is not None:
            raise NotHeld("a constant is added to what IF takes, which NIR's IF has not")
        return nir.IF(r=np.full(shape, 1 / STEP_S), **ends)
    k = _array(_decay(module), shape)
    leak = np.full(shape, float(module.v_reset))
    if constant is not None:
        leak = leak + (constant if module.decay_input else constant / k)
    r = np.ones(shape) if module.decay_input else 1 / k
    return nir.LIF(tau=STEP_S / k, r=r, v_leak=leak, **ends)


def _decay(module: Any) -> Any:
    """The factor k = 1 / tau."""
    if isinstance(module, SLIFNode):
        return module.decay
    return 1 / module.tau if type(module) is neuron.LIFNode else module.w.detach().sigmoid()


def _array(value: Any, shape: Shape) -> Numbers:
    """One number for each neuron, in float64."""
    given = torch.as_tensor(value).detach().cpu().double().numpy()
    return np.broadcast_to(given, shape).copy()


def _numpy(parameter: torch.Tensor) -> NDArray[np.float32]:
    return parameter.detach().cpu().numpy().astype(np.float32)
