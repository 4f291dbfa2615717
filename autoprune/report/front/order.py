"""How alike two machines order the same networks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import kendalltau

from autoprune.workload.columns import Column


def kendall_tau(first: Column | Sequence[float], second: Column | Sequence[float]) -> float | None:
    """Kendall's tau-b of the same networks in two measures.

    1 where both order them alike, -1 where they order them the other way round; None with fewer
    than two networks, or where a measure is the same for all or not a number for one.
    """
    if len(first) < 2:
        return None
    with np.errstate(all="ignore"):
        tau = float(kendalltau(first, second).statistic)
    return None if math.isnan(tau) else tau
