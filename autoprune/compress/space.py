"""SearchSpace: what may vary, and what the uniform sweep lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, model_validator

from autoprune.compress.configuration import Configuration, parameters
from autoprune.compress.domain import Domain, Number, check_domain, check_offered
from autoprune.compress.effort import EFFORT, Effort
from autoprune.compress.method import missing
from autoprune.compress.parameter import Parameter
from autoprune.compress.registry import settings_at
from autoprune.compress.setting import Setting, Value
from autoprune.config import STRICT, Title, find_file, read_toml, validate
from autoprune.errors import InputError
from autoprune.networks.granularity import GRANULARITIES, Differing, Granularity, finest_of
from autoprune.networks.place import HEAD, MODEL, STEM, Kind, Place
from autoprune.networks.shape import NetworkShape

Table = dict[str, Domain]
"""The values that are offered, by setting."""

TABLES: tuple[Kind, ...] = ("block", "neuron", "stem", "head", "model")
"""Tables of a search space besides those of the branches."""

SWEPT: tuple[Kind, ...] = ("branch", "block", "neuron", "model")
"""The kinds of places whose settings ``[uniform]`` may list."""


class SearchSpace(BaseModel):
    """A search space as its TOML file gives it; applies to networks of any depth and width.

    Attributes:
        title: one line on what the space is for.
        branch: by kind of branch, per matrix and branch: [branch.attention], [branch.mlp],
            [branch.mixer].
        block, neuron: per block.
        stem, head: per matrix before and behind the blocks; not searched unless asked for.
        model: per network.
        uniform: what the uniform sweep lists; see `autoprune.compress.uniform`.

    In Python each table is a dict of dicts, and the whole goes to `Study.space`.

    A setting that may stand in several of `branch`, `block` and `model` has one scope: it stands
    in one of them.
    """

    model_config = STRICT

    title: Title
    branch: dict[Literal["attention", "mlp", "mixer"], Table] = {}
    block: Table = {}
    neuron: Table = {}
    stem: Table = {}
    head: Table = {}
    model: Table = {}
    uniform: dict[str, list[Number] | list[str]] = {}

    @model_validator(mode="after")
    def _in_range(self) -> SearchSpace:
        for name, scopes in self._scopes().items():
            if len(scopes) > 1 and not all(where.startswith("branch") for where in scopes):
                raise ValueError(f"{name} in one scope, not in {' and '.join(scopes)}")
        for where, setting, domain in self.offered():
            check_domain(where, domain, setting)
        for name, values in self.uniform.items():
            offered = {w: t[name] for k, w, t in self._tables() if k in SWEPT and name in t}
            if not offered:
                raise ValueError(f"uniform.{name} only where a table offers {name}")
            if not values or len(set(values)) != len(values):
                raise ValueError(f"uniform.{name} of at least one value, each once")
            for where, domain in offered.items():
                check_offered(f"{where}.{name}", domain, f"uniform.{name}", values)
        return self

    def __str__(self) -> str:
        """In words."""
        return f"search space {self.title!r}"

    def __repr__(self) -> str:
        """In a line."""
        return f"<{self}>"

    def offered(self) -> Iterator[tuple[str, Setting, Domain]]:
        """What varies: where it stands in the file, the setting, and its values."""
        for kind, where, table in self._tables():
            for setting in settings_at(kind):
                if setting.name in table:
                    yield f"{where}.{setting.name}", setting, table[setting.name]

    @property
    def granularities(self) -> dict[Differing, Granularity]:
        """The finest granularities at which neurons of a layer may differ, by what differs."""
        return finest_of(
            (setting.differing, word)
            for _, setting, domain in self.offered()
            for word in GRANULARITIES
            if setting.differing is not None and word in domain.all
        )

    def _scopes(self) -> dict[str, dict[str, Domain]]:
        """What is offered of blocks in which scope, by setting and table."""
        found: dict[str, dict[str, Domain]] = {}
        for kind, where, table in self._tables():
            for name, domain in table.items() if kind in ("branch", "block", "model") else ():
                found.setdefault(name, {})[where] = domain
        return found

    def _tables(self) -> Iterator[tuple[Kind, str, Table]]:
        """Every table with the kind of place that it is for."""
        for name, table in self.branch.items():
            yield "branch", f"branch.{name}", table
        for kind in TABLES:
            yield kind, kind, getattr(self, kind)

    def parameters(self, shape: NetworkShape) -> dict[Parameter, Domain]:
        """The domains of a network's configurations, by the parameters of `make_plan`.

        A parameter that nothing in a branch answers to does not exist there, such as DSP where
        the dimensions are the residual width.

        Raises InputError for a table or parameter that the network has nothing for.
        """
        self._check_network(shape)
        there = set(parameters(shape))
        found: dict[Parameter, Domain] = {}
        for place, table in self._places(shape):
            for setting in settings_at(place.kind):
                parameter = Parameter(place, setting.name)
                if setting.name in table and parameter in there:
                    found[parameter] = table[setting.name]
        return found

    def _places(self, shape: NetworkShape) -> Iterator[tuple[Place, Table]]:
        """Every place with its table: blocks with their parts first, the network last."""
        for i, block in enumerate(shape.blocks):
            for branch in block.branches:
                table = self.branch.get(branch.name, {})  # type: ignore[call-overload]
                yield Place(i, branch.name), table
            yield Place(i), self.block
            yield Place(i, "neuron"), self.neuron
        yield from ((STEM, self.stem), (HEAD, self.head), (MODEL, self.model))

    def _check_network(self, shape: NetworkShape) -> None:
        known = {branch.name for _, branch in shape.branches()}
        for name, table in self.branch.items():
            where = f"search space: branch.{name}"
            if name not in known:
                given = f"the network has no {name}"
                raise InputError(where, given, name=name, candidates=known)
            for setting in settings_at("branch"):
                branches = (branch for _, branch in shape.branches() if branch.name == name)
                reasons = [missing(setting, branch) for branch in branches]
                if setting.name in table and all(reasons):
                    given = f"the network has none: {reasons[0]}"
                    raise InputError(f"{where}.{setting.name}", given)
        for part in ("stem", "head"):
            for name in getattr(self, part):
                if not getattr(shape, part):
                    raise InputError(f"search space: {part}.{name}", f"the network has no {part}")

    def complete(
        self, configuration: Configuration, shape: NetworkShape, effort: Effort
    ) -> dict[Parameter, Value]:
        """`configuration` with the neutral value of every parameter that it leaves out.

        Neutral is: nothing changed, the study's effort, and the most bits of a weight that the
        space offers.

        Raises InputError where a value is not one that the space offers.
        """
        studys = {setting.name: getattr(effort, setting.name) for setting in EFFORT}
        whole: dict[Parameter, Value] = {}
        for parameter, domain in self.parameters(shape).items():
            value = configuration.get(parameter)
            if value is None:
                value = studys.get(parameter.setting)
            if value is None:
                value = _neutral(setting_of(parameter), domain)
            if value not in domain.all:
                raise InputError(
                    f"search space: {parameter}",
                    f"the study begins with {value!r}, which the space does not offer",
                    "one of " + ", ".join(str(value) for value in domain.all),
                )
            whole[parameter] = value
        return whole


def setting_of(parameter: Parameter) -> Setting:
    """What is known of a parameter of a network."""
    return next(s for s in settings_at(parameter.place.kind) if s.name == parameter.setting)


def swept_settings() -> tuple[Setting, ...]:
    """The settings that ``[uniform]`` may list, each name once."""
    found: dict[str, Setting] = {}
    for setting in (setting for kind in SWEPT for setting in settings_at(kind)):
        found.setdefault(setting.name, setting)
    return tuple(found.values())


def _neutral(setting: Setting, domain: Domain) -> Value:
    nearest = setting.nearest and setting.neutral not in domain.all
    return domain.all[-1] if nearest else setting.neutral


def load_space(given: str | SearchSpace, base: Path | None = None) -> SearchSpace:
    """The bundled search space of that name, the one in that file, or that one, checked.

    Settings of methods of the user's own are known, and hence checked, once a study uses them.
    """
    if isinstance(given, SearchSpace):
        where, content = str(given), given.model_dump(exclude_unset=True)
    else:
        path = find_file("search_spaces", given, base)
        where, content = str(path), read_toml(path)
    _check_keys(content, where)
    return validate(SearchSpace, content, where)


def _check_keys(content: Mapping[str, Any], where: str) -> None:
    """InputError for a setting that there is not."""
    branch = content.get("branch")
    branches = branch.items() if isinstance(branch, dict) else ()
    tables: list[tuple[str, Any, tuple[Setting, ...]]] = [
        *((f"branch.{name}", table, settings_at("branch")) for name, table in branches),
        *((kind, content.get(kind), settings_at(kind)) for kind in TABLES),
        ("uniform", content.get("uniform"), swept_settings()),
    ]
    for place, table, settings in tables:
        known = [setting.name for setting in settings]
        for name in table if isinstance(table, dict) else ():
            if name not in known:
                given = f"unknown key {name!r}"
                raise InputError(f"{where}: {place}.{name}", given, name=name, candidates=known)
