"""N:M zeros: of every M consecutive inputs of an output the N largest weights stay.

The form that sparse tensor cores read at 2:4 (Mishra et al., "Accelerating Sparse Deep Neural
Networks", arXiv 2104.08378): which of M weights a stored one is takes log2(M) bits.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from autoprune.compress.part import Amount
from autoprune.compress.surgery.masks import MaskSurgery


@final
class NMSurgery(MaskSurgery):
    """Keeps the weights of largest magnitude in each group."""

    def keep(self, weight: Tensor, amount: Amount) -> Tensor:
        """Which of [out, in] stay; of equal magnitudes the weight that comes first."""
        n, m = (int(number) for number in str(amount).split(":"))
        outputs, inputs = weight.shape
        whole = weight.new_full((outputs, -(-inputs // m) * m), -1.0)  # no weight, never kept first
        whole[:, :inputs] = weight.abs()
        groups = whole.reshape(outputs, -1, m)
        first = groups.argsort(dim=2, descending=True, stable=True)[..., :n]
        kept = torch.zeros_like(groups, dtype=torch.bool).scatter_(2, first, True)
        return kept.reshape(outputs, -1)[:, :inputs]
