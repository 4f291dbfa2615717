"""What a step of training and a pass of evaluation take, with LIF neurons run as a sLIF or not.

Of the network of a study, untrained, on one of its batches made up. The two take turns; printed are
medians of this process's time in milliseconds, with quartiles, and of the ratio within a round.

    python benchmarks/step.py [--study digits] [--rounds 30] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch.nn.functional import cross_entropy

from autoprune.compress.surgery.fused import fused
from autoprune.study.parts import find_parts
from autoprune.study.study import load_study
from autoprune.trial.training import logits

WARM_UP = 2
MANNERS = {"spikingjelly's": nullcontext, "fused": fused}


def milliseconds(call: Callable[[], object]) -> float:
    """The time of this process for a call."""
    start = time.process_time()
    call()
    return 1000 * (time.process_time() - start)


def words(values: list[float]) -> str:
    """The median, and the quartiles in brackets."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Run the rounds, then print a line for training and one for evaluation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    study, _, _ = load_study(asked.study)
    parts, network = find_parts(study)
    batch, about = study.finetune.batch_size, parts.data.about
    inputs, labels = torch.rand(batch, *about.shape), torch.arange(batch) % about.classes
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def train() -> None:
        loss = cross_entropy(logits(network.train(), inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def evaluate() -> None:
        with torch.inference_mode():
            logits(network.eval(), inputs)

    print(f"{asked.study}: batch of {batch}, {asked.threads} threads, {asked.rounds} rounds")
    for name, call in (("step of training", train), ("evaluation", evaluate)):
        taken: dict[str, list[float]] = {manner: [] for manner in MANNERS}
        for done in range(-WARM_UP, asked.rounds):
            for manner, context in MANNERS.items():
                with context(network):
                    own = milliseconds(call)
                if done >= 0:
                    taken[manner].append(own)
        ratios = [a / b for a, b in zip(*taken.values(), strict=True)]
        each = ", ".join(f"{manner} {words(values)} ms" for manner, values in taken.items())
        print(f"{name}: {each}, {words(ratios)} times faster")


if __name__ == "__main__":
    main()
