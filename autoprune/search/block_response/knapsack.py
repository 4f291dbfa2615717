"""Multiple-choice knapsack: one option of every part, least loss for every cost.

Dynamic programming over parts (Dudzinski and Walukiewicz, EJOR 28, 1987). Costs are cut into cells
only to decide which partial sums to keep, the one of least loss in each; sums themselves are exact,
so that a budget is kept exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autoprune.search.block_response.axis import Array

Indices = NDArray[np.int64]


def solve(parts: Sequence[Array], limits: Array, cells: int) -> tuple[Indices, Array]:
    """Choices of least loss, one for every cell of cost.

    Args:
        parts: of each part, options x columns; column 0 is the loss, the others are costs. What
            is chosen adds up.
        limits: per column, what its sum may not exceed; infinite where there is no budget.
        cells: number of cells over all costs together.

    Returns chosen options (solutions x parts) and their sums (solutions x columns); no row where
    nothing keeps the budgets.
    """
    least = np.array([part.min(0) for part in parts])
    most = np.array([part.max(0) for part in parts])
    low, high = least.sum(0), np.minimum(most.sum(0), limits)
    rest = low - np.cumsum(least, axis=0)
    per_cost = max(2, round(cells ** (1 / max(1, len(limits) - 1))))
    sums, choices = np.zeros((1, len(limits))), np.zeros((1, 0), dtype=np.int64)
    for place, part in enumerate(parts):
        options = np.arange(len(part))
        both = (sums[:, None, :] + part[None, :, :]).reshape(-1, len(limits))
        kept = np.flatnonzero((both + rest[place] <= limits).all(1))
        # Partial sums are compared as if the cheapest of all other parts were added.
        scale = np.maximum(high - low, 1e-300)
        cell = np.floor((both[kept] + rest[place] - low) / scale * per_cost)[:, 1:]
        key = np.clip(cell, 0, per_cost) @ (per_cost + 1.0) ** np.arange(len(limits) - 1)
        order = np.lexsort((*both[kept].T[:0:-1], both[kept, 0], key))
        first = np.r_[True, np.diff(key[order]) > 0] if len(order) else order.astype(bool)
        kept = kept[order[first]]
        before, option = np.divmod(kept, len(options))
        choices = np.hstack([choices[before], option[:, None]])
        sums = both[kept]
    return choices, sums
