"""The table [compression] of a study."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from autoprune.compress.registry import options
from autoprune.compress.setting import Value
from autoprune.config import STRICT
from autoprune.errors import InputError


class CompressionSpec(BaseModel):
    """How to compress: methods of your own, and the options of all methods, by their names.

    Attributes:
        methods: methods of your own, ``module:Class``, besides those of this project.
    """

    model_config = STRICT | ConfigDict(extra="allow")
    methods: list[str] = []

    @property
    def options(self) -> Mapping[str, Value]:
        """What is given besides the methods; `check_options` says whether it is right."""
        return dict(self.__pydantic_extra__ or {})

    def check_options(self, where: str, *, imports: bool) -> None:
        """InputError, at `where`, for an option that no method has, or what it may not be.

        `imports` says whether functions that are named may be imported.
        """
        known = {option.name: option for option in options()}
        for name, value in self.options.items():
            if name not in known:
                given, candidates = f"unknown key {name!r}", [*known, "methods"]
                raise InputError(f"{where}.{name}", given, name=name, candidates=candidates)
            known[name].check_given(value, f"{where}.{name}", imports=imports)

    def decided(self) -> dict[str, object]:
        """What differs from leaving everything out, and hence decides what trials are."""
        usual = {option.name: option.default for option in options()}
        own = {k: v for k, v in self.options.items() if k not in usual or v != usual[k]}
        return {"methods": self.methods, **own}
