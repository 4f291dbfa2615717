"""Adapter for spikingjelly's `SpikeDrivenTransformer`.

Yao et al., "Spike-driven Transformer", NeurIPS 2023 (its first version).
"""

from __future__ import annotations

from typing import Any, final

from spikingjelly.activation_based.layer.attention import SpikeDrivenSelfAttention
from torch import Tensor, nn

from autoprune.networks.adapter import Branch, Inside, ModelAdapter, Projection
from autoprune.networks.branches import branch


class LocalSpikeDrivenSelfAttention(SpikeDrivenSelfAttention):
    """The same attention for any number of channels.

    Heads only divide the channels here: masking works channel by channel. The original reshapes by
    the numbers of heads and channels that it was built with; this one does not reshape at all.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, D, H, W] -> [T, B, D, H, W], the residual added."""
        spikes = self.shortcut_lif(x)
        q = self.q_lif(self.q_bn(self.q_conv(spikes)))
        k = self.k_lif(self.k_bn(self.k_conv(spikes)))
        v = self.v_lif(self.v_bn(self.v_conv(spikes)))
        mask = self.attn_lif((k * v).sum(dim=(-2, -1), keepdim=True))
        return self.proj_bn(self.proj_conv(q * mask)) + x


@final
class SpikeDrivenAdapter(ModelAdapter):
    """`SpikeDrivenTransformer`: q, k, v and the projection are tied per channel; both branches of
    a block hold the residual path.
    """

    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        """See `ModelAdapter.branches`."""
        blocks: Any = model.blocks
        return tuple(
            (
                branch("attention", block, "attn", _attention, "inside"),
                branch("mlp", block, "mlp", spatial_mlp, "inside"),
            )
            for block in blocks
        )

    def patch(self, model: nn.Module) -> int:
        """See `ModelAdapter.patch`; every pooling of the stem halves the sides."""
        stem: Any = model.patch_embed
        return 2 ** sum(isinstance(module, nn.MaxPool2d) for module in stem.modules())


def _attention(attn: Any) -> Inside:
    inner = {
        name: Projection(
            getattr(attn, f"{name}_conv"), getattr(attn, f"{name}_bn"), getattr(attn, f"{name}_lif")
        )
        for name in "qkv"
    }
    out = Projection(attn.proj_conv, attn.proj_bn)
    return Inside(
        inner=inner,
        outer={"o": out},
        ties=("q k v o",),
        neurons={"shortcut_lif": out.channels, "attn_lif": inner["q"].channels},
        local=LocalSpikeDrivenSelfAttention,
    )


def spatial_mlp(mlp: Any) -> Inside:
    """The MLP that SDT and MaxFormer share: neurons before each 1x1 convolution, residual inside.

    Where there are as many hidden units as channels, spikingjelly adds the input to the hidden
    units, too: those are the residual width then.
    """
    fc1, fc2 = Projection(mlp.fc1, mlp.bn1, mlp.lif2), Projection(mlp.fc2, mlp.bn2)
    return Inside(
        inner={"fc1": fc1},
        outer={"fc2": fc2},
        ties=("fc1 fc2",),
        neurons={"lif1": fc2.channels},
        fixed="its hidden units have a shortcut, so that they are the residual width"
        if mlp.residual
        else "",
    )
