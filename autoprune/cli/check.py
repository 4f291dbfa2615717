"""`autoprune check`: whether a file is a correct machine, search space or study."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.kinds import find_all


@click.command()
@click.argument("file")
def check(file: str) -> None:
    """Check a file that you wrote: a machine, a search space or a study.

    \b
    autoprune check my_chip.toml
    """
    for kind, path in find_all(file):
        {"machine": _machine, "search space": _space, "study": _study}[kind](path)
        click.echo(f"{path}: a correct {kind}")


def _machine(path: Path) -> None:
    from autoprune.cost.contract import check_contract
    from autoprune.cost.load import load_machine

    check_contract(load_machine(str(path)))


def _space(path: Path) -> None:
    from autoprune.spec.space import load_space

    load_space(str(path))


def _study(path: Path) -> None:
    from autoprune.check import load_checked

    load_checked(str(path))
