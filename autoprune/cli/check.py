"""`autoprune check`: whether a file is a correct machine, search space or study."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.imports import import_option
from autoprune.cli.kinds import Kind, find_all


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
        if not imports:
            _refuse_code(kind, path)
        {"machine": _machine, "search space": _space, "study": _study}[kind](path)
        click.echo(f"{path}: a correct {kind}")


def _refuse_code(kind: Kind, path: Path) -> None:
    """InputError where the file, or a machine of the study, names a class to be imported."""
    from autoprune.cost.machine import read_machine
    from autoprune.plugin import refuse_code
    from autoprune.spec.bundled import find
    from autoprune.spec.study import load_study

    files = [path] if kind == "machine" else []
    if kind == "study":
        files = [
            find("cost_models", name, path.parent) for name in load_study(str(path))[0].machines
        ]
    for file in files:
        refuse_code(read_machine(file).family, f"{file}: family")


def _machine(path: Path) -> None:
    from autoprune.cost.contract import verdicts
    from autoprune.cost.load import load_machine
    from autoprune.errors import InputError

    model, broken, rules = load_machine(str(path)), 0, 0
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
    from autoprune.spec.space import load_space

    load_space(str(path))


def _study(path: Path) -> None:
    from autoprune.check import load_checked

    load_checked(str(path))
