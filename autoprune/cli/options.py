"""Options that several commands share, and the type of one: a duration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from autoprune.cli import complete
from autoprune.files import refuse_irregular, user_path

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


class GivenPath(click.Path):
    """A path as a user means it: ``~`` is resolved, and an empty one refused.

    Args:
        written: whether the command puts a file there, which it refuses at once where it will not.
    """

    def __init__(self, *, written: bool = False) -> None:
        super().__init__(path_type=Path)
        self._written = written

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Raises InputError for what is no path, and either error where no file is to be put."""
        where = param.make_metavar(ctx) if isinstance(param, click.Argument) and ctx else ""
        path = user_path(str(value), where or (param.opts[0] if param else "path"))
        if self._written:
            from autoprune.api import refuse_own

            refuse_irregular(path)
            refuse_own(path)
        return path


PATH, FILE = GivenPath(), GivenPath(written=True)
"""What is read, or is a folder; and a file that is written."""

machine_option = click.option(
    "--machine",
    metavar="MACHINE",
    required=True,
    shell_complete=complete.machines,
    help="Name or TOML file.",
)
"""The one machine that a command is about."""

address_option = click.option(
    "--address",
    metavar="HOST:PORT",
    help="Ray cluster to run on. Default: RAY_ADDRESS, else a Ray of its own.",
)
"""The address of a cluster that somebody else has started."""

_MOST_MINUTES = 366 * 24 * 60
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
        minutes = float(found[1]) * _MINUTES[found[2]]
        if minutes > _MOST_MINUTES:
            self.fail(f"given {value!r}; expected at most a year", param, ctx)
        return minutes


grace_option = click.option(
    "--grace",
    type=Duration(),
    metavar="TIME",
    default="30s",
    show_default=True,
    help="After SIGTERM or SIGHUP, for trials that run to finish.",
)
"""How long whoever terminates a process waits before it is killed."""
