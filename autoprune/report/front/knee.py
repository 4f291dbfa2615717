"""Knee: the one member of a front that is picked where nobody says how much accuracy is worth.

Accuracy is what is expected of a member, as on the front (`autoprune.runs.posterior`). The
candidates are the members within the hypervolume's reference: more accurate than the
fine-tuned parent less ACCURACY_MARGIN, and cheaper than COST_FACTOR times its energy. The
candidates' own box becomes the unit square,

    x = (log10 e - log10 e_min) / (log10 e_max - log10 e_min),   y = (a - a_min) / (a_max - a_min)

where the cheapest candidate is (0, 0) and the most accurate one (1, 1). The knee is the candidate
farthest above the line between these two, the largest y - x: from there on a decade of energy
buys less accuracy than it does on average (Das, "On characterizing the knee of the Pareto curve
based on normal-boundary intersection", Structural Optimization 18, 1999).

With one candidate that one is the knee. With two, or where none lies above the line, there is no
knee between the ends, and the most accurate is taken, which risks least. With none there is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autoprune.report.front.front import MachineFront, Row
from autoprune.report.units import energy_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """What is picked of a front, and why.

    Attributes:
        row: the member; None where no member is within the reference.
        reason: in words, as the end of a sentence that begins with the trial.
    """

    row: Row | None
    reason: str


def knee(front: MachineFront) -> Knee:
    """The knee of a front, as defined above; of equally far ones the cheapest."""
    accuracy, energy = front.reference
    rows = [r for r in front.rows if r.worth > accuracy and r.energy_uj < energy]
    where = f"above {100 * accuracy:.1f} % and below {energy_words(energy)}"
    if not rows:
        return Knee(row=None, reason=f"no member of the front lies {where}")
    if len(rows) == 1:
        return Knee(row=rows[0], reason=f"the only member of the front {where}")
    cheapest, best = rows[0], rows[-1]
    heights = [_height(row, cheapest, best) for row in rows]
    place = max(range(len(rows)), key=heights.__getitem__)
    if heights[place] <= 0:
        reason = f"the most accurate of {len(rows)} members {where}, between which nothing bends"
        return Knee(row=best, reason=reason)
    reason = (
        f"the knee of {len(rows)} members {where}: farthest above the line from the cheapest "
        f"(trial {cheapest.trial}) to the most accurate (trial {best.trial}), over log10 of energy"
    )
    return Knee(row=rows[place], reason=reason)


def _height(row: Row, cheapest: Row, best: Row) -> float:
    """The y - x of a candidate; 0 where all are the same point."""
    if best.energy_uj == cheapest.energy_uj:
        return 0.0
    x = math.log10(row.energy_uj / cheapest.energy_uj) / math.log10(
        best.energy_uj / cheapest.energy_uj
    )
    low, high = cheapest.worth, best.worth
    return (row.worth - low) / (high - low) - x
