"""Adapter for spikingjelly's `MaxFormer` and its CIFAR variant.

Fang et al., "Spiking Transformers Need High Frequency Information", arXiv 2505.18608, 2025.
"""

from __future__ import annotations

from typing import Any, final

from spikingjelly.activation_based.layer.attention import SpikingSelfAttention
from spikingjelly.activation_based.model import maxformer
from torch import Tensor, nn

from autoprune.networks.adapter import Branch, Inside, ModelAdapter, Projection
from autoprune.networks.branches import branch
from autoprune.networks.spike_driven import spatial_mlp
from autoprune.networks.spikformer import self_attention


class LocalCifarAttention(maxformer._MaxCifarSSA):
    """The same attention for any number of channels per head.

    The original reshapes by the number of channels of its input; this one by those of q, k and v.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, D, L] -> [T, B, D, L]."""
        qkv = self.qkv_lif(self.qkv(self.input_lif(x)))
        q, k, v = (
            part.transpose(-1, -2).unflatten(-1, (self.num_heads, -1)).permute(0, 1, 3, 2, 4)
            for part in qkv.chunk(3, dim=2)
        )
        x = q @ (k.transpose(-2, -1) @ v) * 0.125
        return self.proj(self.attn_lif(x.transpose(3, 4).flatten(2, 3)))


@final
class MaxFormerAdapter(ModelAdapter):
    """`MaxFormer`: blocks of all three stages, numbered through.

    A block is an MLP alone, a depth-wise convolution (mixer) and an MLP, or attention and MLP. The
    channels of a depth-wise convolution are the residual width: DSP has nothing to remove there.
    """

    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        """See `ModelAdapter.branches`."""
        stages: Any = (model.stage1, model.stage2, model.stage3)
        return tuple(
            _block(stage, index, block) for stage in stages for index, block in enumerate(stage)
        )

    def patch(self, model: nn.Module) -> int:
        """See `ModelAdapter.patch`; two halvings with the CIFAR stem, four else."""
        return 4 if isinstance(model.patch_embed1, maxformer._MaxCifarEmbed) else 16


def _block(stage: nn.Module, index: int, block: Any) -> tuple[Branch, ...]:
    if not hasattr(block, "mlp"):
        return (branch("mlp", stage, str(index), spatial_mlp, "inside"),)
    mlp = branch("mlp", block, "mlp", spatial_mlp, "inside")
    if hasattr(block, "attn"):
        return branch("attention", block, "attn", _attention), mlp
    return branch("mixer", stage, str(index), _mixer), mlp


def _attention(attn: Any) -> Inside:
    if isinstance(attn, SpikingSelfAttention):
        return self_attention(attn)
    qkv = Projection(attn.qkv[0], attn.qkv[1], attn.qkv_lif)
    out = Projection(attn.proj[0], attn.proj[1])
    inner = int(out.module.weight.shape[1])
    return Inside(
        inner={"q": qkv, "k": qkv, "v": qkv},
        outer={"o": out},
        ties=("q k", "v o"),
        groups=attn.num_heads,
        neurons={"input_lif": out.channels, "attn_lif": (inner, 1)},
        local=LocalCifarAttention,
    )


def _mixer(block: Any) -> Inside:
    conv = Projection(block.dwconv, block.bn)
    return Inside(
        inner={"dw": conv},
        neurons={"lif": (block.dwconv.in_channels, 1, 1)},
        fixed="the channels of a depth-wise convolution are the residual width",
    )
