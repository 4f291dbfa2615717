"""The contract of methods, which `autoprune check module:Class` prints and every run is held to.

A method obeys its laws on every network: they are tried on one, with values of every setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from autoprune.compress.method import Method
from autoprune.config import Verdict
from autoprune.errors import InputError
from autoprune.trial.method_laws import CHEAP, LAWS, Law
from autoprune.trial.tried import Tried


def verdicts(
    method: Method, tried: Tried, laws: Mapping[str, Law] | None = None
) -> Iterator[Verdict]:
    """Every law, or those given, in an order in which the first that is broken says most."""
    for law, broken in (LAWS if laws is None else laws).items():
        try:
            yield Verdict(rule=law, counterexample=next(iter(broken(method, tried)), ""))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a method may do anything
            yield Verdict(rule=law, counterexample=f"{type(error).__name__}: {error}")


def refuse_broken(method: Method, tried: Tried, where: str) -> None:
    """InputError, at `where`, with the first of the cheap laws that a method breaks."""
    for verdict in verdicts(method, tried, CHEAP):
        if verdict.counterexample:
            raise InputError(
                where,
                f"{method.name} breaks a law of methods",
                f"that {verdict.rule} ({verdict.counterexample})",
            )
