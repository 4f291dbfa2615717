"""Check what a user wrote: a machine and a method rule by rule, a space and a study by reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autoprune.config import Verdict
from autoprune.errors import InputError
from autoprune.study.kinds import Kind, find_all

Watch = Callable[[Verdict], None]
"""Told each verdict as soon as it is there: a rule may take seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct:
    """Something of a user's that was found correct.

    Attributes:
        what: its file, or ``module:Class``. kind: what it is.
        verdicts: on the rules that it was tried by; none on a search space or a study.
    """

    what: str
    kind: Kind | Literal["method"]
    verdicts: tuple[Verdict, ...] = ()


def check_given(given: str, watch: Watch, *, imports: bool) -> tuple[Correct, ...]:
    """Check what a user names: a file, something bundled, or a method as ``module:Class``.

    `imports` says whether classes that a file names may be imported; a method always is.

    Raises InputError for the first that is not correct: what is wrong with it, or how many of the
    rules it breaks.
    """
    if ":" in given:
        return (Correct(what=given, kind="method", verdicts=_method(given, watch)),)
    found = []
    for kind, path in find_all(given):
        verdicts: tuple[Verdict, ...] = ()
        if kind == "machine":
            verdicts = _machine(str(path), watch, imports=imports)
        elif kind == "study":
            from autoprune.study.check import load_checked

            load_checked(str(path), imports=imports)
        else:
            from autoprune.compress.space import load_space

            load_space(str(path))
        found.append(Correct(what=str(path), kind=kind, verdicts=verdicts))
    return tuple(found)


def _machine(file: str, watch: Watch, *, imports: bool) -> tuple[Verdict, ...]:
    from autoprune.cost.contract import verdicts
    from autoprune.cost.load import load_machine

    model = load_machine(file, imports=imports)
    return _kept(verdicts(model), watch, file, "rules that machines obey")


def _method(name: str, watch: Watch) -> tuple[Verdict, ...]:
    from autoprune.compress.registry import known, named, use
    from autoprune.plugin import make_importable
    from autoprune.trial.method_contract import verdicts
    from autoprune.trial.tried import tried_network

    make_importable(Path())
    method = known(name)
    if method is None:
        use([name], "method")
        method = named(name)
    return _kept(verdicts(method, tried_network()), watch, name, "laws that methods obey")


def _kept(found: Iterable[Verdict], watch: Watch, where: str, rules: str) -> tuple[Verdict, ...]:
    """All verdicts, each told as it comes; InputError where a rule is broken."""
    verdicts = []
    for verdict in found:
        watch(verdict)
        verdicts.append(verdict)
    broken = sum(bool(verdict.counterexample) for verdict in verdicts)
    if broken:
        raise InputError(where, f"breaks {broken} of {len(verdicts)} {rules}")
    return tuple(verdicts)
