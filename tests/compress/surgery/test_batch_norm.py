"""Re-estimated batch norm holds the plain mean over the given batches."""

from __future__ import annotations

import torch
from torch import nn

from autoprune.compress.surgery.batch_norm import reestimate


def test_statistics_are_the_mean_over_the_batches():
    norm = nn.BatchNorm1d(3, momentum=0.1)
    norm.running_mean.fill_(99)
    batches = list(torch.randn(4, 8, 3, generator=torch.Generator().manual_seed(0)) * 3 + 2)
    reestimate(norm.eval(), batches)
    means = torch.stack([batch.mean(0) for batch in batches]).mean(0)
    variances = torch.stack([batch.var(0) for batch in batches]).mean(0)
    assert torch.allclose(norm.running_mean, means, rtol=1e-5)
    assert torch.allclose(norm.running_var, variances, rtol=1e-5)
    assert norm.momentum == 0.1
    assert not norm.training
