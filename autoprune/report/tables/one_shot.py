"""What scores without fine-tuning would tell, in words."""

from __future__ import annotations

from autoprune.report.front.one_shot import OneShot

PAYS = 0.8
"""From such a tau on cheap scores spare trainings; at 0.7 they bring nothing (simulated)."""


def one_shot_lines(found: OneShot | None) -> list[str]:
    """It in words; nothing where there is nothing to say."""
    if found is None or found.tau is None:
        return []
    tells = "they would tell enough" if found.tau >= PAYS else "they would not tell enough"
    return [
        f"Without fine-tuning, scores of the first {found.trials} trials order them with Kendall's "
        f"tau {found.tau:.2f} as with it (1 is alike): {tells} to choose what is trained."
    ]
