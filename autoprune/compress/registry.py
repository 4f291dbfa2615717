"""The methods that there are: this project's, installed ones, and those that a study names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import get_args

from autoprune.compress.effort import EFFORT
from autoprune.compress.method import STAGES, Method
from autoprune.compress.methods.dsp import DSP
from autoprune.compress.methods.dsp_matrix import DSPMatrix
from autoprune.compress.methods.l1p import L1P
from autoprune.compress.methods.nm import NM
from autoprune.compress.methods.slif import SLIF
from autoprune.compress.methods.weight_bits import WeightBits
from autoprune.compress.option import Option
from autoprune.compress.setting import Setting, Value
from autoprune.errors import InputError
from autoprune.networks.place import Kind
from autoprune.plugin import call, load_named

GROUP = "autoprune.methods"
"""Entry points by which a package offers methods."""

OURS: tuple[Method, ...] = (L1P(), DSP(), DSPMatrix(), NM(), SLIF(), WeightBits())
"""In the order in which a search space has their settings."""

_named: dict[str, Method] = {}
"""The user's own, by ``module:Class``."""


def methods() -> tuple[Method, ...]:
    """Every method that is known, this project's first."""
    return (*OURS, *_installed(), *_named.values())


def in_stages() -> tuple[Method, ...]:
    """Every method, in the order in which they act."""
    return _in_stages(methods())


def settings_at(kind: Kind) -> tuple[Setting, ...]:
    """What may be chosen at a kind of place, effort last."""
    return _settings_at(methods(), kind)


def options() -> tuple[Option, ...]:
    """What a study may tell methods."""
    return tuple(option for method in methods() for option in method.options)


def told(given: Mapping[str, Value]) -> dict[str, Value]:
    """Every option by name: as given, or its default."""
    return {option.name: given.get(option.name, option.default) for option in options()}


def use(names: Iterable[str], where: str) -> None:
    """Let the methods ``module:Class`` be known; InputError, at `where`, for one that cannot be."""
    for name in names:
        if name not in _named:
            _named[name] = _checked(load_named(name, where), name, where, methods())


def named(name: str) -> Method:
    """The method ``module:Class`` that `use` has let be known."""
    return _named[name]


def known(name: str) -> Method | None:
    """The method ``module:Class``, this project's among them; None where there is none yet."""
    classes = {f"{type(method).__module__}:{type(method).__name__}": method for method in methods()}
    return classes.get(name)


def forget(names: Iterable[str]) -> None:
    """Let the methods ``module:Class`` no longer be known."""
    for name in names:
        _named.pop(name, None)


@cache
def _installed() -> tuple[Method, ...]:
    found: tuple[Method, ...] = ()
    for offered in entry_points(group=GROUP):
        found += (_checked(offered.load(), offered.value, GROUP, (*OURS, *found)),)
    return found


@cache
def _in_stages(known: tuple[Method, ...]) -> tuple[Method, ...]:
    return tuple(sorted(known, key=lambda method: STAGES.index(method.stage)))


@cache
def _settings_at(known: tuple[Method, ...], kind: Kind) -> tuple[Setting, ...]:
    every = (*(setting for method in known for setting in method.settings), *EFFORT)
    return tuple(setting for setting in every if kind in setting.kinds)


def _checked(made: type[Method], name: str, where: str, others: tuple[Method, ...]) -> Method:
    """An instance; InputError where it is no method, or has a name that is taken."""
    method = call(made, f"{where}: {name}")
    try:
        parts = (method.name, method.stage, method.settings, method.part, method.surgery)
    except Exception as error:
        raise InputError(where, f"{name} is no method: {error}") from error
    _check_words(name, where, *parts[:3])
    if any(method.name == other.name for other in others):
        raise InputError(where, f"{name}: there is another method {method.name!r}")
    taken = {
        (kind, setting.name)
        for setting in (*(s for other in others for s in other.settings), *EFFORT)
        for kind in setting.kinds
    }
    for own in ((kind, setting.name) for setting in parts[2] for kind in setting.kinds):
        if own in taken:
            raise InputError(where, f"{name}: a second setting {own[1]!r} of a {own[0]}")
        taken.add(own)
    known = ["methods", *(o.name for other in (*others, method) for o in other.options)]
    for option in method.options:
        if known.count(option.name) > 1:
            raise InputError(where, f"{name}: a second option {option.name!r}")
    return method


def _check_words(name: str, where: str, own: object, stage: object, settings: object) -> None:
    """InputError unless these are a method's name, stage and settings."""
    if stage not in STAGES:
        raise InputError(where, f"{name}: stage {stage!r}", candidates=STAGES)
    if not (isinstance(settings, tuple) and all(isinstance(one, Setting) for one in settings)):
        raise InputError(where, f"{name}: settings {settings!r}", "a tuple of Setting")
    for word in (own, *(setting.name for setting in settings)):
        if not (isinstance(word, str) and word.isidentifier()):
            raise InputError(where, f"{name}: the name {word!r}", "letters, digits and _")
    for kind in (kind for setting in settings for kind in setting.kinds):
        if kind not in get_args(Kind):
            given = f"{name}: a setting of a {kind!r}"
            raise InputError(where, given, name=str(kind), candidates=get_args(Kind))
