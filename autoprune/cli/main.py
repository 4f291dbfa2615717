"""`autoprune`: the group of all commands, and the one place where errors become messages."""

from __future__ import annotations

import errno
import importlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, final

import click

from autoprune.cli.console import showing
from autoprune.cli.output import accept_any_encoding
from autoprune.cli.refusal import refusal
from autoprune.errors import AutopruneError, InputError, did_you_mean

_GROUPS = {
    "First": {
        "run": "Search compressions of a network; end with the best for every machine.",
        "pick": "Pick one network of a run for a machine, and say why.",
        "report": "Write one HTML page with everything about a run.",
        "export": "Export a network of a run as a folder that loads without autoprune.",
    },
    "Search": {
        "status": "Say how far a run is, from another terminal.",
        "confirm": "Train the best trials of a run again on fresh seeds.",
        "clean": "Remove from a run what it does not need.",
    },
    "Read": {
        "front": "Print the front of a run, also on a machine that the run never saw.",
        "trials": "List the trials of a run; those that failed with their cause.",
        "trial": "Explain one trial of a run.",
        "compare": "Compare machines on the trials of a run.",
        "measure": "Time the networks of a run on the computer at hand.",
    },
    "Machines": {
        "price": "Price a workload or a recorded trial on a machine.",
        "profile": "Count the operations of any network with spiking neurons.",
        "workload": "Write the workload of a recorded trial to a file.",
        "list": "List what is bundled: studies, search spaces, machines.",
        "show": "Show a machine, search space or study with all its numbers.",
    },
    "Set up": {
        "init": "Write a study, a search space and a machine to start from.",
        "check": "Check a file that you wrote.",
        "doctor": "Check the installation, and say what to do.",
    },
}
_COMMANDS = [name for commands in _GROUPS.values() for name in commands]
_WIDTH = max(map(len, _COMMANDS))


_SYSTEMS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.ENOMEM, errno.EMFILE, errno.ENOENT),
)
"""What the system lacks, wherever that is met: room for a temporary file, for one."""


@final
class _Commands(click.Group):
    """Finds a command in the file of its name when it is used; `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a user meets them."""
        return _COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command and return it; None where there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"autoprune.cli.{cmd_name}"), cmd_name
        )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; InputError with the nearest where there is none."""
        given = args[0]
        if given not in _COMMANDS and not given.startswith("-"):
            near = did_you_mean(given, _COMMANDS)
            raise InputError("COMMAND", f"given {given!r}", f"one of autoprune --help{near}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups of commands without importing one."""
        for group, commands in _GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(f"{name:{_WIDTH}}", what) for name, what in commands.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autoprune")
def cli() -> None:
    """Search for compressed spiking transformers, per accelerator.

    Trials prune a trained network (L1P, DSP), compensate by fine-tuning (sLIF), and count the
    operations of real spikes; machines turn the counts into energy.

    \b
    autoprune run digits                            on embedded data, in minutes
    autoprune pick runs/digits --machine loihi1     the network to take, and why
    autoprune report runs/digits                    everything on one page
    autoprune export runs/digits 17 --out my_network
    """


def main() -> None:
    """Entry point; a user's mistake is one message on stderr and exit code 2."""
    accept_any_encoding()
    with showing(), _terminable():
        try:
            code = cli.main(prog_name="autoprune", standalone_mode=False)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            _refuse(refusal(error))
        except click.Abort:
            sys.exit(1)
        except AutopruneError as error:
            _refuse(str(error))
        except OSError as error:
            if error.filename is None and error.errno not in _SYSTEMS:
                raise
            # A file that is a folder, unreadable or unwritable, wherever it is touched first.
            place = "" if error.filename is None else f"{error.filename}: "
            _refuse(f"{place}{error.strerror}")
        sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _terminable() -> Iterator[None]:
    """While this lasts, SIGTERM and SIGHUP end the command with what has to be tidied up."""
    main_thread = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGTERM, signal.SIGHUP) if main_thread else ()
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """End with what has to be tidied up; the exit code is as shells have it."""
    click.echo("autoprune: terminated", err=True)
    sys.exit(128 + number)


def _refuse(message: str) -> NoReturn:
    click.echo(f"autoprune: {message}", err=True)
    sys.exit(2)
