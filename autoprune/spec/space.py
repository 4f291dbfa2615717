"""SearchSpace: what may vary, and the uniform sweep that every search begins with."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from autoprune.errors import InputError
from autoprune.plan import Effort, Point, Value
from autoprune.shape import NetworkShape
from autoprune.spec import bundled
from autoprune.spec.toml import read_toml, validate


def _finite(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a finite number")
    return value


Number = Annotated[int | float, BeforeValidator(_finite)]
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class Domain(BaseModel):
    """The values that a parameter may take: listed, or ``low`` to ``high`` by ``step``.

    Every domain is finite, so that equal configurations are found equal. Listed numbers are in
    ascending order; words have no order.
    """

    model_config = STRICT

    values: list[Number] | list[str] | None = None
    low: Number | None = None
    high: Number | None = None
    step: Number | None = None

    @model_validator(mode="after")
    def _complete(self) -> Domain:
        span = (self.low, self.high, self.step)
        if (self.values is None) == (None in span) or (self.values and span != (None,) * 3):
            raise ValueError("either values, or low, high and step")
        if self.values is not None:
            if not self.values or len(set(self.values)) != len(self.values):
                raise ValueError("at least one value, each once")
            if self.numeric and sorted(self.values) != self.values:
                raise ValueError("numbers in ascending order")
            return self
        assert self.low is not None and self.high is not None and self.step is not None
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) not above high ({self.high})")
        if self.step <= 0:
            raise ValueError("step above 0")
        return self

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, and hence ordered."""
        return self.values is None or not isinstance(self.values[0], str)

    @property
    def all(self) -> tuple[Value, ...]:
        """Every value, numbers ascending."""
        if self.values is not None:
            return tuple(self.values)
        assert self.low is not None and self.high is not None and self.step is not None
        steps = int((self.high - self.low) / self.step + 1e-9)
        return tuple(round(self.low + i * self.step, 12) for i in range(steps + 1))


class BranchSpace(BaseModel):
    """What may vary in one kind of branch; see `autoprune.plan.make_plan` for the units."""

    model_config = STRICT
    l1p: Domain | None = None
    dsp: Domain | None = None


class NeuronSpace(BaseModel):
    """What may vary in the neurons of a block."""

    model_config = STRICT
    kind: Domain | None = None
    learns: Domain | None = None
    granularity: Domain | None = None


class ModelSpace(BaseModel):
    """What may vary once per network."""

    model_config = STRICT
    time_steps: Domain | None = None
    learning_rate: Domain | None = None
    epochs: Domain | None = None


class Uniform(BaseModel):
    """The uniform sweep: every pair of these settings, the same in every branch of every block."""

    model_config = STRICT
    l1p: list[Number] = [0.0]
    dsp: list[Number] = [1.0]


_WORDS: Mapping[str, tuple[str, ...]] = {
    "kind": ("lif", "slif"),
    "learns": ("threshold", "tau", "both"),
    "granularity": ("layer", "channel"),
}


class SearchSpace(BaseModel):
    """A search space as its TOML file gives it; applies to networks of any depth and width.

    Attributes:
        title: one line on what the space is for.
        branch: by kind of branch (``attention``, ``mlp``, ``mixer``).
        neuron: per block.
        model: per network.
        uniform: the uniform sweep.
    """

    model_config = STRICT

    title: str
    branch: dict[Literal["attention", "mlp", "mixer"], BranchSpace] = {}
    neuron: NeuronSpace = NeuronSpace()
    model: ModelSpace = ModelSpace()
    uniform: Uniform = Uniform()

    @model_validator(mode="after")
    def _in_range(self) -> SearchSpace:
        for name, branch in self.branch.items():
            _check_range(f"branch.{name}.l1p", branch.l1p, 0, 1, below=True)
            _check_range(f"branch.{name}.dsp", branch.dsp, 0, 1)
            for key, setting in (("l1p", self.uniform.l1p), ("dsp", self.uniform.dsp)):
                domain = getattr(branch, key)
                outside = [v for v in setting if domain is not None and v not in domain.all]
                if outside:
                    raise ValueError(
                        f"uniform.{key} values inside branch.{name}.{key}, not {outside[0]}"
                    )
        for key, words in _WORDS.items():
            _check_words(f"neuron.{key}", getattr(self.neuron, key), words)
        _check_range("model.time_steps", self.model.time_steps, 1, 64, whole=True)
        _check_range("model.epochs", self.model.epochs, 0, 10_000, whole=True)
        _check_range("model.learning_rate", self.model.learning_rate, 1e-8, 10)
        return self

    def parameters(self, shape: NetworkShape) -> dict[str, Domain]:
        """The domains of a network's points, by the parameter names of `make_plan`.

        Raises InputError for a kind of branch that the network does not have.
        """
        known = {branch.name for _, branch in shape.branches()}
        for name in self.branch:
            if name not in known:
                raise InputError(
                    f"search space: branch.{name}",
                    f"the network has no {name}",
                    name=name,
                    candidates=known,
                )
        domains: dict[str, Domain | None] = {}
        for i, block in enumerate(shape.blocks):
            for branch in block.branches:
                space = self.branch.get(branch.name, BranchSpace())  # type: ignore[call-overload]
                domains[f"blocks.{i}.{branch.name}.l1p"] = space.l1p
                domains[f"blocks.{i}.{branch.name}.dsp"] = space.dsp
            for key in _WORDS:
                domains[f"blocks.{i}.neuron.{key}"] = getattr(self.neuron, key)
        for key in ("time_steps", "learning_rate", "epochs"):
            domains[key] = getattr(self.model, key)
        return {name: domain for name, domain in domains.items() if domain is not None}

    def complete(self, point: Point, shape: NetworkShape, effort: Effort) -> dict[str, Value]:
        """`point` with the neutral value of every parameter that it leaves out.

        Neutral is: nothing zero, everything kept, LIF, the study's effort.

        Raises InputError where a value is not one that the space offers.
        """
        neutral: dict[str, Value] = {"l1p": 0.0, "dsp": 1.0, "kind": "lif", **asdict(effort)}
        whole: dict[str, Value] = {}
        for name, domain in self.parameters(shape).items():
            key = name.rsplit(".", 1)[-1]
            whole[name] = point.get(name, neutral.get(key, domain.all[0]))
            if whole[name] not in domain.all:
                raise InputError(
                    f"search space: {name}",
                    f"the study begins with {whole[name]!r}, which the space does not offer",
                    "one of " + ", ".join(str(value) for value in domain.all),
                )
        return whole

    def uniform_points(self, shape: NetworkShape, effort: Effort) -> list[dict[str, Value]]:
        """The configurations of the uniform sweep, mildest sparsity first."""
        points = []
        for l1p, dsp in itertools.product(self.uniform.l1p, self.uniform.dsp):
            setting = {"l1p": l1p, "dsp": dsp}
            names = {n: n.rsplit(".", 1)[-1] for n in self.parameters(shape)}
            point = {n: setting[key] for n, key in names.items() if key in setting}
            points.append(self.complete(point, shape, effort))
        return points


def load_space(name_or_path: str, base: Path | None = None) -> SearchSpace:
    """The bundled search space of that name, or the one in that file."""
    path = bundled.find("search_spaces", name_or_path, base)
    return validate(SearchSpace, read_toml(path), str(path))


def _check_words(where: str, domain: Domain | None, words: tuple[str, ...]) -> None:
    for value in domain.all if domain else ():
        if value not in words:
            raise ValueError(f"{where} to hold only {', '.join(words)}, not {value!r}")


def _check_range(  # noqa: PLR0913 - a range has this many parts
    where: str,
    domain: Domain | None,
    low: float,
    high: float,
    *,
    below: bool = False,
    whole: bool = False,
) -> None:
    for value in domain.all if domain else ():
        fits = not isinstance(value, str) and low <= value <= high and not (below and value == high)
        if not fits or (whole and value != int(value)):
            kind = "whole numbers" if whole else "numbers"
            raise ValueError(
                f"{where}: {kind} from {low} to {'below ' * below}{high}, not {value!r}"
            )
