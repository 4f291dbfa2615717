"""Time of the census beside a plain forward pass and spikingjelly's counters, and what it covers.

On Spikformer-4-384 (T = 4, 3 x 32 x 32), the counters take turns: every round runs each once on the
same images, after one round that is not counted. Printed are medians of processor time, which other
work on the computer changes little, and of the ratios to the plain pass within a round, with their
quartiles. The first census is the first of a process, one per round in a process of its own, whose
plain pass is the second one.
Then, for one network of each family, how much of its dense MACs is counted, and what is named.

    python benchmarks/census.py [--rounds 15] [--batch 8] [--threads 1] [--width 384] [--depth 4]
        [--small]
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.queues import SimpleQueue

import torch
from spikingjelly.activation_based import functional, op_counter
from torch import Tensor, nn

from autoprune.compress.surgery.batch_norm import reestimate
from autoprune.networks.build import adapter_for, build
from autoprune.workload.census.count import count

PLAIN, FIRST = "plain forward pass", "census, the first time"


def candidates(network: nn.Module, images: Tensor) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    adapter = adapter_for(network, None)

    def plain() -> None:
        with torch.inference_mode():
            network(images)

    def counter() -> int:
        with torch.no_grad(), op_counter.DispatchCounterMode([op_counter.SynOpCounter()]):
            network(images)
        return 0

    return {
        PLAIN: plain,
        "census": lambda: count(network, adapter, images, activity=False),
        "census with activity": lambda: count(network, adapter, images),
        "SynOpCounter": counter,
        "estimate_simple_energy": lambda: op_counter.estimate_simple_energy(network, images),
    }


def first(network: nn.Module, images: Tensor, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of the first census of a process, and of a plain pass behind it."""
    context = multiprocessing.get_context("fork")  # nothing was counted here before
    queue = context.SimpleQueue()
    times: dict[str, list[float]] = {FIRST: [], PLAIN: []}
    for _ in range(rounds):
        process = context.Process(target=_first, args=(network, images, queue))
        process.start()
        process.join()
        for name in times:
            times[name].append(queue.get())
    return times


def _first(network: nn.Module, images: Tensor, queue: SimpleQueue[float]) -> None:
    tried = candidates(network, images)
    tried[PLAIN]()
    for run in (tried["census"], tried[PLAIN]):
        functional.reset_net(network)
        start = time.process_time()
        run()
        queue.put(1000 * (time.process_time() - start))


def timed(network: nn.Module, images: Tensor, rounds: int) -> dict[str, list[float]]:
    """Milliseconds by candidate and round."""
    tried = candidates(network, images)
    times: dict[str, list[float]] = {name: [] for name in tried}
    for done in range(-1, rounds):
        for name, run in tried.items():
            functional.reset_net(network)
            start = time.process_time()
            run()
            if done >= 0:
                times[name].append(1000 * (time.process_time() - start))
    functional.reset_net(network)
    return times


def quartiles(values: list[float]) -> str:
    """The median, and the quartiles in brackets."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:9.2f} ({low:.2f} to {high:.2f})"


def families(*, small: bool) -> Iterator[tuple[str, nn.Module, Tensor]]:
    """A network of each family as the bundled studies have it, or a small one, and one image."""
    width, side, depth = (32, 32, 1) if small else (384, 224, 8)
    size = {"img_size_h": 32, "img_size_w": 32, "patch_size": 4}
    common = {"time_steps": 4, "embed_dims": width, "num_classes": 10}
    for model, sides, given in (
        ("spikformer", 32, {"depths": min(depth, 4), "num_heads": width // 32, **size}),
        ("spike_driven_transformer", side, {"depths": depth, "num_heads": 8}),
        ("qkformer", 32, {"depths": [1, 1, 2], "num_heads": [1, 2, 4]}),
        ("maxformer", 32, {"depths": [1, 1, 2], "cifar": True}),
    ):
        arguments = {**common, **given}
        arguments["T"] = arguments.pop("time_steps")
        yield model, build(model, arguments, {}).eval(), torch.rand(1, 3, sides, sides)


def coverage(network: nn.Module, images: Tensor) -> str:
    """Shares of the dense MACs: counted, and of every class that is named."""
    workload = count(network, adapter_for(network, None), images, activity=False)
    counted = workload.share_of_dense_macs(workload.total("dense_macs"))
    named = ", ".join(
        f"{item.name} {workload.share_of_dense_macs(item.dense_macs):.2%}"
        for item in workload.uncounted
        if item.dense_macs
    )
    return f"{workload.per_sample('dense_macs') / 1e6:10,.1f} M  counted {counted:.2%}, {named}"


def main() -> None:
    """Run the rounds, then print a line per counter and one per family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--small", action="store_true", help="small networks for the coverage")
    given = parser.parse_args()
    if given.rounds < 2:
        parser.error("at least two rounds")
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    arguments = {"T": 4, "img_size_h": 32, "img_size_w": 32, "patch_size": 4, "num_classes": 10}
    arguments |= {"embed_dims": given.width, "depths": given.depth, "num_heads": given.width // 32}
    network = build("spikformer", {**arguments, "mlp_ratio": 4.0}, {}).eval()
    images = torch.rand(given.batch, 3, 32, 32)
    reestimate(network, [images])
    began = first(network, images, given.rounds)
    times = timed(network, images, given.rounds)
    print(
        f"Spikformer-{given.depth}-{given.width}, batch {given.batch}, {given.threads} threads, "
        f"{given.rounds} rounds; medians and quartiles"
    )
    print(f"{'':24} {'milliseconds':32} times the plain pass")
    for name, values, beside in (
        *((name, values, times[PLAIN]) for name, values in times.items()),
        (FIRST, began[FIRST], began[PLAIN]),
    ):
        ratios = [mine / plain for mine, plain in zip(values, beside, strict=True)]
        print(f"{name:24} {quartiles(values):32} {quartiles(ratios)}")
    print("\nDense MACs per sample:")
    for name, family, image in families(small=given.small):
        print(f"{name:24} {coverage(family, image)}")


if __name__ == "__main__":
    main()
