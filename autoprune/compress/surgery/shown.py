"""A network shown samples once, for what hooks note of it on the way."""

from __future__ import annotations

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.networks.inputs import present


def show(network: nn.Module, samples: Tensor) -> None:
    """Run `network` on samples [B, ...], in evaluation mode and without gradients.

    Its neurons are reset before and after, also where some were exchanged since the last reset.
    """
    device = next(network.parameters()).device
    training = network.training
    functional.invalidate_reset_cache(network)
    functional.reset_net(network)
    with torch.inference_mode():
        network.eval()(present(network, samples.to(device)))
    network.train(training)
    functional.reset_net(network)
