"""Where a pass through a network fails: its block and branch, its module, the line of code."""

from __future__ import annotations

import linecache
import traceback
from contextlib import ExitStack
from pathlib import Path

import spikingjelly
import torch
from torch import Tensor, nn

import autoprune
from autoprune.errors import AutopruneError, CompressionError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.place import Place
from autoprune.trial.training import outputs

_LIBRARIES = tuple(
    str(Path(str(module.__file__)).resolve().parent) for module in (torch, spikingjelly, autoprune)
)


class FailedPassError(CompressionError):
    """A network does not run; the message says where in it, and at which line of the user's."""


def run_pass(model: nn.Module, adapter: ModelAdapter, samples: Tensor) -> Tensor:
    """What a network gives for samples; what our own code refuses is raised as it is.

    Raises FailedPassError where the network's code raises.
    """
    running: list[str] = []
    with ExitStack() as stack:
        for path, module in model.named_modules():

            def enter(_module: object, _given: object, path: str = path) -> None:
                running.append(path)

            def leave(*_: object) -> None:
                running.pop()

            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        try:
            return outputs(model, samples)
        except AutopruneError:
            raise
        except Exception as error:
            where = _where(model, adapter, running[-1]) if running else type(model).__name__
            line = line_of(error)
            said = f"{type(error).__name__}: {error}"
            raise FailedPassError(f"{where}: {said}{line and f', at {line}'}") from error


def line_of(error: BaseException) -> str:
    """The innermost line of code that is neither ours nor a library's; empty where there is none.

    Such as ``net.py:24: y = y.reshape(T, B, N, self.hidden)``.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = str(Path(frame.filename).resolve())
        if not file.startswith(_LIBRARIES) and "site-packages" not in file:
            code = (frame.line or linecache.getline(file, frame.lineno or 0)).strip()
            return f"{Path(file).name}:{frame.lineno}: {code}"
    return ""


def _where(model: nn.Module, adapter: ModelAdapter, path: str) -> str:
    """A module in words: its branch, its path and its class."""
    modules = dict(model.named_modules())
    paths = {id(module): name for name, module in modules.items()}
    words = f"{path or 'the network'} ({type(modules[path]).__name__})"
    for index, branches in enumerate(adapter.branches(model)):
        for branch in branches:
            own = paths.get(id(getattr(branch.owner, branch.attribute)), "")
            if own and f"{path}.".startswith(f"{own}."):
                return f"{Place(index, branch.name)}: {words}"
    return words
