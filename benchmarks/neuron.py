"""Time of the sLIF, forward and backward over all time steps, against spikingjelly's neurons.

The neurons take turns: every round runs each once on the same input, after two rounds that are not
counted. Printed are the medians of the times and of the ratios within a round, how many times
faster than ParametricLIFNode, each with its quartiles.

    python benchmarks/neuron.py [--rounds 50] [--size 4,64,64,64] [--threads 1] [--device cpu]
        [--surrogate Sigmoid]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn

from autoprune.compress.surgery.slif.node import SLIFNode

WARM_UP = 2
PEER = "ParametricLIFNode"


def neurons(function: nn.Module, size: tuple[int, ...], device: str) -> dict[str, nn.Module]:
    """Every neuron of the comparison: tau 2, hard reset, detached; the channels are axis 2."""
    settings = {"surrogate_function": function, "detach_reset": True, "step_mode": "m"}
    plif = neuron.ParametricLIFNode(init_tau=2.0, **settings)
    found = {PEER: plif, "LIFNode": neuron.LIFNode(tau=2.0, **settings)}
    shapes = {"channels": (size[2],) + (1,) * (len(size) - 3), "neurons": size[2:]}
    for learned in ("layer", "channel", "neuron"):
        found[f"sLIF per {learned}"] = SLIFNode(plif, threshold=learned, tau=learned, **shapes)
    return {name: node.to(device) for name, node in found.items()}


def seconds(node: nn.Module, x: Tensor, grad: Tensor) -> float:
    """Time of one forward and backward pass from the reset state."""
    functional.reset_net(node)
    node.zero_grad()
    x.grad = None
    wait(x)
    start = time.perf_counter()
    node(x).backward(grad)
    wait(x)
    return time.perf_counter() - start


def wait(x: Tensor) -> None:
    """Until the device has done what it was given."""
    if x.is_cuda:
        torch.cuda.synchronize(x.device)


def quartiles(values: list[float]) -> str:
    """The median, and the quartiles in brackets."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:8.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Run the rounds, then print a line per neuron."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--size", default="4,64,64,64", help="T,B,C,...")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--surrogate", default="Sigmoid", help="a class of spikingjelly's")
    arguments = parser.parse_args()
    size = tuple(int(part) for part in arguments.size.split(","))
    if len(size) < 3 or arguments.rounds < 2:
        parser.error("at least two rounds, and T,B,C in --size")
    torch.set_num_threads(arguments.threads)
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(size, generator=generator) + 0.5).to(arguments.device).requires_grad_()
    grad = torch.randn(size, generator=generator).to(arguments.device)
    candidates = neurons(getattr(surrogate, arguments.surrogate)(), size, arguments.device)
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for done in range(-WARM_UP, arguments.rounds):
        for name, node in candidates.items():
            taken = seconds(node, x, grad)
            if done >= 0:
                times[name].append(1000 * taken)
    print(
        f"{arguments.size} float32 on {arguments.device}, {arguments.surrogate} surrogate, ", end=""
    )
    print(f"{arguments.threads} threads, {arguments.rounds} rounds; medians and quartiles")
    print(f"{'':18} {'milliseconds':30} times faster than {PEER}")
    for name, values in times.items():
        faster = [peer / mine for peer, mine in zip(times[PEER], values, strict=True)]
        print(f"{name:18} {quartiles(values):30} {quartiles(faster)}")


if __name__ == "__main__":
    main()
