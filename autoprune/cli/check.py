"""`autoprune check`: whether a machine, a search space, a study or a method is correct."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.options import import_option
from autoprune.study.kinds import find_all


@click.command()
@click.argument("file")
@import_option
def check(file: str, *, imports: bool) -> None:
    """Check what you wrote: a machine, a search space, a study, or a method to compress.

    A machine is tried on small workloads: every rule that machines obey is printed, with a
    counterexample where it is broken (autoprune.cost.contract). A machine of a class of your own
    (module:Class) is tried with --import alone, since importing a module runs it.
    A method, itself a module:Class, is tried on a small network: every law that methods obey is
    printed, and what breaks it (autoprune.trial.method_contract).

    \b
    autoprune check my_chip.toml
    autoprune check wide_chip.toml --import
    autoprune check my_module:MyMethod
    """
    if ":" in file:
        _method(file)
        click.echo(f"{file}: a correct method")
        return
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


def _method(name: str) -> None:
    from autoprune.compress.registry import named, use
    from autoprune.errors import InputError
    from autoprune.plugin import make_importable
    from autoprune.trial.method_contract import verdicts
    from autoprune.trial.tried import tried_network

    make_importable(Path())
    use([name], name)
    broken = laws = 0
    for verdict in verdicts(named(name), tried_network()):
        laws += 1
        broken += bool(verdict.broken)
        click.echo(f"  {'broken' if verdict.broken else 'pass':6}  {verdict.law}")
        if verdict.broken:
            click.echo(f"          {verdict.broken}")
    if broken:
        raise InputError(name, f"breaks {broken} of {laws} laws that methods obey")


def _space(path: Path) -> None:
    from autoprune.compress.space import load_space

    load_space(str(path))


def _study(path: Path, *, imports: bool) -> None:
    from autoprune.study.check import load_checked

    load_checked(str(path), imports=imports)
