"""What click refuses, said as everything else is: where, what was given, what was expected."""

from __future__ import annotations

import re

import click

from autoprune.errors import InputError


def refusal(error: click.ClickException) -> str:
    """The message on a command line that click refuses, with the nearest match."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return _as_given(error.format_message())
    where = context.command_path.removeprefix("autoprune").strip()
    match error:
        case click.NoSuchOption(option_name=name):
            named = [option for param in context.command.params for option in param.opts]
            known = ["--help", *(option for option in named if option.startswith("--"))]
            place = f"{where} {name}".strip()
            return str(InputError(place, "no such option", name=name, candidates=known))
        case click.MissingParameter():
            given = _as_given(error.format_message())
            return str(InputError(where, given, f"as autoprune {where} --help has it"))
        case click.BadParameter(param=click.Parameter() as param):
            return str(_bad_value(where, param, error.message))
    return f"{where}: {_as_given(error.format_message())}"


def _bad_value(where: str, param: click.Parameter, message: str) -> InputError:
    """A value that an option or argument does not take; of a choice, the nearest is named."""
    name = next((name for name in param.opts if name.startswith("--")), param.human_readable_name)
    choice = re.match(r"'(.*?)' is not one of", message)
    if isinstance(param.type, click.Choice) and choice:
        given = choice[1]
        known = map(str, param.type.choices)
        return InputError(f"{where} {name}", f"given {given!r}", name=given, candidates=known)
    return InputError(f"{where} {name}", _as_given(message))


def _as_given(message: str) -> str:
    """A sentence of click's as the middle of one of ours."""
    text = message.strip().removesuffix(".")
    return text[:1].lower() + text[1:]
