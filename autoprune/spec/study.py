"""Study: network x data x space x machines x objectives x effort, as its TOML file gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from autoprune.errors import InputError
from autoprune.plan import Effort
from autoprune.spec import bundled
from autoprune.spec.space import SearchSpace, load_space
from autoprune.spec.toml import read_toml, validate

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

Sampler = Literal["random", "tpe", "nsga2", "gp"]

FAMILIES = (
    "maxformer",
    "qkformer",
    "spike_driven_transformer",
    "spikformer",
    "spikformer_patch",
)
"""Networks by name; `autoprune.models.families` knows how to build them."""

DATA_SETS = (
    "cifar10",
    "cifar100",
    "cifar10dvs",
    "digits",
    "digits_events",
    "dvs128gesture",
    "imagefolder",
)
"""Data sets by name; `autoprune.data.load` knows where they are read."""

PLAIN_METRICS = ("synops", "parameters")
MACHINE_METRICS = ("energy_uj", "latency_us")


class DataSpec(BaseModel):
    """The data set; ``data = "NAME"`` in a study is short for a table with the name alone.

    Attributes:
        name: one of DATA_SETS, or ``module:function`` of the user's.
        root: folder of the files, relative to the study; AUTOPRUNE_DATA where it is left out.
        frames: of an event data set, frames per sample (T of the recording).
        side: pixels of a sample's side, where the data set leaves it open.
        validation: share of the training data that becomes validation data.
    """

    model_config = STRICT
    name: str
    root: str | None = None
    frames: Count | None = None
    side: Count | None = None
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1


class NetworkSpec(BaseModel):
    """The network: a family by name or a function of the user's, and what it is called with.

    Attributes:
        model: a family of `autoprune.models.families`, or ``module:function`` that returns a
            network.
        adapter: ``module:Class`` of a `ModelAdapter`, for a network of no known family.
        time_steps: T.
        checkpoint: file of the parent's weights (.safetensors, or a state dict of torch), relative
            to the study; then no parent is trained.
        checkpoint_keys: name or path of a map from a published checkpoint's names to ours: see
            `autoprune.models.key_map`.

    All other keys are arguments of the model's constructor, by its names, such as `embed_dims`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    model: str
    adapter: str | None = None
    time_steps: Count
    checkpoint: str | None = None
    checkpoint_keys: str | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The other keys."""
        return dict(self.model_extra or {})


class RecipeSpec(BaseModel):
    """How to train: see `autoprune.training.Recipe`. Zero epochs train nothing."""

    model_config = STRICT
    epochs: Annotated[int, Field(ge=0)]
    learning_rate: Rate
    batch_size: Count
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    label_smoothing: Share = 0.0
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    mixup: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    mixup_epochs: Annotated[int, Field(ge=0)] | None = None


class FinetuneSpec(RecipeSpec):
    """How to fine-tune: a recipe, and the learning rate of what sLIF neurons learn.

    Attributes:
        neuron_learning_rate: of thresholds and time constants; the weights' where it is left out.
    """

    neuron_learning_rate: Rate | None = None


class FunctionsSpec(BaseModel):
    """Functions of the user's in place of ours, each as ``module:function``.

    Attributes:
        train: trains a network in place, the parent and every trial alike; called as
            `autoprune.training.train` is.
        evaluate: gives a score from 0 to 1, higher is better; called with network and split. It
            takes accuracy's place under the function's name.
    """

    model_config = STRICT
    train: str | None = None
    evaluate: str | None = None

    @property
    def score(self) -> str:
        """The name of the score that search maximises."""
        return self.evaluate.rpartition(":")[2] if self.evaluate else "accuracy"


class CompressionSpec(BaseModel):
    """How to compress.

    Attributes:
        dsp_score: how DSP ranks dimensions: see `autoprune.compress.criteria`.
        l1p_schedule: ``one_shot``, or ``gradual``: see `autoprune.compress.l1p`.
    """

    model_config = STRICT
    dsp_score: Literal["l1", "activity", "l1_activity"] = "l1"
    l1p_schedule: Literal["one_shot", "gradual"] = "one_shot"


class DeviceSpec(BaseModel):
    """Where a trial computes.

    Attributes:
        device: ``cpu`` or ``cuda``.
        precision: ``fp32``; ``bf16`` or ``fp16`` compute training in mixed precision. Evaluation
            and census are always in fp32.
        gpu_fraction: share of a GPU that a worker takes, above 0; only with ``cuda``.
    """

    model_config = STRICT
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    gpu_fraction: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> DeviceSpec:
        if self.device == "cpu" and self.gpu_fraction is not None:
            raise ValueError("gpu_fraction with device = 'cuda' only")
        return self


class MeasureSpec(BaseModel):
    """How to measure a compressed network.

    Attributes:
        batch_norm_batches, batch_norm_batch_size: for re-estimating batch norm.
        census_samples: validation samples on which operations are counted.
    """

    model_config = STRICT
    batch_norm_batches: Count
    batch_norm_batch_size: Count
    census_samples: Count


class SearchSpec(BaseModel):
    """How configurations are proposed.

    Attributes:
        sampler: of Optuna, by name.
        lag: proposal i sees the outcomes of the trials up to i - lag, whatever the number of
            workers; at most this many trials run at a time.
    """

    model_config = STRICT
    sampler: Sampler
    lag: Count


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Study(BaseModel):
    """Everything that a run needs; a value.

    Attributes:
        title: one line.
        data: see `DataSpec`; a name is short for a table with that name alone.
        space: name or path of the search space.
        machines: names or paths of the machines that are priced.
        objectives: 2 to 4 metrics that are optimised jointly: ``accuracy`` (or the name of the
            study's own score), ``synops``, ``parameters``, ``energy_uj@MACHINE``,
            ``latency_us@MACHINE``.
        trials: distinct evaluated plans, uniform sweep included.
        workers: trials at a time; 0 runs in this process, without Ray.
        threads: torch threads per trial.
        seed: of everything random.
        network, parent, compression, finetune, compute, functions, measure, search: see there; a
            study whose network has a checkpoint needs no parent.
    """

    model_config = STRICT

    title: str
    data: Annotated[DataSpec, BeforeValidator(_named)]
    space: str
    machines: list[str]
    objectives: list[str]
    trials: Count
    workers: Annotated[int, Field(ge=0)]
    threads: Count = 1
    seed: Annotated[int, Field(ge=0)]
    network: NetworkSpec
    parent: RecipeSpec | None = None
    compression: CompressionSpec = CompressionSpec()
    finetune: FinetuneSpec
    compute: DeviceSpec = DeviceSpec()
    functions: FunctionsSpec = FunctionsSpec()
    measure: MeasureSpec
    search: SearchSpec

    @model_validator(mode="after")
    def _has_parent(self) -> Study:
        if self.parent is None and self.network.checkpoint is None:
            raise ValueError("a table [parent] to train by, or network.checkpoint")
        return self

    @property
    def effort(self) -> Effort:
        """What a plan takes for a parameter that the space leaves out."""
        return Effort(
            time_steps=self.network.time_steps,
            learning_rate=self.finetune.learning_rate,
            epochs=self.finetune.epochs,
        )


def split_metric(metric: str) -> tuple[str, str | None]:
    """``energy_uj@loihi1`` as ``("energy_uj", "loihi1")``; a plain metric has no machine."""
    name, _, machine = metric.partition("@")
    return name, machine or None


def check_metrics(metrics: list[str], machines: list[str], where: str, score: str) -> None:
    """InputError unless every metric exists and its machine is one of `machines`.

    `score` is the name of what is maximised, ``accuracy`` unless the study has its own.
    """
    if not 2 <= len(metrics) <= 4 or len(set(metrics)) != len(metrics):
        raise InputError(where, f"given {', '.join(metrics) or 'none'}", "2 to 4 different metrics")
    known = [
        score,
        *PLAIN_METRICS,
        *(f"{m}@{machine}" for m in MACHINE_METRICS for machine in machines),
    ]
    for metric in metrics:
        if metric not in known:
            raise InputError(where, f"unknown metric {metric!r}", name=metric, candidates=known)


def load_study(name_or_path: str) -> tuple[Study, SearchSpace, Path]:
    """The bundled study of that name or the one in that file, its search space, and its file."""
    path = bundled.find("studies", name_or_path)
    study = validate(Study, read_toml(path), str(path))
    _check_names(study.network, f"{path}: network")
    if ":" not in study.data.name and study.data.name not in DATA_SETS:
        raise InputError(
            f"{path}: data",
            f"given {study.data.name!r}",
            f"one of {', '.join(DATA_SETS)}, or module:function",
            name=study.data.name,
            candidates=DATA_SETS,
        )
    if not study.machines or len(set(study.machines)) != len(study.machines):
        raise InputError(f"{path}: machines", f"given {study.machines}", "machines, each once")
    return study, load_space(study.space, path.parent), path


def _check_names(network: NetworkSpec, where: str) -> None:
    """InputError unless the model is a family or ``module:function``, the adapter alike."""
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
