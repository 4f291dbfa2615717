"""Train a spiking network, and count what it classifies correctly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.nn.functional import cross_entropy

from autoprune.data.dataset import Split
from autoprune.models.adapter import Neuron

Precision = Literal["fp32", "bf16", "fp16"]
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """AdamW with a cosine schedule that ends at 0.

    Attributes:
        epochs, learning_rate, batch_size, weight_decay: as in any training.
        label_smoothing: share of the target spread over all classes.
        neuron_learning_rate: of thresholds and time constants that neurons learn; the weights'
            where it is None. Weight decay never acts on them: it would pull them to their start.
        precision: ``fp32``, or ``bf16`` or ``fp16`` for mixed precision.
    """

    epochs: int
    learning_rate: float
    batch_size: int
    weight_decay: float
    label_smoothing: float
    neuron_learning_rate: float | None = None
    precision: Precision = "fp32"


def train(  # noqa: PLR0913 - what a training needs, and two listeners
    model: nn.Module,
    data: Split,
    recipe: Recipe,
    seed: int,
    progress: Callable[[int], None] = lambda epoch: None,
    after_step: Callable[[float], None] = lambda done: None,
) -> None:
    """Train in place, on the device of the model; the same seed gives the same weights on the same
    device with the same number of threads.

    Args:
        model: see `logits`.
        data: the samples.
        recipe: how.
        seed: of the order of samples.
        progress: told the number of finished epochs.
        after_step: told the share of steps that are done, after each of them.
    """
    generator = torch.Generator().manual_seed(seed)
    device = device_of(model)
    optimizer = _optimizer(model, recipe)
    steps = max(1, len(data) // recipe.batch_size)
    total = max(1, recipe.epochs * steps)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    scaler = GradScaler(device.type, enabled=recipe.precision == "fp16")
    model.train()
    done = 0
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(data), generator=generator)
        for chosen in order[: steps * recipe.batch_size].chunk(steps):
            labels = data.labels[chosen].to(device)
            with _mixed(recipe.precision, device):
                out = logits(model, data.inputs[chosen].to(device))
            loss = cross_entropy(out.float(), labels, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            done += 1
            after_step(done / total)
        progress(epoch + 1)
    functional.reset_net(model)
    model.eval()


def logits(model: nn.Module, inputs: Tensor) -> Tensor:
    """Logits [B, classes] of fresh inputs; a model that emits [T, B, classes] is averaged over T.

    Raises TypeError for anything else.
    """
    functional.reset_net(model)
    out = model(inputs)
    if isinstance(out, Tensor) and out.ndim == 3:
        out = out.mean(0)
    if not isinstance(out, Tensor) or out.ndim != 2 or len(out) != len(inputs):
        raise TypeError(
            f"{type(model).__name__} returned {getattr(out, 'shape', type(out).__name__)} for "
            f"{len(inputs)} samples; expected logits [B, classes] or [T, B, classes]"
        )
    return out


def device_of(model: nn.Module) -> torch.device:
    """Where the parameters of `model` are."""
    return next(model.parameters()).device


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    intrinsic = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, Neuron)
        for parameter in module.parameters()
    }
    groups: list[dict[str, Any]] = [{"params": []}, {"params": [], "weight_decay": 0.0}]
    if recipe.neuron_learning_rate is not None:
        groups[1]["lr"] = recipe.neuron_learning_rate
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups[id(parameter) in intrinsic]["params"].append(parameter)
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
    )


def _mixed(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=_TYPES[precision])


def correct(model: nn.Module, data: Split, batch_size: int = 256) -> int:
    """How many samples `model` classifies correctly.

    Raises FloatingPointError where a logit is not finite: such a network has no accuracy.
    """
    hits = 0
    device = device_of(model)
    model.eval()
    with torch.inference_mode():
        for inputs, labels in zip(
            data.inputs.split(batch_size), data.labels.split(batch_size), strict=True
        ):
            out = logits(model, inputs.to(device))
            if not bool(torch.isfinite(out).all()):
                raise FloatingPointError("the network's output is not finite")
            hits += int((out.argmax(1) == labels.to(device)).sum())
    functional.reset_net(model)
    return hits


def batches(data: Split, size: int, count: int, seed: int) -> Iterator[Tensor]:
    """`count` random batches of inputs, for re-estimating batch norm."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield data.inputs[torch.randint(len(data), (size,), generator=generator)]
