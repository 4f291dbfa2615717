"""What counters say of a 90 %-pruned transformer block of each family, beside a loop in Python.

Each block is fed the same kind of random spikes. The loop looks at every synapse: an event n at a
nonzero weight is n operations; of two activations that are multiplied, as many as the first has
events at nonzero entries of the second. Layers and attention stand apart.

    python benchmarks/census_peers.py [--width 32] [--side 4] [--steps 4] [--samples 1]
        [--density 0.2] [--pruned 0.9]
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from neurobench.metrics.utils.layers import single_layer_MACs
from spikingjelly.activation_based import functional, op_counter
from spikingjelly.activation_based.model.maxformer import MaxFormer
from spikingjelly.activation_based.model.qkformer import QKFormer
from spikingjelly.activation_based.model.spike_driven_transformer import SpikeDrivenTransformer
from spikingjelly.activation_based.model.spikformer import Spikformer
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from autoprune.compress.surgery.batch_norm import reestimate
from autoprune.workload.census.count import count

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)
    from fvcore.nn import FlopCountAnalysis

LAYERS = nn.Linear | nn.Conv1d | nn.Conv2d


class Alone(nn.Module):
    """A block without the network around it, on frames [T, B, C, H, W]."""

    def __init__(self, block: nn.Module, steps: int, scale: float) -> None:
        super().__init__()
        self.T, self.block, self.scale = steps, block, scale

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x if self.scale == 1 else self.scale * x)


def blocks(width: int, steps: int) -> Iterator[tuple[str, nn.Module]]:
    """One block of each family; the spike-driven transformer's takes membranes, so 3 a spike."""
    common = {"T": steps, "num_classes": 2, "embed_dims": width}
    spikformer = Spikformer(num_heads=4, depths=1, patch_size=4, mlp_ratio=4, **common)
    yield "Spikformer", Alone(spikformer.blocks[0], steps, 1)
    driven = SpikeDrivenTransformer(num_heads=4, depths=1, **common)
    yield "SDT", Alone(driven.blocks[0], steps, 3)
    common["embed_dims"] *= 4  # of the last stage; the first has a quarter
    qk = QKFormer(num_heads=(4, 4, 4), depths=(1, 1, 1), **common)
    yield "QKFormer", Alone(qk.stage1[0], steps, 1)
    common["embed_dims"] = width
    yield "MaxFormer", Alone(MaxFormer(depths=(1, 1, 1), **common).stage3[0], steps, 1)


def prune(network: nn.Module, share: float) -> None:
    """Set the smallest weights of every layer to 0, and let all neurons fire nevertheless."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            nn.init.ones_(module.bias)
        if isinstance(module, LAYERS):
            weight = module.weight.data.view(-1)
            weight[weight.abs().argsort()[: int(share * len(weight))]] = 0


class Loop(TorchFunctionMode):
    """Counts, one by one, what products, masks and sums of activations do in a pass."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = 0
        self.masked: Tensor | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        tensors = [a for a in args[:2] if isinstance(a, Tensor)]
        name = func.__name__
        spiking = all(torch.equal(a, a.round()) for a in tensors)
        if name in ("matmul", "__matmul__") and spiking:
            self._product(*tensors)
        elif name in ("mul", "__mul__") and len(tensors) == 2 and spiking:
            a, b = torch.broadcast_tensors(*tensors)
            self.attention += sum(x * (y != 0) for x, y in zip(flat(a), flat(b), strict=True))
            self.masked = out
        elif name == "sum" and spiking and out.ndim and args[0] is not self.masked:
            self.attention += sum(flat(args[0]))
        return out

    def _product(self, a: Tensor, b: Tensor) -> None:
        """The binary one of the two selects what of the other is added up."""
        if a.max() > 1:
            a, b = b.mT, a.mT
        rows, columns = (x.flatten(0, -3).tolist() for x in (a, b.mT))
        for left, right in zip(rows, columns, strict=True):
            for x, y in itertools.product(left, right):
                self.attention += sum(n * (w != 0) for n, w in zip(x, y, strict=True))


def synapses(module: Any, x: Tensor) -> int:
    """Events that meet a nonzero weight of a linear layer or convolution."""
    weight = module.weight.detach()
    if weight.ndim == 2:
        x, weight = x.reshape(-1, x.shape[-1], 1), weight[..., None]
        stride, padding = (1,), (0,)
    else:
        x = x.reshape(-1, *x.shape[1 - weight.ndim :])  # time and batch are one axis
        stride, padding = module.stride, module.padding
    per_group = len(weight) // getattr(module, "groups", 1)
    kernel = weight.shape[2:]
    taps: dict[int, list[list[int]]] = {}  # by input channel: one for each output's weight
    for o, i, *tap in (weight != 0).nonzero().tolist():
        taps.setdefault(o // per_group * weight.shape[1] + i, []).append(tap)
    total = 0
    for row, channel, *place in x.nonzero().tolist():
        events = int(x[(row, channel, *place)])
        for tap in taps.get(channel, []):
            at = [q + p - t for q, p, t in zip(place, padding, tap, strict=True)]
            total += events * all(
                a % s == 0 and 0 <= a // s <= (n + 2 * p - k) // s
                for a, s, n, p, k in zip(at, stride, x.shape[2:], padding, kernel, strict=True)
            )
    return total


def flat(x: Tensor) -> list[int]:
    """All entries as whole numbers."""
    return [int(v) for v in x.flatten().tolist()]


@contextmanager
def reset(network: nn.Module) -> Iterator[None]:
    """A pass from the reset state, without gradients."""
    functional.reset_net(network)
    with torch.no_grad():
        yield
    functional.reset_net(network)


def table(name: str, network: nn.Module, frames: Tensor) -> list[str]:
    """What each counter says of a block: a line for its layers and one for its attention."""
    shown = frames.transpose(0, 1).contiguous()
    workload = count(network, None, frames)
    ours = {True: 0, False: 0}
    for op in workload.select("executed"):
        ours[op.b.kind == "weight" and op.kind != "sum"] += op.work.effective_sops
    counter, loop = op_counter.SynOpCounter(), Loop()
    with reset(network), op_counter.DispatchCounterMode([counter]):
        network(shown)
    by_function = {str(key): n for key, n in counter.get_counts()["Global"].items()}
    products = sum(n for key, n in by_function.items() if "bmm" in key)
    inputs: list[tuple[nn.Module, Tensor]] = []
    handles = [
        m.register_forward_pre_hook(lambda m, x: inputs.append((m, x[0].clone())))
        for m in network.modules()
        if isinstance(m, LAYERS)
    ]
    with reset(network), loop:
        network(shown)
    for handle in handles:  # NeuroBench copies layers with their hooks
        handle.remove()
    with torch.no_grad():
        neurobench = sum(int(single_layer_MACs(x, m)[0]) for m, x in inputs)
    looped = sum(synapses(m, x) for m, x in inputs)
    with reset(network):
        analysis = FlopCountAnalysis(network, shown).unsupported_ops_warnings(False)
        seen = analysis.uncalled_modules_warnings(False).by_operator()
    dense = {
        True: sum(seen[key] for key in ("conv", "linear")),
        False: sum(seen[key] for key in ("matmul", "bmm", "einsum")),
    }
    spiking = counter.get_total() - products
    rows = (
        ("layers", ours[True], spiking, neurobench, dense[True], looped),
        ("attention", ours[False], products, None, dense[False], loop.attention),
    )
    return [
        f"{name:11} {part:10}"
        + "".join(f"{'-' if n is None else format(int(n), ','):>14}" for n in figures)
        for part, *figures in rows
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--side", type=int, default=4, help="tokens are side x side")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--density", type=float, default=0.2)
    parser.add_argument("--pruned", type=float, default=0.9)
    given = parser.parse_args()
    torch.manual_seed(0)
    shape = (given.samples, given.steps, given.width, given.side, given.side)
    frames = (torch.rand(shape) < given.density).float()
    print(f"{given.pruned:.0%} pruned, {given.samples} samples of {list(shape[1:])}, in all")
    names = ("ours", "spikingjelly", "NeuroBench", "fvcore, dense", "loop")
    print(f"{'':22}" + "".join(f"{name:>14}" for name in names))
    for name, network in blocks(given.width, given.steps):
        prune(network, given.pruned)
        reestimate(network, [frames])
        print("\n".join(table(name, network.eval(), frames)))


if __name__ == "__main__":
    main()
