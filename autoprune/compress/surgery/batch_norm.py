"""Re-estimate the statistics of batch norm after a network was changed.

A pruned network that is scored with its parent's statistics is mis-ranked; about ten batches
suffice (Kozlov et al., "Neural Network Compression Framework", arXiv 2002.08679).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.compress.surgery.fused import fused
from autoprune.networks.inputs import present


def reestimate(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace all running statistics by the plain mean over `batches`, in place."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # cumulative mean instead of a moving one
    device = next(model.parameters(), torch.empty(0)).device
    training = model.training
    model.train()
    with torch.no_grad(), fused(model):
        for batch in batches:
            functional.reset_net(model)
            model(present(model, batch.to(device)))
    model.train(training)
    functional.reset_net(model)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
