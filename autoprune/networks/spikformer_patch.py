"""Spikformer with a patch stem: a few strided convolutions, then spikingjelly's Spikformer blocks.

The standard stem of Spikformer (four convolutions) classifies small images by itself, so that its
blocks carry nothing and a search on them means nothing; one or two convolutions leave them the
work.
"""

from __future__ import annotations

import torch
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.model.spikformer import SpikformerBlock
from torch import Tensor, nn


class PatchStem(nn.Module):
    """``LIF(BN(conv(x)) + position)``: pixels to spikes, after `stem` - 1 of ``LIF(BN(conv(x)))``.

    The position embedding is added to the membrane's input and not to the spikes, so that the
    blocks read spikes and sums of spikes, never real numbers. Every convolution but the last has a
    stride of 2 while the patch allows it, and half of the next one's channels; the last has what is
    left of `patch_size`, P. A convolution of stride s covers 2 s - 1 pixels, at least 3.

    Args:
        in_channels: C of the image. height, width: its sides.
        embed_dims: D, the embedding dimension.
        patch_size: P, pixels of a token's side; divides both sides of the image.
        stem: number of convolutions.

    Shapes: [T, B, C, H, W] -> [T, B, D, H/P, W/P].

    Raises ValueError for a patch or a stem below 1, and channels that cannot be halved so often.
    """

    def __init__(  # noqa: PLR0913 - the image's three sizes and the stem's three
        self,
        in_channels: int,
        height: int,
        width: int,
        embed_dims: int,
        patch_size: int = 2,
        stem: int = 1,
    ) -> None:
        super().__init__()
        if patch_size < 1 or stem < 1 or embed_dims % 2 ** (stem - 1):
            raise ValueError(
                f"patch_size {patch_size}, stem {stem}, embed_dims {embed_dims}; expected a patch "
                "and a stem of at least 1, and embed_dims that can be halved stem - 1 times"
            )
        self.patch_size = patch_size
        self.before = nn.Sequential()
        left, given = patch_size, in_channels
        for halvings in range(stem - 1, 0, -1):
            stride = 1 if left % 2 else 2
            self.before.append(_conv_bn(given, embed_dims >> halvings, stride))
            self.before.append(_lif())
            left, given = left // stride, embed_dims >> halvings
        self.conv_bn = _conv_bn(given, embed_dims, left)
        tokens = height // patch_size, width // patch_size
        self.position = nn.Parameter(torch.zeros(embed_dims, *tokens))
        self.neuron = _lif()

    def forward(self, x_seq: Tensor) -> Tensor:
        """[T, B, C, H, W] -> spikes [T, B, D, H/P, W/P]."""
        return self.neuron(self.conv_bn(self.before(x_seq)) + self.position)


def _conv_bn(given: int, channels: int, stride: int) -> nn.Module:
    side = max(3, 2 * stride - 1)
    return layer.SeqToANNContainer(
        nn.Conv2d(given, channels, kernel_size=side, stride=stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(channels),
    )


def _lif() -> nn.Module:
    return neuron.LIFNode(tau=2.0, detach_reset=True, step_mode="m")


class PatchSpikformer(nn.Module):
    """Patch stem, Spikformer blocks, mean over tokens and time, linear head.

    `patch_size` and `stem` are `PatchStem`'s.

    Attributes:
        T: time steps; a static image is shown T times.

    Shapes: [B, C, H, W] or [T, B, C, H, W] -> logits [B, classes].
    """

    def __init__(  # noqa: PLR0913 - named as spikingjelly's Spikformer names them
        self,
        *,
        T: int,
        in_channels: int,
        img_size_h: int,
        img_size_w: int,
        num_classes: int,
        embed_dims: int,
        num_heads: int,
        mlp_ratio: float,
        depths: int,
        patch_size: int = 2,
        stem: int = 1,
    ) -> None:
        super().__init__()
        self.T = T
        self.patch_embed = PatchStem(
            in_channels, img_size_h, img_size_w, embed_dims, patch_size, stem
        )
        self.blocks = nn.ModuleList(
            SpikformerBlock(dim=embed_dims, num_heads=num_heads, mlp_ratio=mlp_ratio)
            for _ in range(depths)
        )
        self.head = nn.Linear(embed_dims, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.trunc_normal_(self.patch_embed.position, std=0.02)
        nn.init.zeros_(self.head.bias)
        functional.set_step_mode(self, "m")

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, C, H, W] or frames [T, B, C, H, W] -> logits [B, classes]."""
        x_seq = x if x.ndim == 5 else x.unsqueeze(0).expand(self.T, *x.shape)
        x_seq = self.patch_embed(x_seq)
        for block in self.blocks:
            x_seq = block(x_seq)
        return self.head(x_seq.flatten(3).mean(dim=-1).mean(dim=0))
