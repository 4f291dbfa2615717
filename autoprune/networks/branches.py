"""branch: what an adapter says of one branch, checked and turned into a `Branch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from torch import nn

from autoprune.errors import CompressionError
from autoprune.networks.adapter import (
    Branch,
    Cut,
    Inside,
    Matrix,
    NeuronSite,
    Projection,
    Weighted,
)
from autoprune.networks.stand_in import Bypassed, Removed

Residual = Literal["outside", "inside"]


def branch(
    name: str,
    owner: nn.Module,
    attribute: str,
    describe: Callable[[Any], Inside],
    residual: Residual = "outside",
) -> Branch:
    """The branch at attribute `attribute` of `owner`.

    Args:
        name: ``attention``, ``mlp`` or ``mixer``.
        owner: the module in which it stands; a removed branch is replaced there.
        attribute: its name there.
        describe: called with that module unless it was removed.
        residual: whether the residual is added ``outside`` of the module, as in
            ``x + block.mlp(x)``, or ``inside``, as in ``block.mlp(x)``.

    Raises CompressionError where the description does not hold together.
    """
    module = getattr(owner, attribute)
    stand_in: type[nn.Module] = Removed if residual == "outside" else Bypassed
    if isinstance(module, Removed | Bypassed):
        return Branch(name=name, owner=owner, attribute=attribute, stand_in=stand_in)
    inside = describe(module)
    where = f"{name} {type(module).__name__}"
    matrices, cuts = _inner(where, inside.inner)
    dimensions = _one(where, (_rows(matrix) for matrix in matrices))
    if dimensions % inside.groups:
        raise CompressionError(
            f"{where}: {dimensions} inner dimensions are no multiple of {inside.groups} groups"
        )
    for label, projection in inside.outer.items():
        matrices.append(Matrix(name=label, module=projection.module))
        cuts[label] = Cut(module=projection.module, side="in", norm=projection.norm)
    ties = () if inside.fixed else tuple(_tie(where, tie, cuts) for tie in inside.ties)
    return Branch(
        name=name,
        groups=inside.groups,
        size=dimensions // inside.groups,
        fixed=inside.fixed,
        ties=ties,
        matrices=tuple(matrices),
        neurons=tuple(_neurons(where, module, inside)),
        owner=owner,
        attribute=attribute,
        stand_in=stand_in,
        local=inside.local,
    )


def _inner(
    where: str, projections: Mapping[str, Projection]
) -> tuple[list[Matrix], dict[str, Cut]]:
    """Matrices and cuts of the inner projections, fused layers divided evenly."""
    matrices, cuts = [], {}
    for label, projection in projections.items():
        module = projection.module
        fused = [n for n, other in projections.items() if other.module is module]
        channels = int(module.weight.shape[0])
        if channels % len(fused):
            raise CompressionError(
                f"{where}: {channels} outputs hold no {len(fused)} equal matrices"
            )
        size = channels // len(fused)
        offset = fused.index(label) * size
        matrices.append(Matrix(name=label, module=module, rows=slice(offset, offset + size)))
        cuts[label] = Cut(
            module=module,
            side="out",
            offset=offset,
            norm=projection.norm,
            neuron=projection.neuron,
        )
    return matrices, cuts


def _rows(matrix: Matrix) -> int:
    return int(matrix.weight.shape[0])


def _one(where: str, sizes: Iterator[int]) -> int:
    different = set(sizes)
    if len(different) != 1:
        raise CompressionError(
            f"{where}: inner matrices of {sorted(different)} outputs; expected the same for all"
        )
    return different.pop()


def _tie(where: str, names: str, cuts: Mapping[str, Cut]) -> tuple[Cut, ...]:
    unknown = [name for name in names.split() if name not in cuts]
    if unknown:
        raise CompressionError(f"{where}: tie of unknown matrix {unknown[0]!r}; it has {[*cuts]}")
    return tuple(cuts[name] for name in names.split())


def _neurons(where: str, module: nn.Module, inside: Inside) -> Iterator[NeuronSite]:
    """The neurons behind the projections, each once, and those that are named beside them."""
    places = {
        id(child): (parent, name)
        for parent in module.modules()
        for name, child in parent.named_children()
    }
    shapes: dict[int, tuple[int, ...]] = {}
    layers: dict[int, Weighted] = {}
    for projection in (*inside.inner.values(), *inside.outer.values()):
        if projection.neuron is not None:
            shapes[id(projection.neuron)] = projection.channels
            layers[id(projection.neuron)] = projection.module
    for name, channels in inside.neurons.items():
        shapes[id(module.get_submodule(name))] = channels
    for place, channels in shapes.items():
        if place not in places:
            raise CompressionError(f"{where}: the neurons of a projection are not inside it")
        owner, name = places[place]
        yield NeuronSite(owner=owner, name=name, channels=channels, layer=layers.get(place))
