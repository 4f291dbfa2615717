"""A network as a user may have it: linear layers, tokens before channels, and its adapter."""

from __future__ import annotations

from typing import cast

from spikingjelly.activation_based import layer, neuron
from torch import Tensor, nn

from autoprune.networks.adapter import Branch, Inside, ModelAdapter, Projection
from autoprune.networks.branches import branch


def lif(threshold: float = 1.0) -> nn.Module:
    return neuron.LIFNode(tau=2.0, v_threshold=threshold, detach_reset=True, step_mode="m")


class Norm(nn.BatchNorm1d):
    """Batch norm over the last axis of [T, B, L, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).reshape(x.shape)


class Attention(nn.Module):
    """(q k^T) v, in the published order."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        for name in "qkv":
            setattr(self, name, nn.Linear(width, width))
            setattr(self, f"{name}_bn", Norm(width))
            setattr(self, f"{name}_lif", lif())
        self.attn_lif = lif(0.5)
        self.proj, self.proj_bn, self.proj_lif = nn.Linear(width, width), Norm(width), lif()

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            getattr(self, f"{n}_lif")(getattr(self, f"{n}_bn")(getattr(self, n)(x)))
            .unflatten(-1, (self.heads, -1))
            .transpose(2, 3)
            for n in "qkv"
        )
        out = self.attn_lif((q @ k.mT) @ v * 0.25)
        return self.proj_lif(self.proj_bn(self.proj(out.transpose(2, 3).flatten(3))))


class Mlp(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.ModuleDict({"fc": nn.Linear(width, hidden), "bn": Norm(hidden), "lif": lif()})
        self.down, self.bn, self.lif = nn.Linear(hidden, width), Norm(width), lif()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.up["lif"](self.up["bn"](self.up["fc"](x)))
        return self.lif(self.bn(self.down(hidden)))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn, self.mlp = Attention(width, heads), Mlp(width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.mlp(x)


class OwnFormer(nn.Module):
    def __init__(self, T: int = 3, in_channels: int = 2, num_classes: int = 4) -> None:
        super().__init__()
        self.T, width = T, 12
        self.stem = layer.SeqToANNContainer(
            nn.Conv2d(in_channels, width, 4, stride=4, bias=False), nn.BatchNorm2d(width)
        )
        self.lif = lif()
        self.layers = nn.ModuleList(Block(width, heads=2) for _ in range(2))
        self.classify = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] or [T, B, C, H, W] -> [T, B, classes]: the average over time is left."""
        x = self.lif(self.stem(x if x.ndim == 5 else x.expand(self.T, *x.shape)))
        x = x.flatten(3).transpose(2, 3)
        for block in self.layers:
            x = block(x)
        return self.classify(x.mean(2))


class BatchFirst(OwnFormer):
    def forward(self, x: Tensor) -> Tensor:
        """[B, T, C, H, W] -> [T, B, classes]."""
        return super().forward(x.transpose(0, 1))


class OwnAdapter(ModelAdapter):
    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        return tuple(
            (branch("attention", b, "attn", attention), branch("mlp", b, "mlp", mlp))
            for b in cast(OwnFormer, model).layers
        )


class BatchFirstAdapter(OwnAdapter):
    def time_axis(self, model: nn.Module) -> int:
        return 1


def attention(a: Attention) -> Inside:
    parts = {n: Projection(*(getattr(a, n + end) for end in ("", "_bn", "_lif"))) for n in "qkv"}
    return Inside(
        inner=parts,
        outer={"o": Projection(a.proj, a.proj_bn, a.proj_lif)},
        ties=("q k", "v o"),
        groups=a.heads,
        neurons={"attn_lif": (a.heads, 1, a.proj.in_features // a.heads)},
    )


def mlp(m: Mlp) -> Inside:
    up, down = Projection(*m.up.values()), Projection(m.down, m.bn, m.lif)
    return Inside(inner={"fc1": up}, outer={"fc2": down}, ties=("fc1 fc2",))


def build_soft(T: int, in_channels: int, num_classes: int) -> OwnFormer:
    """With neurons that reset softly, and whose inputs do not decay."""
    network = OwnFormer(T, in_channels, num_classes)
    for module in network.modules():
        if isinstance(module, neuron.LIFNode):
            module.v_reset, module.decay_input = None, False
    return network


def build(T: int, in_channels: int, num_classes: int) -> OwnFormer:
    return OwnFormer(T, in_channels, num_classes)


def batch_first(T: int, in_channels: int, num_classes: int) -> BatchFirst:
    return BatchFirst(T, in_channels, num_classes)
