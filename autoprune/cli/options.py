"""Options that several commands share, and the type of one: a duration."""

from __future__ import annotations

import re
from typing import Any

import click

import_option = click.option(
    "--import",
    "imports",
    is_flag=True,
    help="Import classes and functions of your own that the files name (module:Name), and open "
    "storage that they name.",
)
"""Importing a module runs it, and a file may be another's: but for `autoprune run`, for the study
that it is given, no command imports what files name, nor opens databases and storage that a run
folder names, unless it is asked to."""

address_option = click.option(
    "--address",
    metavar="HOST:PORT",
    help="Ray cluster to run on. Default: RAY_ADDRESS, else a Ray of its own.",
)
"""The address of a cluster that somebody else has started."""

_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 24 * 60.0}


class Duration(click.ParamType[float]):
    """A positive number with its unit; its value is in minutes."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Refuse what has no unit, since minutes and seconds are easily taken for each other."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", str(value).strip())
        if not found or float(found[1]) == 0:
            self.fail(f"given {value!r}; expected such as 90s, 30m, 2h or 1d", param, ctx)
        return float(found[1]) * _MINUTES[found[2]]


grace_option = click.option(
    "--grace",
    type=Duration(),
    metavar="TIME",
    default="30s",
    show_default=True,
    help="After SIGTERM or SIGHUP, for trials that run to finish.",
)
"""How long whoever terminates a process waits before it is killed."""
