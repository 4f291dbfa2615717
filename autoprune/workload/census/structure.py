"""Structure: what decides which functions a network calls, as far as that can be told."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import torch
from torch import Tensor, nn

_OWN = frozenset(vars(nn.Module()))  # what every module has: parameters, hooks and the like
_PLAIN = (type(None), bool, int, float, str, type, torch.dtype, torch.device)


class _UnknownError(Exception):
    """Something whose part in a forward pass cannot be told."""


def structure(model: nn.Module, shown: Tensor) -> Hashable | None:
    """Equal for networks that call the same functions on tensors of the same shapes.

    It holds the modules' paths, classes and plain attributes, and the shapes of all parameters and
    of `shown`; not the data, on which a network's way may depend, too. None where a module holds
    anything else, such as a function or a hook.
    """
    try:
        return _frozen(shown), tuple(_modules(model))
    except _UnknownError:
        return None


def _modules(model: nn.Module) -> Iterator[Hashable]:
    for path, module in model.named_modules():
        if module._forward_hooks or module._forward_pre_hooks:
            raise _UnknownError
        attributes = {k: v for k, v in vars(module).items() if k not in _OWN}
        tensors = {**module._parameters, **module._buffers}
        kind = type(module)
        yield path, kind, kind.forward, _frozen(attributes), _frozen(tensors)


def _frozen(value: object) -> Hashable:
    if isinstance(value, Tensor):
        return value.shape, value.dtype, value.device.type
    if isinstance(value, tuple | list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return tuple((_frozen(key), _frozen(item)) for key, item in value.items())
    if not isinstance(value, _PLAIN):
        raise _UnknownError
    return type(value), value  # True is not 1
