"""The option by which a command may import classes and functions that a run names."""

from __future__ import annotations

from click import option

import_option = option(
    "--import",
    "imports",
    is_flag=True,
    help="Import classes and functions of your own that the run names (module:Name).",
)
"""Importing a module runs it, and a run folder may be another's: a command that reads one imports
nothing that only the folder names, unless it is asked to."""
