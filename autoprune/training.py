"""Train a spiking network, and count what it classifies correctly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autoprune.data.dataset import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """AdamW with a cosine schedule that ends at 0.

    Attributes:
        epochs, learning_rate, batch_size, weight_decay: as in any training.
        label_smoothing: share of the target spread over all classes.
    """

    epochs: int
    learning_rate: float
    batch_size: int
    weight_decay: float
    label_smoothing: float


def train(
    model: nn.Module,
    data: Split,
    recipe: Recipe,
    seed: int,
    progress: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Train in place; the same seed gives the same weights on the same number of threads.

    Args:
        model: [B, C, H, W] -> logits [B, classes].
        data: the samples.
        recipe: how.
        seed: of the order of samples.
        progress: told the number of finished epochs.
    """
    generator = torch.Generator().manual_seed(seed)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = max(1, len(data) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, recipe.epochs * steps))
    model.train()
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(data), generator=generator)
        for chosen in order[: steps * recipe.batch_size].chunk(steps):
            functional.reset_net(model)
            loss = cross_entropy(
                model(data.inputs[chosen]),
                data.labels[chosen],
                label_smoothing=recipe.label_smoothing,
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        progress(epoch + 1)
    functional.reset_net(model)
    model.eval()


def correct(model: nn.Module, data: Split, batch_size: int = 256) -> int:
    """How many samples `model` classifies correctly.

    Raises FloatingPointError where a logit is not finite: such a network has no accuracy.
    """
    hits = 0
    model.eval()
    with torch.inference_mode():
        for inputs, labels in zip(
            data.inputs.split(batch_size), data.labels.split(batch_size), strict=True
        ):
            functional.reset_net(model)
            logits = model(inputs)
            if not bool(torch.isfinite(logits).all()):
                raise FloatingPointError("the network's output is not finite")
            hits += int((logits.argmax(1) == labels).sum())
    functional.reset_net(model)
    return hits


def batches(data: Split, size: int, count: int, seed: int) -> Iterator[Tensor]:
    """`count` random batches of inputs, for re-estimating batch norm."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield data.inputs[torch.randint(len(data), (size,), generator=generator)]
