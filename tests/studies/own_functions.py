"""Training and evaluation as a user may write them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autoprune.data.dataset import Split
from autoprune.networks.spikformer_patch import PatchSpikformer
from autoprune.trial.training import Recipe, logits, train


def warm(
    model: PatchSpikformer,
    data: Split,
    recipe: Recipe,
    seed: int,
    progress: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Ours, after the head alone was moved: leaves a mark that a test can see."""
    train(model, data, recipe, seed, progress)
    with torch.no_grad():
        model.head.bias[0] = 7.0


def top3(model: nn.Module, data: Split) -> Tensor:
    """Share of samples whose class is among the three highest logits."""
    best = logits(model, data.inputs(slice(None))).topk(3).indices
    return (best == data.labels[:, None]).any(1).float().mean()


def wrong(model: nn.Module, data: Split) -> float:
    return 1.5


def short_of_arguments(model: nn.Module, data: Split, recipe: Recipe, seed: int) -> None:
    """Trains without telling how far it is."""


def percent(model: nn.Module, data: Split) -> float:
    best = logits(model, data.inputs(slice(None))).argmax(1)
    return 100 * float((best == data.labels).float().mean())


def loss(model: nn.Module, data: Split) -> float:
    return -float(cross_entropy(logits(model, data.inputs(slice(None))), data.labels))


def raises(model: nn.Module, data: Split) -> float:
    raise KeyError("mIoU")


def sometimes_nan(model: nn.Module, data: Split) -> float:
    """Precision of a class, which is no number where the network never predicts it."""
    found = logits(model, data.inputs(slice(None))).argmax(1) == 0
    return float((data.labels[found] == 0).float().mean())


def of_two_classes(model: nn.Module, data: Split) -> float:
    """As an area under a curve: there is none where labels are all alike."""
    if len(data.labels.unique()) < 10:
        raise ValueError("only some classes present")
    return 0.5
