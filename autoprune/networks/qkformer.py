"""Adapter for spikingjelly's `QKFormer`.

Zhou et al., "QKFormer: Hierarchical Spiking Transformer using Q-K Attention", NeurIPS 2024.
"""

from __future__ import annotations

from typing import Any, final

from spikingjelly.activation_based.layer.attention import QKAttention, SpikingSelfAttention
from torch import Tensor, nn

from autoprune.networks.adapter import Branch, Inside, ModelAdapter, Projection
from autoprune.networks.branches import branch
from autoprune.networks.spikformer import self_attention


class LocalQKAttention(QKAttention):
    """The same attention for any number of channels per head.

    The original reshapes by the number of channels of its input; this one by those of q and k.
    """

    def forward(self, x_seq: Tensor) -> Tensor:
        """[T, B, D, L] -> spikes [T, B, D, L]."""
        qk = self.qk_lif(self.qk_conv_bn(x_seq))
        qk = qk.unflatten(2, (2, self.num_heads, -1))
        return self.proj_lif(self.proj_conv_bn(self._qka_forward_torch(qk).flatten(2, 3)))


class LocalChannelQKAttention(LocalQKAttention):
    """Channel attention, in which heads only divide the channels: q masks k channel by channel."""

    def forward(self, x_seq: Tensor) -> Tensor:
        """[T, B, D, L] -> spikes [T, B, D, L]."""
        q, k = self.qk_lif(self.qk_conv_bn(x_seq)).chunk(2, dim=2)
        mask = self.attn_lif(q.sum(dim=-1, keepdim=True))
        return self.proj_lif(self.proj_conv_bn(mask * k))


@final
class QKFormerAdapter(ModelAdapter):
    """`QKFormer`: blocks of all three stages, numbered through.

    Token attention: k is tied to the projection, q is free, and every head keeps as many
    dimensions. Channel attention: q, k and the projection are tied per channel. The last stage
    has the self-attention of Spikformer.
    """

    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        """See `ModelAdapter.branches`."""
        stages: Any = (model.stage1, model.stage2, model.stage3)
        return tuple(
            (branch("attention", block, "attn", _attention), branch("mlp", block, "mlp", _mlp))
            for stage in stages
            for block in stage
        )

    def patch(self, model: nn.Module) -> int:
        """See `ModelAdapter.patch`; four halvings."""
        return 16


def _attention(attn: Any) -> Inside:
    if isinstance(attn, SpikingSelfAttention):
        return self_attention(attn)
    qk = Projection(attn.qk_conv_bn[0], attn.qk_conv_bn[1], attn.qk_lif)
    out = Projection(attn.proj_conv_bn[0], attn.proj_conv_bn[1], attn.proj_lif)
    token = attn.qka_type == "token"
    inner = int(out.module.weight.shape[1])
    return Inside(
        inner={"q": qk, "k": qk},
        outer={"o": out},
        ties=("q", "k o") if token else ("q k o",),
        groups=attn.num_heads if token else 1,
        neurons={"attn_lif": (attn.num_heads, 1, 1) if token else (inner, 1)},
        local=LocalQKAttention if token else LocalChannelQKAttention,
    )


def _mlp(mlp: Any) -> Inside:
    return Inside(
        inner={"fc1": Projection(mlp.fc1, mlp.bn1, mlp.lif1)},
        outer={"fc2": Projection(mlp.fc2, mlp.bn2, mlp.lif2)},
        ties=("fc1 fc2",),
    )
