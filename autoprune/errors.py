"""The errors that autoprune raises: where, what was given, what was expected, nearest match."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SUGGESTED = 3
"""At most so many words are named that are as near as each other."""

_LONGEST = 1000
"""Characters of what was given that are said: a title of a megabyte is to fill no terminal."""


class AutopruneError(Exception):
    """Base class of every error that a user of autoprune can cause or meet."""


class InputError(AutopruneError):
    """Something that a user wrote is wrong.

    The message reads ``WHERE: GIVEN; expected EXPECTED; did you mean NEAREST?``, so that the
    place, the value and the remedy stand in one line.

    Args:
        where: the file and key, the option, or the call.
        given: what was found there, in words.
        expected: what would have been accepted, in words; left out where ``given`` says it all.
        name: the misspelt word, when there is one; its nearest match among ``candidates`` is named.
        candidates: the words that would have been accepted.
    """

    def __init__(
        self,
        where: str,
        given: str,
        expected: str = "",
        *,
        name: str = "",
        candidates: Iterable[str] = (),
    ) -> None:
        known = sorted(candidates)
        if known and not expected:
            expected = "one of " + ", ".join(known)
        message = f"{where}: {given if len(given) <= _LONGEST else given[:_LONGEST] + '...'}"
        if expected:
            message += f"; expected {expected}"
        super().__init__(message + did_you_mean(name, known))


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """``; did you mean NEAREST?``, of several as near ``A or B``, or nothing where none is near."""
    near = difflib.get_close_matches(name, sorted(candidates), _SUGGESTED, cutoff=0.5)
    close = [difflib.SequenceMatcher(None, word, name).ratio() for word in near]
    words = sorted(repr(w) for w, ratio in zip(near, close, strict=True) if ratio == close[0])
    return f"; did you mean {' or '.join(words)}?" if name and words else ""


class AbsentDataError(InputError):
    """The files of a data set are not there, which says nothing of the study."""


class RecordError(AutopruneError):
    """A run folder cannot be used: it belongs to another study, is locked, or is damaged."""


class FileError(InputError, RecordError):
    """A file, of a user's or of a run, is not what it has to be: absent, too large, no text."""


class UnreadableError(FileError):
    """The system does not let a file be read now; what is in it is not known."""


class CountingError(AutopruneError):
    """A network holds something that the census cannot count exactly."""


class CompressionError(AutopruneError):
    """A plan does not fit the network that it is applied to."""


class ExportError(AutopruneError):
    """An exported network is not the one that was searched; its folder was removed."""
