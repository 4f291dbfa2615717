"""Doubt: what the uniform sweep says against a learning rate that a study has of its own."""

from __future__ import annotations

FAR = 0.05
"""A loss of the score by medium uniform compression that asks for a look at the rate."""


def doubt(rate: float, peak: float, lost: float, plan: str) -> list[str]:
    """That the rate may be an edge, in words; nothing where it is not in doubt.

    It is where medium compression stays far behind the fine-tuned parent, and the parent itself
    was trained at a higher rate: then fine-tuning may end before it has repaired what was taken.

    Args:
        rate: of fine-tuning.
        peak: the parent's, at its highest.
        lost: of the score, 0 to 1, by a plan of the uniform sweep.
        plan: in short form.
    """
    if rate >= peak or lost <= FAR:
        return []
    return [
        f"Fine-tuned at {rate:g}, uniform compression ({plan}) costs {100 * lost:.1f} points; the "
        f"parent was trained at {peak:g}. autoprune check STUDY --recipe tries the rates between."
    ]
