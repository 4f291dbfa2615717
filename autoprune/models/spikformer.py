"""Adapter for networks made of spikingjelly's `SpikformerBlock`.

Zhou et al., "Spikformer: When Spiking Neural Network Meets Transformer", ICLR 2023.
"""

from __future__ import annotations

from typing import final

from spikingjelly.activation_based.layer.attention import SpikingSelfAttention
from spikingjelly.activation_based.model.spikformer import SpikformerBlock, SpikformerMLP
from torch import nn

from autoprune.errors import CompressionError
from autoprune.models.adapter import (
    Attention,
    Branch,
    Cut,
    Matrix,
    ModelAdapter,
    NeuronSite,
    Removed,
    Synapses,
)
from autoprune.models.spikformer_patch import PatchSpikformer


@final
class PatchSpikformerAdapter(ModelAdapter):
    """`PatchSpikformer`: in attention q and k are tied, and v and the projection; in the MLP fc1
    and fc2. Nothing breaks when inner dimensions shrink: the forward passes read local sizes.
    """

    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        """See `ModelAdapter.branches`."""
        return tuple((_attention(block), _mlp(block)) for block in _check(model).blocks)

    def set_time_steps(self, model: nn.Module, time_steps: int) -> None:
        """See `ModelAdapter.set_time_steps`."""
        _check(model).time_steps = time_steps

    def operations(self, model: nn.Module) -> tuple[Synapses | Attention, ...]:
        """See `ModelAdapter.operations`."""
        model = _check(model)
        steps = model.time_steps
        conv, norm = model.stem.conv_bn
        found: list[Synapses | Attention] = [
            Synapses(
                name="stem",
                block=None,
                branch="stem",
                module=conv,
                norm=norm,
                neuron=model.stem.neuron,
                repeats=steps,
                real_input=True,
            )
        ]
        stream: tuple[str, ...] = ("stem",)
        for index, block in enumerate(model.blocks):
            for part in (_attention_operations, _mlp_operations):
                added = part(block, index, stream, steps)
                found += added
                stream += tuple(operation.name for operation in added[-1:])  # the residual sum
        found.append(
            Synapses(
                name="head",
                block=None,
                branch="head",
                module=model.head,
                producers=stream,
                repeats=1,
                real_input=True,
            )
        )
        return tuple(found)


def _check(model: nn.Module) -> PatchSpikformer:
    if not isinstance(model, PatchSpikformer):
        raise CompressionError(f"{type(model).__name__} is not a PatchSpikformer")
    return model


def _attention(block: SpikformerBlock) -> Branch:
    attn = block.attn
    if isinstance(attn, Removed):
        return _removed("attention", block, "attn")
    qkv, norm = attn.qkv_conv_bn
    proj = attn.proj_conv_bn[0]
    inner, heads = proj.in_channels, attn.num_heads
    q, k, v = (
        Cut(module=qkv, side="out", offset=i * inner, norm=norm, neuron=attn.qkv_lif)
        for i in range(3)
    )
    parts = (("q", 0), ("k", 1), ("v", 2))
    return Branch(
        name="attention",
        groups=heads,
        size=inner // heads,
        ties=((q, k), (v, Cut(module=proj, side="in"))),
        matrices=(
            *(Matrix(name=n, module=qkv, rows=slice(i * inner, (i + 1) * inner)) for n, i in parts),
            Matrix(name="o", module=proj, rows=slice(None)),
        ),
        neurons=(
            NeuronSite(owner=attn, name="qkv_lif", channels=(3 * inner, 1)),
            NeuronSite(owner=attn, name="attn_lif", channels=(heads, inner // heads, 1)),
            NeuronSite(owner=attn, name="proj_lif", channels=(proj.out_channels, 1)),
        ),
        owner=block,
        attribute="attn",
    )


def _mlp(block: SpikformerBlock) -> Branch:
    mlp = block.mlp
    if isinstance(mlp, Removed):
        return _removed("mlp", block, "mlp")
    fc1, norm = mlp.fc1
    fc2 = mlp.fc2[0]
    return Branch(
        name="mlp",
        groups=1,
        size=fc1.out_channels,
        ties=(
            (
                Cut(module=fc1, side="out", norm=norm, neuron=mlp.neuron1),
                Cut(module=fc2, side="in"),
            ),
        ),
        matrices=(
            Matrix(name="fc1", module=fc1, rows=slice(None)),
            Matrix(name="fc2", module=fc2, rows=slice(None)),
        ),
        neurons=(
            NeuronSite(owner=mlp, name="neuron1", channels=(fc1.out_channels, 1)),
            NeuronSite(owner=mlp, name="neuron2", channels=(fc2.out_channels, 1)),
        ),
        owner=block,
        attribute="mlp",
    )


def _removed(name: str, block: nn.Module, attribute: str) -> Branch:
    return Branch(
        name=name,
        groups=1,
        size=0,
        ties=(),
        matrices=(),
        neurons=(),
        owner=block,
        attribute=attribute,
    )


def _attention_operations(
    block: SpikformerBlock, index: int, stream: tuple[str, ...], steps: int
) -> list[Synapses | Attention]:
    attn: SpikingSelfAttention | Removed = block.attn
    if isinstance(attn, Removed):
        return []
    prefix = f"blocks.{index}.attention"
    qkv, qkv_norm = attn.qkv_conv_bn
    proj, proj_norm = attn.proj_conv_bn
    return [
        Synapses(
            name=f"{prefix}.qkv",
            block=index,
            branch="attention",
            module=qkv,
            norm=qkv_norm,
            neuron=attn.qkv_lif,
            producers=stream,
            repeats=steps,
        ),
        Attention(
            name=prefix,
            block=index,
            source=attn.qkv_lif,
            source_name=f"{prefix}.qkv",
            heads=attn.num_heads,
            neuron=attn.attn_lif,
        ),
        Synapses(
            name=f"{prefix}.o",
            block=index,
            branch="attention",
            module=proj,
            norm=proj_norm,
            neuron=attn.proj_lif,
            producers=(f"{prefix}.product2",),
            repeats=steps,
        ),
    ]


def _mlp_operations(
    block: SpikformerBlock, index: int, stream: tuple[str, ...], steps: int
) -> list[Synapses | Attention]:
    mlp: SpikformerMLP | Removed = block.mlp
    if isinstance(mlp, Removed):
        return []
    prefix = f"blocks.{index}.mlp"
    return [
        Synapses(
            name=f"{prefix}.{name}",
            block=index,
            branch="mlp",
            module=layer[0],
            norm=layer[1],
            neuron=neuron,
            producers=producers,
            repeats=steps,
        )
        for name, layer, neuron, producers in (
            ("fc1", mlp.fc1, mlp.neuron1, stream),
            ("fc2", mlp.fc2, mlp.neuron2, (f"{prefix}.fc1",)),
        )
    ]
