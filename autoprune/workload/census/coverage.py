"""Coverage: what the census saw of a pass and did not count, by name.

The pass is followed operator by operator, so that nothing escapes: an operator is counted, or is
known to multiply no matrices, or is named with its dense MACs, or is named as one that may
multiply, nobody knows how often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from autoprune.workload.census.call import Call
from autoprune.workload.census.contraction import Entrywise
from autoprune.workload.census.functions import multiplies
from autoprune.workload.workload import FREE, Elementwise, Uncounted

PRODUCTS = "products entry by entry"
CONSTANT = " of constants"
_SHOWN = 3  # modules that are named


class Coverage:
    """Operators on activations that are not counted as operations."""

    def __init__(self) -> None:
        self._free: Counter[str] = Counter()
        self._macs: Counter[str] = Counter()
        self._where: dict[str, dict[str, None]] = {}
        self.products: list[Entrywise] = []

    def see(self, call: Call, path: str, *, constant: bool = False) -> bool:
        """Take in a call in the module `path`; whether its operator is known.

        `constant` of what does not depend on the input.
        """
        macs, name = multiplies(call), call.name + CONSTANT * constant
        if macs:
            self._macs[name] += macs
        elif macs is None:
            self._macs[name] += 0
        elif not call.is_batch_norm:  # which are among what is counted entry by entry
            self._free[name] += 1
        if macs != 0:
            self._where.setdefault(name, {})[path] = None
        return macs is not None

    def uncounted(self, elementwise: tuple[Elementwise, ...]) -> list[Uncounted]:
        """Everything that was seen, what multiplies first."""
        found = [
            Uncounted(name=item.kind, dense_macs=2 * item.entries, reason=_folded(item))
            for item in elementwise
            if item.kind == "batch_norm"
        ]
        left = [made for made in self.products if made.is_named]
        if left:
            found.append(
                Uncounted(
                    name=PRODUCTS,
                    dense_macs=sum(made.entries for made in left),
                    reason=f"not counted, in {_places([made.path for made in left])}: products "
                    "that are added up otherwise than by one sum over them, a MAC each",
                )
            )
        for name, macs in sorted(self._macs.items()):
            known = "" if macs else "; it may multiply, and its MACs are not known"
            unknown = f"the census does not know this operator{known}"
            alike = "the same for every sample, or torch cannot tell what it was made of"
            why = alike if name.endswith(CONSTANT) else unknown
            reason = f"not counted, in {_places(self._where[name])}: {why}"
            found.append(Uncounted(name=name, dense_macs=macs, reason=reason))
        alone = (made.call for made in self.products if not (made.is_named or made.is_counted))
        free = self._free + Counter(alone)
        return found + [
            Uncounted(name=name, dense_macs=0, reason=f"{FREE}, {times} times: no MAC")
            for name, times in sorted(free.items())
        ]


def _places(paths: Iterable[str]) -> str:
    names = list(dict.fromkeys(path or "the network itself" for path in paths))
    return ", ".join(names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")


def _folded(item: Elementwise) -> str:
    return (
        f"counted entry by entry, {item.entries} entries at {item.places} places; two MACs each, "
        "scale and shift, which fold into the product before them"
    )
