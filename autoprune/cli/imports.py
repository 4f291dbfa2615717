"""The option by which a command may import classes and functions that files name."""

from __future__ import annotations

from click import option

import_option = option(
    "--import",
    "imports",
    is_flag=True,
    help="Import classes and functions of your own that the files name (module:Name).",
)
"""Importing a module runs it, and a file may be another's: but for `autoprune run`, for the study
that it is given, no command imports what files name, unless it is asked to."""
