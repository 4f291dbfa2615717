"""Tables of refusals: what is given, and the words in which it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from autoprune.errors import AutopruneError, InputError


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def refusals(*rows: tuple[object, str]) -> pytest.MarkDecorator:
    """A table of such rows, for a test with the arguments `given` and `words`."""
    return pytest.mark.parametrize(("given", "words"), rows)


def assert_refused(
    words: str,
    call: Callable[..., object],
    *given: object,
    by: type[AutopruneError] = InputError,
    **named: object,
) -> str:
    """`call` refuses what it is given, in one message that has the words; returns the message.

    A function refuses by an error, a command by exit code 2, with its message on stderr, nothing on
    stdout and no traceback. An asterisk in the words stands for anything.
    """
    try:
        said = call(*given, **named)
    except by as error:
        message = str(error)
    else:
        assert isinstance(said, Said), f"taken: {said!r}"
        assert (said.code, said.out) == (2, "")
        assert "Traceback" not in said.err
        message = said.err
    assert re.search(".*".join(map(re.escape, words.split("*"))), message, re.DOTALL), message
    return message
