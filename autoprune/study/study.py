"""Study: network x data x space x machines x objectives x effort, as its TOML file gives it.

In Python it is the same value of the same keys, whose space and machines may be values, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    model_validator,
)

from autoprune.compress.effort import Effort
from autoprune.compress.registry import use
from autoprune.compress.space import SearchSpace, load_space
from autoprune.compress.spec import CompressionSpec
from autoprune.config import STRICT, Count, Steps, Title, find_file, read_toml, validate
from autoprune.cost.machine import Machine
from autoprune.data.spec import DATA_SETS, DataSpec
from autoprune.errors import InputError
from autoprune.networks.families import FAMILIES
from autoprune.networks.spec import NetworkSpec
from autoprune.plugin import make_importable, refuse_code
from autoprune.search.spec import SearchSpec
from autoprune.study.address import check_artifacts, check_storage
from autoprune.trial.spec import (
    ComputeSpec,
    FinetuneSpec,
    FunctionsSpec,
    MeasureSpec,
    RecipeSpec,
)

SPACE_FILE = "space.toml"
"""File of a search space that is a value, in the run folder."""


def _each_once(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("each once")
    return values


def _named_or(kind: type) -> BeforeValidator:
    """A name or path, or in Python the value itself."""

    def check(value: object) -> object:
        if isinstance(value, str | kind):
            return value
        raise ValueError("text: a name, or a path of a file")

    return BeforeValidator(check, json_schema_input_type=str)


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Study(BaseModel):
    """Everything that a run needs.

    Attributes:
        title: one line.
        data: the data set; a name is short for a table with that name alone.
        space: name or path of the search space; in Python a `SearchSpace` as well.
        machines: names or paths of the machines that are priced; in Python each a `Machine` as
            well.
        price_host: whether the energy holds what machines leave to a host, at the prices of their
            ``[host]``.
        objectives: 2 to 4 metrics that are optimised jointly: ``accuracy`` (or the name of the
            study's own score), ``accuracy@MACHINE`` with weights of the machine's bits and, where
            its file says what they are, in its integers, ``effective_sops`` (synaptic operations),
            ``parameters``, ``weight_bits`` where the
            space searches it, ``energy_uj@MACHINE``, ``dynamic_uj@MACHINE`` (without
            static power), ``latency_us@MACHINE``,
            ``edp_uj_ms@MACHINE`` (energy times delay), ``chips@MACHINE``,
            ``memory_kib@MACHINE`` (weights in the smallest form that it reads, indices, and
            membranes), ``host_share@MACHINE`` (of the dense MACs, 0 to 1), ``over_limits@MACHINE``
            (how many limits of its file a network exceeds; 0 where it fits).
        budgets: bounds on any of these metrics, such as ``energy_uj@loihi1 <= 0.8``; a trial that
            breaks one is on no front.
        trials: distinct plans that are trained, the uniform sweep included, baselines not.
        workers: trials at a time; 0 runs in this process, without Ray.
        threads: torch threads per trial.
        seed: of everything random.
        storage: address of the database that holds the Optuna study, without a password, such as
            ``postgresql://USER@HOST/NAME``; a file in the run folder where it is left out.
        artifacts: fsspec address of storage that all nodes share, ``s3://BUCKET/runs`` or
            ``file:///mnt/shared/runs``, for weights and a copy of every outcome, each run in a
            folder of its own there; the run folder where it is left out.
        warm_start: a run folder, relative to the study, whose trials are taken over: see
            `autoprune.study.warm_start`.
        track: ``tensorboard`` and ``mlflow``, which get every outcome as well, through Ray's
            loggers: folders ``tensorboard`` and a file ``mlflow.db`` in the run folder, or the
            server that MLFLOW_TRACKING_URI names.
        network: what is compressed.
        parent: how the parent is trained; not needed where the network has a checkpoint.
        compression: which methods there are besides ours, and what all of them are told.
        finetune: how every trial is fine-tuned.
        compute: where, and what a trial reserves.
        functions: functions of the user's own.
        measure: how a trial is measured.
        search: how configurations are proposed.
    """

    model_config = STRICT

    title: Title
    data: Annotated[DataSpec, BeforeValidator(_named)]
    space: Annotated[str | SearchSpace, _named_or(SearchSpace)]
    machines: list[Annotated[str | Machine, _named_or(Machine)]]
    price_host: bool = False
    objectives: list[str]
    budgets: list[str] = []
    trials: Count
    workers: Annotated[int, Field(ge=0, le=100_000)]
    threads: Steps = 1
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    storage: str | None = None
    artifacts: str | None = None
    warm_start: str | None = None
    track: Annotated[list[Literal["tensorboard", "mlflow"]], AfterValidator(_each_once)] = []
    network: NetworkSpec
    parent: RecipeSpec | None = None
    compression: CompressionSpec = CompressionSpec()
    finetune: FinetuneSpec
    compute: ComputeSpec = ComputeSpec()
    functions: FunctionsSpec = FunctionsSpec()
    measure: MeasureSpec
    search: SearchSpec

    @model_validator(mode="after")
    def _has_parent(self) -> Study:
        if self.parent is None and self.network.checkpoint is None:
            raise ValueError("a table [parent] to train by, or network.checkpoint")
        return self

    def __str__(self) -> str:
        """In words."""
        machines = ", ".join(m if isinstance(m, str) else m.name for m in self.machines)
        return f"study {self.title!r}: {self.data.name}, {self.trials} trials, {machines}"

    def __repr__(self) -> str:
        """In a line."""
        return f"<{self}>"

    @property
    def in_files(self) -> Study:
        """It, with the places in a run folder for the space and machines that are values."""
        space = self.space if isinstance(self.space, str) else SPACE_FILE
        machines = [m if isinstance(m, str) else f"machines/{m.name}.toml" for m in self.machines]
        return self.model_copy(update={"space": space, "machines": machines})

    @property
    def code(self) -> dict[str, str]:
        """What it names of the user's own, ``module:name`` by key; importing that runs it."""
        named = {
            "data.name": self.data.name,
            "data.augment": self.data.augment,
            "network.model": self.network.model,
            "network.adapter": self.network.adapter,
            "functions.train": self.functions.train,
            "functions.evaluate": self.functions.evaluate,
        }
        named |= {f"compression.methods.{i}": n for i, n in enumerate(self.compression.methods)}
        return {key: name for key, name in named.items() if name is not None and ":" in name}

    @property
    def effort(self) -> Effort:
        """What a plan takes for a parameter that the space leaves out.

        Where fine-tuning's rate is left out it is the parent's, until the run has chosen.
        """
        peak = self.parent.learning_rate if self.parent else 0.0
        return Effort(
            time_steps=self.network.time_steps,
            learning_rate=self.finetune.learning_rate or peak,
            epochs=self.finetune.epochs,
        )


def load_study(given: str | Study, *, imports: bool = True) -> tuple[Study, SearchSpace, Path]:
    """The bundled study of that name or the one in that file, its search space, and its file.

    `imports` says whether methods that it names may be imported; their settings may stand in its
    search space. A study itself stands for a file ``study.toml`` of the current folder.
    """
    if isinstance(given, Study):
        path = Path("study.toml").absolute()
        content = given.model_dump(exclude={"space", "machines"}, exclude_none=True)
        content |= {"space": given.space, "machines": given.machines}
    else:
        path = find_file("studies", given)
        content = read_toml(path)
    check_storage(content.get("storage"), f"{path}: storage")
    check_artifacts(content.get("artifacts"), f"{path}: artifacts")
    study = validate(Study, content, str(path))
    check_names(study, path)
    names = {m if isinstance(m, str) else m.name for m in study.machines}
    if not study.machines or len(names) != len(study.machines):
        raise InputError(f"{path}: machines", f"given {study.machines}", "machines, each once")
    use_methods(study, path, imports=imports)
    return study, load_space(study.space, path.parent), path


def use_methods(study: Study, path: Path, *, imports: bool) -> None:
    """Let the study's own methods be known, and check what it tells them.

    Raises InputError where they may not be imported or are no methods, and for a wrong option.
    """
    where, compression = f"{path}: compression", study.compression
    if not imports:
        for name in compression.methods:
            refuse_code(name, f"{where}.methods")
    code = (*compression.methods, *compression.options.values())
    if imports and any(":" in str(named) for named in code):
        make_importable(path.parent)
    use(compression.methods, f"{where}.methods")
    compression.check_options(where, imports=imports)


def check_names(study: Study, path: Path) -> None:
    """InputError unless data and model are known or ``module:function``, the adapter alike."""
    _check_network(study.network, f"{path}: network")
    if ":" not in study.data.name and study.data.name not in DATA_SETS:
        raise InputError(
            f"{path}: data",
            f"given {study.data.name!r}",
            f"one of {', '.join(DATA_SETS)}, or module:function",
            name=study.data.name,
            candidates=DATA_SETS,
        )


def _check_network(network: NetworkSpec, where: str) -> None:
    if ":" not in network.model and network.model not in FAMILIES:
        raise InputError(
            f"{where}.model",
            f"given {network.model!r}",
            f"a family ({', '.join(FAMILIES)}) or module:function",
            name=network.model,
            candidates=FAMILIES,
        )
    if network.adapter is not None and ":" not in network.adapter:
        raise InputError(f"{where}.adapter", f"given {network.adapter!r}", "module:Class")
