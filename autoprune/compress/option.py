"""Option: what a study may tell a method once, for all of its trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from autoprune.compress.setting import Allowed, Value
from autoprune.plugin import load_named, refuse_code


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Option(Allowed):
    """A key of ``[compression]``.

    Attributes:
        default: what holds where the study is silent.
        function: whether it may be a function of the user's as well, ``module:function``.
    """

    default: Value
    function: bool = False

    def check_given(self, value: object, where: str, *, imports: bool) -> None:
        """InputError, at `where`, unless a study may say so; a function is imported.

        `imports` says whether it may be.
        """
        if not (self.function and isinstance(value, str) and ":" in value):
            self.check(value, where)
            return
        if not imports:
            refuse_code(value, where)
        load_named(value, where)
