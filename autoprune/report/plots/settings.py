"""matplotlib without a `matplotlibrc` of the current folder, which may be anybody's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_matplotlibrc() -> Iterator[None]:
    """While matplotlib is imported in here, the current folder is another where it has such a file.

    matplotlib would read it: it may be a pipe, or no text. What is in one of the user's own is
    overruled where something is drawn.
    """
    if "matplotlib" in sys.modules or not os.path.lexists("matplotlibrc"):
        yield
        return
    here = os.open(os.curdir, os.O_RDONLY)
    try:
        os.chdir(os.sep)
        yield
    finally:
        os.fchdir(here)
        os.close(here)
