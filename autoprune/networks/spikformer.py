"""Adapters for networks of spikingjelly's `SpikformerBlock`.

Zhou et al., "Spikformer: When Spiking Neural Network Meets Transformer", ICLR 2023.
"""

from __future__ import annotations

from typing import Any, final

from torch import nn

from autoprune.networks.adapter import Branch, Inside, ModelAdapter, Projection
from autoprune.networks.branches import branch


@final
class SpikformerAdapter(ModelAdapter):
    """`Spikformer`, with its own stem or a patch stem.

    In attention q and k are tied, and v and the projection; in the MLP fc1 and fc2. Nothing breaks
    when inner dimensions shrink: the forward passes read local sizes.
    """

    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        """See `ModelAdapter.branches`."""
        blocks: Any = model.blocks
        return tuple(
            (branch("attention", block, "attn", self_attention), branch("mlp", block, "mlp", _mlp))
            for block in blocks
        )

    def patch(self, model: nn.Module) -> int:
        """See `ModelAdapter.patch`."""
        stem: Any = model.patch_embed
        return int(stem.patch_size)


def self_attention(attn: Any) -> Inside:
    """The inside of spikingjelly's `SpikingSelfAttention`."""
    qkv = Projection(attn.qkv_conv_bn[0], attn.qkv_conv_bn[1], attn.qkv_lif)
    out = Projection(attn.proj_conv_bn[0], attn.proj_conv_bn[1], attn.proj_lif)
    heads = attn.num_heads
    return Inside(
        inner={"q": qkv, "k": qkv, "v": qkv},
        outer={"o": out},
        ties=("q k", "v o"),
        groups=heads,
        neurons={"attn_lif": (heads, out.module.weight.shape[1] // heads, 1)},
    )


def _mlp(mlp: Any) -> Inside:
    return Inside(
        inner={"fc1": Projection(mlp.fc1[0], mlp.fc1[1], mlp.neuron1)},
        outer={"fc2": Projection(mlp.fc2[0], mlp.fc2[1], mlp.neuron2)},
        ties=("fc1 fc2",),
    )
