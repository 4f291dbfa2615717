"""Study: network x data x space x machines x objectives x effort, as its TOML file gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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

PLAIN_METRICS = ("accuracy", "synops", "parameters")
MACHINE_METRICS = ("energy_uj", "latency_us")


class NetworkSpec(BaseModel):
    """The network: a family by name and its sizes.

    Attributes:
        family: ``spikformer_patch`` (`autoprune.models.spikformer_patch`).
        width: embedding dimension D. depth: blocks. heads: attention heads. mlp_ratio: hidden
            units of the MLP over D. time_steps: T.
    """

    model_config = STRICT
    family: Literal["spikformer_patch"]
    width: Count
    depth: Count
    heads: Count
    mlp_ratio: Rate
    time_steps: Count

    @model_validator(mode="after")
    def _divides(self) -> NetworkSpec:
        if self.width % self.heads:
            raise ValueError(f"width ({self.width}) a multiple of heads ({self.heads})")
        return self


class RecipeSpec(BaseModel):
    """How to train: see `autoprune.training.Recipe`. Zero epochs train nothing."""

    model_config = STRICT
    epochs: Annotated[int, Field(ge=0)]
    learning_rate: Rate
    batch_size: Count
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    label_smoothing: Share = 0.0


class CompressionSpec(BaseModel):
    """How DSP ranks dimensions: see `autoprune.compress.criteria`."""

    model_config = STRICT
    dsp_score: Literal["l1", "activity", "l1_activity"] = "l1"


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


class Study(BaseModel):
    """Everything that a run needs; a value.

    Attributes:
        title: one line.
        data: ``digits``.
        space: name or path of the search space.
        machines: names or paths of the machines that are priced.
        objectives: 2 to 4 metrics that are optimised jointly: ``accuracy``, ``synops``,
            ``parameters``, ``energy_uj@MACHINE``, ``latency_us@MACHINE``.
        trials: distinct evaluated plans, uniform sweep included.
        workers: trials at a time; 0 runs in this process, without Ray.
        threads: torch threads per trial.
        seed: of everything random.
        network, parent, compression, finetune, measure, search: see there.
    """

    model_config = STRICT

    title: str
    data: Literal["digits"]
    space: str
    machines: list[str]
    objectives: list[str]
    trials: Count
    workers: Annotated[int, Field(ge=0)]
    threads: Count = 1
    seed: Annotated[int, Field(ge=0)]
    network: NetworkSpec
    parent: RecipeSpec
    compression: CompressionSpec = CompressionSpec()
    finetune: RecipeSpec
    measure: MeasureSpec
    search: SearchSpec

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


def check_metrics(metrics: list[str], machines: list[str], where: str) -> None:
    """InputError unless every metric exists and its machine is one of `machines`."""
    if not 2 <= len(metrics) <= 4 or len(set(metrics)) != len(metrics):
        raise InputError(where, f"given {', '.join(metrics) or 'none'}", "2 to 4 different metrics")
    known = [*PLAIN_METRICS, *(f"{m}@{machine}" for m in MACHINE_METRICS for machine in machines)]
    for metric in metrics:
        if metric not in known:
            raise InputError(where, f"unknown metric {metric!r}", name=metric, candidates=known)


def load_study(name_or_path: str) -> tuple[Study, SearchSpace, Path]:
    """The bundled study of that name or the one in that file, its search space, and its file."""
    path = bundled.find("studies", name_or_path)
    study = validate(Study, read_toml(path), str(path))
    if not study.machines or len(set(study.machines)) != len(study.machines):
        raise InputError(f"{path}: machines", f"given {study.machines}", "machines, each once")
    return study, load_space(study.space, path.parent), path
