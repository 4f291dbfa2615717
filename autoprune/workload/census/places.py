"""Where an operation stands in a network: its name, block and branch."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.place import HEAD, STEM, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an operation stands, and what is asked of it there.

    Attributes:
        name, block, branch, producers: as in `autoprune.workload.op.Op`. What is not a layer stands
            under no name of its own yet: `name` begins it.
        with_activity: whether the figures of `autoprune.workload.parts.Activity` are taken.
        with_tiles: whether product sparsity is, too.
    """

    name: str
    block: int | None
    branch: str
    producers: tuple[str, ...] = ()
    with_activity: bool = True
    with_tiles: bool = False


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
