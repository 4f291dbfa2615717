"""What scores without fine-tuning would tell, in words."""

from __future__ import annotations

from autoprune.report.front.one_shot import OneShot


def one_shot_lines(found: OneShot | None) -> list[str]:
    """It in words; nothing where there is nothing to say.

    No bound makes a verdict of it: the first trials are the uniform sweep above all, which is
    spread more widely than what a search then chooses among.
    """
    if found is None or found.tau is None:
        return []
    return [
        f"Without fine-tuning, scores of the first {found.trials} trials order them with Kendall's "
        f"tau {found.tau:.2f} as with it (1 is alike); plans that a search chooses lie closer "
        "together than these."
    ]
