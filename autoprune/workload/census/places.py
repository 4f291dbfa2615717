"""Where an operation stands in a network: its name, block and branch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.place import HEAD, STEM, Place
from autoprune.workload.op import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an operation stands, and what is asked of it there.

    Attributes:
        name, block, branch: as in `autoprune.workload.op.Op`. What is not a layer stands under no
            name of its own yet: `name` begins it.
        with_activity: whether the figures of `autoprune.workload.parts.Activity` are taken.
        with_tiles: whether product sparsity is, too.
    """

    name: str
    block: int | None
    branch: str
    with_activity: bool = True
    with_tiles: bool = False

    def op(self, **figures: Any) -> Op:
        """An Op that stands here, of its other figures."""
        return Op(name=self.name, block=self.block, branch=self.branch, **figures)


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a network.

    Attributes:
        by_weight: where a layer stands, by the name of its weight.
        by_path: where anything else stands, by the path of a module around it.
    """

    by_weight: dict[str, Site] = field(default_factory=dict)
    by_path: dict[str, Site] = field(default_factory=dict)

    @classmethod
    def of(cls, model: nn.Module, adapter: ModelAdapter | None) -> Places:
        """As an adapter tells them; without one, by the modules' own paths."""
        found = cls()
        if adapter is not None:
            found._read(model, adapter)
        return found

    def layer(self, weight: str) -> Site:
        """Where the layer of a weight stands."""
        path = weight.rpartition(".")[0]
        return self.by_weight.get(weight) or Site(name=path or weight, block=None, branch="")

    def around(self, path: str) -> Site:
        """Where what a module does itself stands: the longest known path around it."""
        known = [p for p in self.by_path if path == p or path.startswith(f"{p}.")]
        if known:
            return self.by_path[max(known, key=len)]
        return Site(name=path, block=None, branch="")

    def _read(self, model: nn.Module, adapter: ModelAdapter) -> None:
        paths = {id(module): path for path, module in model.named_modules()}
        for index, branches in enumerate(adapter.branches(model)):
            for branch in branches:
                prefix = str(Place(index, branch.name))
                path = f"{paths[id(branch.owner)]}.{branch.attribute}".removeprefix(".")
                self.by_path[path] = Site(name=prefix, block=index, branch=branch.name)
                labels: dict[str, str] = {}
                for matrix in branch.matrices:
                    weight = f"{paths[id(matrix.module)]}.weight"
                    labels[weight] = labels.get(weight, "") + matrix.name
                for weight, label in labels.items():
                    self.by_weight[weight] = Site(
                        name=f"{prefix}.{label}", block=index, branch=branch.name
                    )
        for place, matrices in zip((STEM, HEAD), adapter.outside(model), strict=True):
            for matrix in matrices:
                weight = f"{matrix.name}.weight"
                self.by_weight[weight] = Site(name=matrix.name, block=None, branch=place.part)


class Names:
    """Which parameter a tensor is, or was made of: what a layer is called by.

    Args:
        model: the network.
        places: of the network.
    """

    def __init__(self, model: nn.Module, places: Places) -> None:
        self._places = places
        self._modules = dict(model.named_modules())
        every = (*model.named_buffers(), *model.named_parameters())
        self._known = {_memory(x): name for name, x in every}

    def derived(self, results: list[Tensor], inputs: list[Tensor]) -> None:
        """What is made of parameters is known by the first of them."""
        name = next(filter(None, map(self.of, inputs)), None)
        for result in results:
            if name is not None and self._known.get(_memory(result)) is None:
                setattr(result, _NAME, name)

    def of(self, x: Tensor) -> str | None:
        """The parameter that it is, or was made of first; None of what is made of none."""
        return self._known.get(_memory(x)) or getattr(x, _NAME, None)

    def site(self, weight: Tensor, path: str) -> Site:
        """Where the layer of a weight that the module `path` uses stands."""
        module = self._modules[path]
        own = set(name for name, _ in module.named_children()) - {"parametrizations"}
        if not own and hasattr(module, "weight"):
            return self._places.layer(f"{path}.weight".removeprefix("."))
        name = self.of(weight)
        if name is None:
            around = self._places.around(path)
            return replace(around, name=f"{around.name}.layer".removeprefix("."))
        if ".parametrizations." in f".{name}":
            before, _, rest = f".{name}".rpartition(".parametrizations.")
            name = f"{before}.{rest.split('.')[0]}".removeprefix(".")
        return self._places.layer(name)


_NAME = "_autoprune_name"


def _memory(x: Tensor) -> int:
    return x.untyped_storage().data_ptr() if x.layout == torch.strided else id(x)
