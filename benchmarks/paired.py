"""Accuracies over seeds and paired differences between them, in words."""

from __future__ import annotations

import math
import statistics

import pandas as pd
from scipy.stats import t as student


def gain(differences: list[float]) -> str:
    """Mean of paired differences in points with its 95 % interval; a star where it excludes 0."""
    mean = 100 * statistics.mean(differences)
    if len(differences) < 2:
        return f"{mean:+5.1f}"
    half = float(student.ppf(0.975, len(differences) - 1)) * statistics.stdev(differences)
    half *= 100 / math.sqrt(len(differences))
    star = " *" if abs(mean) > half else ""
    return f"{mean:+5.1f} [{mean - half:+5.1f} {mean + half:+5.1f}]{star}"


def spread(accuracies: pd.Series) -> str:
    """Mean, standard deviation, least and most, in percent."""
    percent = 100 * accuracies
    deviation = percent.std() if len(percent) > 1 else 0.0
    return (
        f"{percent.mean():5.1f} ± {deviation:4.1f} ({percent.min():5.1f} to {percent.max():5.1f})"
    )
