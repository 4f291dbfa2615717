"""SearchSpace: what may vary, and the uniform sweep that every search begins with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, model_validator

from autoprune.compress.configuration import Configuration, Value
from autoprune.compress.domain import Domain, Number, check_offered, check_range, check_words
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import FULL_BITS, LEAST_BITS, Effort, Learned, NeuronPlan
from autoprune.config import STRICT, find_file, read_toml, validate
from autoprune.errors import InputError
from autoprune.networks.place import HEAD, MODEL, STEM, Place
from autoprune.networks.shape import NetworkShape


class BranchSpace(BaseModel):
    """What may vary in one kind of branch, by ``attention``, ``mlp`` or ``mixer``.

    Attributes:
        l1p: share of zeros in each matrix, 0 to below 1.
        dsp: share of the inner dimensions that are kept, 0 to 1; 0 removes the branch.
    """

    model_config = STRICT
    l1p: Domain | None = None
    dsp: Domain | None = None


class NeuronSpace(BaseModel):
    """What may vary in the neurons of a block; see `autoprune.compress.plan.NeuronPlan`.

    Attributes:
        threshold: how it is learned: ``fixed``, ``layer``, ``channel``.
        tau: the time constant, alike.
        threshold_start: multiples of the parent's threshold from which it starts, above 0.
        tau_start: multiples of the parent's tau - 1, alike.
    """

    model_config = STRICT
    threshold: Domain | None = None
    tau: Domain | None = None
    threshold_start: Domain | None = None
    tau_start: Domain | None = None


class Sparsity(BaseModel):
    """L1P of a block's matrices together, or of stem or head.

    Attributes:
        l1p: share of zeros, 0 to below 1; of all matrices of the block together the smallest
            weights, in stem and head of each matrix.
    """

    model_config = STRICT
    l1p: Domain | None = None


class ModelSpace(BaseModel):
    """What may vary once per network.

    Attributes:
        l1p: share of zeros among the smallest weights of all blocks together, 0 to below 1.
        weight_bits: bits to which the weights are rounded after fine-tuning, 2 to 32; a plan in
            which nothing else says so takes the most that are offered.
        time_steps: T, in place of the study's.
        learning_rate: of fine-tuning, in place of the study's.
        epochs: of fine-tuning, in place of the study's.
    """

    model_config = STRICT
    l1p: Domain | None = None
    weight_bits: Domain | None = None
    time_steps: Domain | None = None
    learning_rate: Domain | None = None
    epochs: Domain | None = None


class Uniform(BaseModel):
    """The uniform sweep: every pair of these settings, the same in every branch of every block.

    Attributes:
        l1p: shares of zeros, in the scope that the space searches; stem and head stay as they are.
        dsp: shares of inner dimensions kept.
    """

    model_config = STRICT
    l1p: list[Number] = [0.0]
    dsp: list[Number] = [1.0]


_WORDS: Mapping[str, tuple[str, ...]] = {
    "threshold": get_args(Learned),
    "tau": get_args(Learned),
}


class SearchSpace(BaseModel):
    """A search space as its TOML file gives it; applies to networks of any depth and width.

    Attributes:
        title: one line on what the space is for.
        branch: by kind of branch, per matrix and branch: [branch.attention], [branch.mlp],
            [branch.mixer].
        block, neuron: per block.
        stem, head: per matrix before and behind the blocks; not searched unless asked for.
        model: per network.
        uniform: the uniform sweep.

    L1P has one scope: it stands in `branch`, in `block` or in `model`.
    """

    model_config = STRICT

    title: str
    branch: dict[Literal["attention", "mlp", "mixer"], BranchSpace] = {}
    block: Sparsity = Sparsity()
    neuron: NeuronSpace = NeuronSpace()
    stem: Sparsity = Sparsity()
    head: Sparsity = Sparsity()
    model: ModelSpace = ModelSpace()
    uniform: Uniform = Uniform()

    @model_validator(mode="after")
    def _in_range(self) -> SearchSpace:
        scopes = {f"branch.{name}": space.l1p for name, space in self.branch.items()}
        scopes |= {"block": self.block.l1p, "model": self.model.l1p}
        scopes = {name: domain for name, domain in scopes.items() if domain is not None}
        if len(scopes) > 1 and not all(name.startswith("branch") for name in scopes):
            raise ValueError(f"l1p in one scope, not in {' and '.join(scopes)}")
        for name, domain in {**scopes, "stem": self.stem.l1p, "head": self.head.l1p}.items():
            check_range(f"{name}.l1p", domain, 0, 1, below=True)
        for name, branch in self.branch.items():
            check_range(f"branch.{name}.dsp", branch.dsp, 0, 1)
            check_offered(f"branch.{name}.dsp", branch.dsp, "uniform.dsp", self.uniform.dsp)
        for name, domain in scopes.items():
            check_offered(f"{name}.l1p", domain, "uniform.l1p", self.uniform.l1p)
        for key, words in _WORDS.items():
            check_words(f"neuron.{key}", getattr(self.neuron, key), words)
        for key in ("threshold_start", "tau_start"):
            check_range(f"neuron.{key}", getattr(self.neuron, key), 1e-3, 1e3)
        bits = self.model.weight_bits
        check_range("model.weight_bits", bits, LEAST_BITS, FULL_BITS, whole=True)
        check_range("model.time_steps", self.model.time_steps, 1, 64, whole=True)
        check_range("model.epochs", self.model.epochs, 0, 10_000, whole=True)
        check_range("model.learning_rate", self.model.learning_rate, 1e-8, 10)
        return self

    def parameters(self, shape: NetworkShape) -> dict[Parameter, Domain]:
        """The domains of a network's configurations, by the parameters of `make_plan`.

        A parameter that nothing in a branch answers to does not exist there, such as DSP where
        the dimensions are the residual width.

        Raises InputError for a table or parameter that the network has nothing for.
        """
        self._check_network(shape)
        domains: dict[Parameter, Domain | None] = {}
        for i, block in enumerate(shape.blocks):
            for branch in block.branches:
                space = self.branch.get(branch.name, BranchSpace())  # type: ignore[call-overload]
                place = Place(i, branch.name)
                domains[Parameter(place, "l1p")] = space.l1p
                domains[Parameter(place, "dsp")] = None if branch.fixed else space.dsp
            domains[Parameter(Place(i), "l1p")] = self.block.l1p
            for key in NeuronSpace.model_fields:
                domains[Parameter(Place(i, "neuron"), key)] = getattr(self.neuron, key)
        domains[Parameter(STEM, "l1p")] = self.stem.l1p
        domains[Parameter(HEAD, "l1p")] = self.head.l1p
        for key in ModelSpace.model_fields:
            domains[Parameter(MODEL, key)] = getattr(self.model, key)
        return {parameter: domain for parameter, domain in domains.items() if domain is not None}

    def _check_network(self, shape: NetworkShape) -> None:
        known = {branch.name for _, branch in shape.branches()}
        for name, space in self.branch.items():
            if name not in known:
                raise InputError(
                    f"search space: branch.{name}",
                    f"the network has no {name}",
                    name=name,
                    candidates=known,
                )
            fixed = [branch.fixed for _, branch in shape.branches() if branch.name == name]
            if space.dsp is not None and all(fixed):
                raise InputError(
                    f"search space: branch.{name}.dsp",
                    f"the network has none: {fixed[0]}",
                )
        for part in ("stem", "head"):
            if getattr(self, part).l1p is not None and not getattr(shape, part):
                raise InputError(f"search space: {part}.l1p", f"the network has no {part}")

    def complete(
        self, configuration: Configuration, shape: NetworkShape, effort: Effort
    ) -> dict[Parameter, Value]:
        """`configuration` with the neutral value of every parameter that it leaves out.

        Neutral is: nothing zero, everything kept, the parent's neurons, the study's effort, and the
        most bits of a weight that the space offers.

        Raises InputError where a value is not one that the space offers.
        """
        neutral: dict[str, Value] = {"l1p": 0.0, "dsp": 1.0, **asdict(NeuronPlan())}
        neutral |= asdict(effort)
        if self.model.weight_bits is not None:
            neutral["weight_bits"] = self.model.weight_bits.all[-1]
        whole: dict[Parameter, Value] = {}
        for parameter, domain in self.parameters(shape).items():
            value = configuration.get(parameter, neutral[parameter.setting])
            if value not in domain.all:
                raise InputError(
                    f"search space: {parameter}",
                    f"the study begins with {value!r}, which the space does not offer",
                    "one of " + ", ".join(str(value) for value in domain.all),
                )
            whole[parameter] = value
        return whole

    def uniform_sweep(self, shape: NetworkShape, effort: Effort) -> list[dict[Parameter, Value]]:
        """The configurations of the uniform sweep, mildest sparsity first."""
        swept = [p for p in self.parameters(shape) if p.place not in (STEM, HEAD)]
        found = []
        for l1p, dsp in itertools.product(self.uniform.l1p, self.uniform.dsp):
            setting = {"l1p": l1p, "dsp": dsp}
            same = {p: setting[p.setting] for p in swept if p.setting in setting}
            found.append(self.complete(same, shape, effort))
        return found


def load_space(name_or_path: str, base: Path | None = None) -> SearchSpace:
    """The bundled search space of that name, or the one in that file."""
    path = find_file("search_spaces", name_or_path, base)
    return validate(SearchSpace, read_toml(path), str(path))
