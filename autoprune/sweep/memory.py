"""Whether a trial can keep to a study's limit of memory, and this computer give it, before anything
trains.
"""

from __future__ import annotations

import subprocess
import sys

import psutil

from autoprune.errors import InputError
from autoprune.files import GIB

_SURE_GIB = 2.0
"""No more is taken before a first trial; less is asked."""

_ASK = "import autoprune.sweep.worker, psutil; print(psutil.Process().memory_info().rss)"


def check_memory(limit_gib: float | None) -> None:
    """InputError where workers of this computer cannot keep to the limit, or not reserve so much.

    What a worker takes before its first trial is measured: it hangs on torch and the processor.
    """
    if limit_gib is None:
        return
    where, given = "compute.memory_gib", f"given {limit_gib:g}"
    there = psutil.virtual_memory().total / GIB
    if limit_gib > there:
        raise InputError(where, given, f"at most the {there:.1f} GiB of this computer")
    if limit_gib < _SURE_GIB and limit_gib < (least := _least_gib()):
        expected = f"more than the {least:.2f} GiB that a worker takes before its first trial"
        raise InputError(where, given, expected)


def _least_gib() -> float:
    code = f"import sys; sys.path[:] = {sys.path!r}; {_ASK}"
    asked = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    return int(asked.stdout) / GIB
