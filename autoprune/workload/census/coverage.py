"""Coverage: fvcore counts the dense pass that the census counts, and the two are compared.

fvcore has torch record the pass, which takes a tenth as long as the pass itself. What it sees is
decided by the network's structure, so that it looks once per structure and process.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from autoprune.errors import CountingError
from autoprune.workload.workload import Elementwise, Uncounted

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # fvcore still uses torch.jit
    from fvcore.nn import FlopCountAnalysis


@dataclass(frozen=True, slots=True)
class Seen:
    """What fvcore saw of a pass.

    Attributes:
        macs: dense MACs by operator.
        silent: how often it met each operator that it does not count.
    """

    macs: Mapping[str, int]
    silent: Mapping[str, int]


_REMEMBERED = 64
_known: dict[Hashable, tuple[Hashable, Seen]] = {}


def recall(key: Hashable | None) -> tuple[Hashable, Seen] | None:
    """The way of a network of this `structure` in this process, and what fvcore saw on it."""
    return _known.get(key)


def remember(key: Hashable | None, way: Hashable, seen: Seen) -> None:
    """Let `recall` know it, and forget the oldest of too many; nothing without a key."""
    if key is not None:
        _known[key] = way, seen
        while len(_known) > _REMEMBERED:
            del _known[next(iter(_known))]


def observed(model: nn.Module, shown: Tensor) -> Seen:
    """Run `model` on `shown` once while fvcore looks on; hooks and modes see the same pass."""
    with _quiet(), _own_hooks(model):
        analysis = FlopCountAnalysis(model, shown).unsupported_ops_warnings(False)
        analysis.uncalled_modules_warnings(False)
        macs = {name: int(count) for name, count in analysis.by_operator().items()}
        return Seen(macs, dict(analysis.unsupported_ops()))


def uncounted(
    seen: Seen, counts: Mapping[str, int], elementwise: tuple[Elementwise, ...]
) -> list[Uncounted]:
    """Every operation that fvcore sees and `counts` lacks, with its dense MACs.

    Args:
        seen: of the pass that was counted.
        counts: dense MACs that were counted, by fvcore's name of the operation.
        elementwise: what was counted entry by entry.

    Raises CountingError where more was counted than fvcore sees: then one of the two is wrong.
    """
    counted, missing = Counter(counts), []
    for name, macs in sorted(seen.macs.items()):
        macs -= counted.pop(name, 0)
        if macs < 0:
            raise CountingError(f"{name}: counted {-macs} dense MACs more than fvcore sees")
        if macs:
            reason = _reason(name, elementwise)
            missing.append(Uncounted(name=name, dense_macs=macs, reason=reason))
    if any(counted.values()):
        raise CountingError(f"fvcore sees no {', '.join(counted)}, which the census counted")
    missing += [
        Uncounted(name=name, dense_macs=0, reason=f"element by element, {times} times: no MAC")
        for name, times in sorted(seen.silent.items())
    ]
    return missing


def _reason(name: str, elementwise: tuple[Elementwise, ...]) -> str:
    for item in elementwise:
        if item.kind == name:
            return (
                f"counted entry by entry, {item.entries} entries at {item.places} places; "
                "fvcore's MACs are scale and shift, which fold into the product before them"
            )
    return "not counted: the census does not know this function"


@contextmanager
def unrecorded() -> Iterator[None]:
    """While this lasts, fvcore sees nothing: what is done to count is no part of a pass."""
    state = torch._C._get_tracing_state()
    torch._C._set_tracing_state(None)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch._C._set_tracing_state(state)  # type: ignore[attr-defined]


@contextmanager
def _quiet() -> Iterator[None]:
    """While this lasts, fvcore and the recording of a pass say nothing."""
    logger = logging.getLogger("fvcore.nn.jit_analysis")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*torch\.jit")  # deprecated, says torch
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _own_hooks(model: nn.Module) -> Iterator[None]:
    """Leaves no hook behind that was set in here: fvcore forgets its own where a pass raises."""
    kinds = ("_forward_pre_hooks", "_forward_hooks")
    before = [(m, kind, set(getattr(m, kind))) for m in model.modules() for kind in kinds]
    try:
        yield
    finally:
        for module, kind, known in before:
            hooks = getattr(module, kind)
            for key in [key for key in hooks if key not in known]:
                del hooks[key]
