"""Whether proposals came out as the sampler expected, in words."""

from __future__ import annotations

from collections.abc import Iterator

from autoprune.runs.record import Calibration


def calibration_lines(found: Calibration | None) -> Iterator[str]:
    """Its errors, and what it promised; nothing of a sampler that expects nothing."""
    if found is None:
        return
    errors = ", ".join(f"{error:.2g} of {name}" for name, error in found.errors.items())
    gain = (
        "nothing was gained"
        if found.ratio is None
        else f"{found.ratio:.2g} times the gain that came"
    )
    yield (
        f"Of {found.trials} proposals: errors, in standard deviations that were expected, {errors} "
        f"(1 is right); expected, {gain}."
    )
