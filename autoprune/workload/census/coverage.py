"""Coverage: what the census saw of a pass and did not count, by name.

The pass is followed operator by operator, so that nothing escapes: an operator is counted, or is
known to multiply no matrices, or is named with its dense MACs, or is named as one that may
multiply, nobody knows how often.
"""

from __future__ import annotations

from collections import Counter

from autoprune.workload.census.call import Call
from autoprune.workload.census.functions import BATCH_NORMS, multiplies
from autoprune.workload.workload import FREE, Elementwise, Uncounted

_SHOWN = 3  # modules that are named


class Coverage:
    """Operators on activations that are not counted as operations."""

    def __init__(self) -> None:
        self._free: Counter[str] = Counter()
        self._macs: Counter[str] = Counter()
        self._where: dict[str, dict[str, None]] = {}

    def see(self, call: Call, path: str) -> None:
        """Take in a call in the module `path`."""
        macs, name = multiplies(call), call.name
        if name in BATCH_NORMS:
            return  # among what is counted entry by entry
        if macs == 0:
            self._free[name] += 1
        else:
            self._macs[name] += macs or 0
            self._where.setdefault(name, {})[path or "the network itself"] = None

    def uncounted(self, elementwise: tuple[Elementwise, ...]) -> list[Uncounted]:
        """Everything that was seen, what multiplies first."""
        found = [
            Uncounted(name=item.kind, dense_macs=2 * item.entries, reason=_folded(item))
            for item in elementwise
            if item.kind == "batch_norm"
        ]
        for name, macs in sorted(self._macs.items()):
            paths = list(self._where[name])
            where = ", ".join(paths[:_SHOWN]) + (" and others" if len(paths) > _SHOWN else "")
            known = "" if macs else "; it may multiply, and its MACs are not known"
            reason = f"not counted, in {where}: the census does not know this operator{known}"
            found.append(Uncounted(name=name, dense_macs=macs, reason=reason))
        return found + [
            Uncounted(name=name, dense_macs=0, reason=f"{FREE}, {times} times: no MAC")
            for name, times in sorted(self._free.items())
        ]


def _folded(item: Elementwise) -> str:
    return (
        f"counted entry by entry, {item.entries} entries at {item.places} places; two MACs each, "
        "scale and shift, which fold into the product before them"
    )
