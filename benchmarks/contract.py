"""How long the laws of methods take, by method and family of networks, at the smallest sizes.

Printed is this process's time in seconds, least of the rounds: of the laws that every run tries a
user's method by, and behind the stroke of those with training as well. The law that asks another
process takes the start of Python and torch besides, on any network.

    python benchmarks/contract.py [--rounds 2] [--methods l1p,dsp,...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable

import torch

from autoprune.compress.method import Method
from autoprune.compress.registry import OURS
from autoprune.networks.build import adapter_for, build
from autoprune.trial.method_contract import verdicts
from autoprune.trial.method_laws import CHEAP, LAWS
from autoprune.trial.tried import Tried

SIDE = 16
OFFERED = {"T": 3, "in_channels": 2, "img_size_h": SIDE, "img_size_w": SIDE, "num_classes": 4}
TRANSFORMER = {"embed_dims": 16, "num_heads": 2, "depths": 2, "mlp_ratio": 1.5}
NETWORKS = {
    "spikformer": {**TRANSFORMER, "patch_size": 4},
    "spikformer_patch": TRANSFORMER,
    "spike_driven_transformer": {**TRANSFORMER, "pooling_stat": "0011"},
    "qkformer": {
        "embed_dims": 16,
        "num_heads": [1, 2, 2],
        "depths": [1, 1, 1],
        "mlp_ratio": 2.0,
        "qka_type": "token",
    },
    "maxformer": {"embed_dims": 16, "depths": [1, 1, 1], "mlp_ratio": 2.0},
}
TRAINING = {law: found for law, found in LAWS.items() if law.startswith("zeros")}


def tried(name: str) -> Tried:
    """A network of a family, untrained."""
    torch.manual_seed(0)
    network = build(name, NETWORKS[name], OFFERED).eval()
    adapter = adapter_for(network, None)
    return Tried(network=network, adapter=adapter, samples=torch.rand(4, 2, SIDE, SIDE))


def seconds(method: Method, on: Tried, rounds: int) -> tuple[float, float]:
    """Seconds of the cheap laws, and of these with the one that trains."""
    found = []
    for laws in (CHEAP, TRAINING):
        taken = []
        for _ in range(rounds):
            start = time.process_time()
            broken = [v for v in verdicts(method, on, laws) if v.counterexample]
            taken.append(time.process_time() - start)
            if broken:
                raise SystemExit(f"{method.name} breaks {broken}")
        found.append(min(taken))
    return found[0], sum(found)


def lines(methods: Iterable[Method], rounds: int) -> Iterable[str]:
    """The table, as Markdown."""
    networks = {name: tried(name) for name in NETWORKS}
    yield "| | " + " | ".join(networks) + " |"
    yield "|---" * (len(networks) + 1) + "|"
    for method in methods:
        cells = [seconds(method, on, rounds) for on in networks.values()]
        yield f"| {method.name} | " + " | ".join(f"{a:.2f} / {b:.2f}" for a, b in cells) + " |"


def main() -> None:
    """Print the table, line by line as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--methods", default=",".join(method.name for method in OURS))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    wanted = asked.methods.split(",")
    for line in lines([m for m in OURS if m.name in wanted], asked.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
