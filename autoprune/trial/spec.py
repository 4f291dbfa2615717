"""The tables of a study that say how a trial is trained and measured, where, and by whose code."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from autoprune.config import STRICT, Count, Epochs, LearningRate, Minutes, Rate, Share


class TrainingSpec(BaseModel):
    """How to train, but for learning rates: AdamW with a cosine schedule that ends at 0.

    Attributes:
        epochs: passes over the training data; 0 trains nothing.
        batch_size: samples per step.
        weight_decay: of AdamW; it never acts on thresholds and time constants.
        label_smoothing: share of the target spread over all classes.
        warmup_epochs: first epochs, in which the learning rate rises linearly from near 0.
        mixup: alpha of mixup (Zhang et al., ICLR 2018); 0 mixes nothing.
        mixup_epochs: first epochs that are mixed; all where it is left out.
    """

    model_config = STRICT
    epochs: Epochs
    batch_size: Count
    weight_decay: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
    label_smoothing: Share = 0.0
    warmup_epochs: Epochs = 0
    mixup: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    mixup_epochs: Epochs | None = None


class RecipeSpec(TrainingSpec):
    """How to train: AdamW with a cosine schedule that ends at 0.

    Attributes:
        learning_rate: at its highest.
    """

    learning_rate: LearningRate


class FinetuneSpec(TrainingSpec):
    """How to fine-tune. A run chooses the learning rates that are left out: see `search.recipe`.

    Attributes:
        learning_rate: at its highest; chosen on validation data where it is left out.
        neuron_learning_rate: of thresholds and time constants that neurons learn; where it is left
            out it is chosen as well where the weights' is, and else the weights'.
        samples: training samples that trials take, all of them the same, of every class its share;
            all that the parent was trained on where it is left out.
    """

    learning_rate: LearningRate | None = None
    neuron_learning_rate: LearningRate | None = None
    samples: Count | None = None


class FunctionsSpec(BaseModel):
    """Functions of the user's in place of ours, each as ``module:function``.

    Attributes:
        train: trains a network in place, the parent and every trial alike; called as
            `autoprune.trial.training.train` is.
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


class ComputeSpec(BaseModel):
    """Where a trial computes, and what it reserves there.

    Attributes:
        device: where a trial computes.
        precision: ``fp32``; ``bf16`` or ``fp16`` compute training in mixed precision. Evaluation
            and census are always in fp32.
        gpu_fraction: share of a GPU that a worker takes, above 0; only with ``cuda``.
        cpus: CPUs that a worker reserves; its threads where it is left out.
        memory_gib: memory that a worker reserves of its node, in GiB, and that a trial may take:
            its process is ended beyond; neither where it is left out.
        trial_minutes: time that a trial may take; its process is ended then, and it has failed.
        retries: how often a trial runs again, under its number and seed, whose process died or ran
            out of memory; then it has failed, or is infeasible by memory.
    """

    model_config = STRICT
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    gpu_fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    cpus: Count | None = None
    memory_gib: Rate | None = None
    trial_minutes: Minutes | None = None
    retries: Annotated[int, Field(ge=0, le=1000)] = 3

    @model_validator(mode="after")
    def _fits(self) -> ComputeSpec:
        if self.device == "cpu" and self.gpu_fraction is not None:
            raise ValueError("gpu_fraction with device = 'cuda' only")
        return self


class MeasureSpec(BaseModel):
    """How to measure a compressed network.

    Attributes:
        batch_norm_batches: batches from which batch norm is estimated again after compression.
        batch_norm_batch_size: samples in each of them.
        census_samples: validation samples on which operations are counted.
        validation_samples: validation samples by which trials are scored, all of them by the same,
            of every class its share; all that there are where it is left out. Fewer widen every
            interval.
        anytime: whether a network is also read after fewer time steps than it was trained for, and
            after more, up to the most that the space offers: accuracy and operations, at no
            training. Of samples with time after fewer alone, by when they are not over.
    """

    model_config = STRICT
    batch_norm_batches: Count
    batch_norm_batch_size: Count
    census_samples: Count
    validation_samples: Count | None = None
    anytime: bool = True
