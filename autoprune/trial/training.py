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

from autoprune.compress.surgery.fused import fused
from autoprune.data.dataset import Split
from autoprune.networks.adapter import Neuron
from autoprune.networks.inputs import present

ComputePrecision = Literal["fp32", "bf16", "fp16"]
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """AdamW with a cosine schedule that ends at 0.

    Attributes:
        epochs, learning_rate, batch_size, weight_decay: as in any training.
        label_smoothing: share of the target spread over all classes.
        warmup_epochs: first epochs, in which the learning rate rises linearly from near 0.
        mixup: alpha of mixup (Zhang et al., ICLR 2018): a batch is mixed with itself in another
            order, by a share drawn from Beta(alpha, alpha). 0 mixes nothing.
        mixup_epochs: first epochs that are mixed; all where it is None.
        neuron_learning_rate: of thresholds and time constants that neurons learn; the weights'
            where it is None. Weight decay never acts on them: it would pull them to their start.
        precision: ``fp32``, or ``bf16`` or ``fp16`` for mixed precision.
    """

    epochs: int
    learning_rate: float
    batch_size: int
    weight_decay: float
    label_smoothing: float
    warmup_epochs: int = 0
    mixup: float = 0.0
    mixup_epochs: int | None = None
    neuron_learning_rate: float | None = None
    precision: ComputePrecision = "fp32"


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
    schedule = _schedule(optimizer, total, min(recipe.warmup_epochs * steps, total - 1))
    scaler = GradScaler(device.type, enabled=recipe.precision == "fp16")
    model.train()
    done = 0
    with fused(model):
        for epoch in range(recipe.epochs):
            order = torch.randperm(len(data), generator=generator)
            for chosen in order[: steps * recipe.batch_size].chunk(steps):
                inputs, labels = data.augmented(chosen).to(device), data.labels[chosen].to(device)
                share, other = _mixture(recipe, epoch, len(labels))
                if share < 1:
                    inputs = share * inputs + (1 - share) * inputs[other]
                with _mixed(recipe.precision, device):
                    out = logits(model, inputs).float()
                loss = _loss(out, labels, labels[other], share, recipe.label_smoothing)
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
    out = outputs(model, inputs)
    if out.ndim != 2:
        raise _refused(model, out, inputs, "logits [B, classes] or [T, B, classes]")
    return out


def outputs(model: nn.Module, inputs: Tensor) -> Tensor:
    """What a model gives for fresh inputs: logits as above, or [B, ...] of more axes.

    Raises TypeError for anything else.
    """
    functional.reset_net(model)
    out = model(present(model, inputs))
    if isinstance(out, Tensor) and out.ndim == 3 and out.shape[1] == len(inputs):
        out = out.mean(0)
    if not isinstance(out, Tensor) or out.ndim < 2 or len(out) != len(inputs):
        wanted = "logits [B, classes] or [T, B, classes], or [B, ...] for labels of your own"
        raise _refused(model, out, inputs, wanted)
    return out


def _refused(model: nn.Module, out: object, inputs: Tensor, wanted: str) -> TypeError:
    given = list(out.shape) if isinstance(out, Tensor) else type(out).__name__
    return TypeError(
        f"{type(model).__name__} returned {given} for {len(inputs)} samples; expected {wanted}"
    )


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


def _loss(out: Tensor, labels: Tensor, others: Tensor, share: float, smoothing: float) -> Tensor:
    """Cross-entropy with a target that is `labels` by `share` and `others` by the rest."""
    loss = cross_entropy(out, labels, label_smoothing=smoothing)
    if share < 1:
        second = cross_entropy(out, others, label_smoothing=smoothing)
        loss = share * loss + (1 - share) * second
    return loss


def _schedule(
    optimizer: torch.optim.Optimizer, total: int, warmup: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Cosine to 0 over `total` steps, the first `warmup` of them rising."""
    rates = torch.optim.lr_scheduler
    cosine = rates.CosineAnnealingLR(optimizer, total - warmup)
    if not warmup:
        return cosine
    rise = rates.LinearLR(optimizer, start_factor=1.0 / warmup, total_iters=warmup)
    return rates.SequentialLR(optimizer, [rise, cosine], milestones=[warmup])


def _mixture(recipe: Recipe, epoch: int, samples: int) -> tuple[float, Tensor]:
    """The share of the batch itself, and the order of what it is mixed with."""
    until = recipe.epochs if recipe.mixup_epochs is None else recipe.mixup_epochs
    if not recipe.mixup or epoch >= until:
        return 1.0, torch.arange(samples)
    share = float(torch.distributions.Beta(recipe.mixup, recipe.mixup).sample())
    return share, torch.randperm(samples)


def _mixed(precision: ComputePrecision, device: torch.device) -> AbstractContextManager[object]:
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
    with torch.inference_mode(), fused(model):
        for chosen in torch.arange(len(data)).split(batch_size):
            labels = data.labels[chosen]
            out = logits(model, data.inputs(chosen).to(device))
            if not bool(torch.isfinite(out).all()):
                raise FloatingPointError("the network's output is not finite")
            hits += int((out.argmax(1) == labels.to(device)).sum())
    functional.reset_net(model)
    return hits


def batches(data: Split, size: int, count: int, seed: int) -> Iterator[Tensor]:
    """`count` random batches of inputs, for re-estimating batch norm; of all data at most."""
    generator, size = torch.Generator().manual_seed(seed), min(size, len(data))
    for _ in range(count):
        yield data.inputs(torch.randint(len(data), (size,), generator=generator))
