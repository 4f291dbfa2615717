"""Surgery: what a method does to a network, before, while and after it is fine-tuned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from autoprune.compress.part import Part
from autoprune.compress.setting import Value
from autoprune.networks.adapter import Matrix, ModelAdapter

AfterStep = Callable[[float], None]
"""Called after every step of training with the share of steps that are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A network under surgery.

    Attributes:
        network: a copy of the parent; changed in place.
        adapter: shows its branches as they are now.
        options: every method's, by name, as the study tells them or by default.
        samples: inputs [samples, ...] on which spikes may be counted; None where there are none.
        trains: whether fine-tuning follows.
        seed: of what a method draws.
    """

    network: nn.Module
    adapter: ModelAdapter
    options: Mapping[str, Value]
    samples: Tensor | None = None
    trains: bool = False
    seed: int = 0


class Surgery:
    """What a method does, step by step; a step that is not overridden does nothing.

    An empty part changes nothing, bit for bit.
    """

    def reshape(self, subject: Subject, part: Part) -> None:
        """Exchange modules and change sizes; what an exported network repeats before it loads."""

    def thin(self, subject: Subject, part: Part) -> None:
        """Set weights to zero, once all sizes are what they stay."""

    def training(self, subject: Subject, part: Part) -> AbstractContextManager[AfterStep | None]:
        """Entered while the network is fine-tuned; gives what is to be called after each step."""
        return nullcontext()

    def finish(self, subject: Subject, part: Part) -> None:
        """Change weights after fine-tuning."""

    def learned(self, network: nn.Module) -> list[nn.Parameter]:
        """The parameters that it adds to those of the parent, to be learned in fine-tuning."""
        return []

    def starts(self, network: nn.Module) -> dict[str, dict[str, float]]:
        """What `reshape` took from the parent and put into no tensor, by module."""
        return {}

    def restart(self, network: nn.Module, starts: Mapping[str, Mapping[str, float]]) -> None:
        """Put what `starts` gave into a network of the same form."""

    def plain(self, module: Any) -> nn.Module | None:
        """A module that does in operations of ONNX what one of this method's does; else None."""
        return None


def matrices(model: nn.Module, adapter: ModelAdapter) -> list[Matrix]:
    """The weight matrices of all blocks that are left."""
    return [
        matrix
        for branches in adapter.branches(model)
        for branch in branches
        for matrix in branch.matrices
    ]
