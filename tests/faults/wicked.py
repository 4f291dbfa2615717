"""Scores that go wrong: a study's own, which raises, is no number, hangs, or fills the memory."""

from __future__ import annotations

import math
import time

import torch
from spikingjelly.activation_based import functional
from torch import nn

from autoprune.data.dataset import Split

held: list[bytearray] = []


def share(network: nn.Module, part: Split) -> float:
    """Accuracy, unless enough is pruned: then what is left decides what goes wrong."""
    with torch.inference_mode():
        found = network(part.inputs(slice(None))).argmax(1)
    functional.reset_net(network)
    kept = sum(int(torch.count_nonzero(p)) for p in network.parameters())
    whole = sum(p.numel() for p in network.parameters())
    fate = kept % 5 if kept < 0.8 * whole else 4
    if fate == 0:
        raise ArithmeticError("this network is wicked")
    if fate == 1:
        return math.nan
    if fate == 2:
        time.sleep(600)
    if fate == 3:
        held.append(bytearray(3 * 2**30))
        time.sleep(600)
    return float((found == part.labels).float().mean())
