"""`autoprune check`: whether a file is a correct machine, search space or study."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.options import import_option
from autoprune.study.kinds import find_all


@click.command()
@click.argument("file")
@import_option
def check(file: str, *, imports: bool) -> None:
    """Check a file that you wrote: a machine, a search space or a study.

    A machine is tried on small workloads: every rule that machines obey is printed, with a
    counterexample where it is broken (autoprune.cost.contract). A machine of a class of your own
    (module:Class) is tried with --import alone, since importing a module runs it.

    \b
    autoprune check my_chip.toml
    autoprune check wide_chip.toml --import
    """
    for kind, path in find_all(file):
        if kind == "machine":
            _machine(path, imports=imports)
        elif kind == "study":
            _study(path, imports=imports)
        else:
            _space(path)
        click.echo(f"{path}: a correct {kind}")


def _machine(path: Path, *, imports: bool) -> None:
    from autoprune.cost.contract import verdicts
    from autoprune.cost.load import load_machine
    from autoprune.errors import InputError

    model, broken, rules = load_machine(str(path), imports=imports), 0, 0
    for verdict in verdicts(model):
        rules += 1
        broken += bool(verdict.counterexample)
        word = "broken" if verdict.counterexample else "not so" if verdict.note else "pass"
        click.echo(f"  {word:6}  {verdict.rule}")
        if verdict.counterexample or verdict.note:
            click.echo(f"          {verdict.counterexample or verdict.note}")
    if broken:
        raise InputError(str(path), f"breaks {broken} of {rules} rules that machines obey")


def _space(path: Path) -> None:
    from autoprune.compress.space import load_space

    load_space(str(path))


def _study(path: Path, *, imports: bool) -> None:
    from autoprune.study.check import load_checked

    load_checked(str(path), imports=imports)
