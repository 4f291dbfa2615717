"""Whether proposals came out as the sampler expected, in words."""

from __future__ import annotations

from collections.abc import Iterator

from autoprune.runs.record import Calibration


def calibration_lines(found: Calibration | None) -> Iterator[str]:
    """Its errors, and what it promised; nothing of a sampler that expects nothing."""
    if found is None:
        return
    errors = ", ".join(f"{error:.2g} ({name})" for name, error in found.errors.items())
    ratio = found.ratio
    gain = "a gain, and none came" if ratio is None else f"{ratio:.2g} times the gain that came"
    yield (
        f"Of {found.trials} proposals: off by {errors} of the standard deviations expected, where "
        f"1 is right; they promised {gain}."
    )
