"""What fine-tuning that ends in a machine's integers would give its networks.

    python benchmarks/straight_through.py RUN [--machine loihi1] [--epochs 2] [--rate 1e-3]

For each member of a front whose weights were kept, and each granularity at which thresholds and
decays may differ: how many validation samples are right in the machine's integers, as it is, after
further epochs in floating point, and after as many in the integers. There the pass is the
machine's, with rounded weights and neurons in integers, and gradients are those of the same neurons
in floating point at the same inputs, taken by the weights before they were rounded: the
straight-through estimator (Bengio et al., arXiv 1308.3432). Zeros stay zero. Batch norm is folded
before, in all of them.
"""

from __future__ import annotations

import argparse
import copy
import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from autoprune.api import open_run
from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.surgery.fold import fold
from autoprune.compress.surgery.integers.convert import in_integers
from autoprune.compress.surgery.integers.neuron import FixedNeuron
from autoprune.cost.load import load_machine
from autoprune.deploy.member import Member, find_member
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import TrialKey
from autoprune.trial.training import logits
from autoprune.trial.trial import score

HEAD = ("trial", "per", "samples", "as it is", "floating point", "integers", "plan")
BATCH = 64


class Through(nn.Module):
    """A machine's neurons, with the gradients of the network's own."""

    def __init__(self, own: nn.Module, fixed: FixedNeuron) -> None:
        super().__init__()
        self.own, self.fixed = own, fixed

    def forward(self, x: Tensor) -> Tensor:
        """Spikes [T, B, ...]."""
        spikes = self.own(x)
        with torch.no_grad():
            moved = self.fixed(x) - spikes
        return spikes + moved


def held(member: Member, network: nn.Module, own: Arithmetic, bits: int) -> nn.Module:
    """A network in the integers."""
    return in_integers(network, member.setup.adapter, own, bits, member.inputs(3)).network


def tuned(
    member: Member, own: Arithmetic | None, bits: int, given: argparse.Namespace
) -> nn.Module:
    """The folded network after further epochs: in integers, or in floating point where None."""
    torch.manual_seed(0)
    data = member.setup.data.train
    network, _ = fold(member.network, member.inputs(3))
    kept = {name: value != 0 for name, value in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), lr=given.rate)
    for _ in range(given.epochs):
        for chosen in torch.randperm(len(data)).split(BATCH):
            inputs, labels = data.inputs(chosen), data.labels[chosen]
            passed = network.train()
            if own is not None:
                passed = held(member, copy.deepcopy(network).eval(), own, bits)
                for path, module in [*passed.named_modules()]:
                    if isinstance(module, FixedNeuron):
                        twin = copy.deepcopy(network.get_submodule(path)).train()
                        passed.set_submodule(path, Through(twin, module))
            optimizer.zero_grad()
            passed.zero_grad()
            cross_entropy(logits(passed, inputs), labels).backward()
            grown = {name.replace(".own.", "."): p.grad for name, p in passed.named_parameters()}
            for name, parameter in network.named_parameters():
                if grown[name] is not None:
                    parameter.grad = grown[name] * kept[name]
            optimizer.step()
    return network.eval()


def rows(given: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    """A row for each member and granularity."""
    folder, machine = RunFolder(given.run), load_machine(given.machine).machine
    if machine.arithmetic is None:
        raise SystemExit(f"{machine.name}: its file has no [arithmetic]")
    stored = {TrialKey.of_stem(file.stem) for file in folder.checkpoints.iterdir()}
    members = open_run(given.run).front(machine.name).index
    for key in dict.fromkeys(TrialKey.parse(str(trial)).whole for trial in members):
        if key not in stored:
            continue
        member = find_member(folder, key, print)
        bits = min(member.measurement.plan.weight_bits, machine.weight_bits)
        floating = tuned(member, None, bits, given)
        for per in ("layer", machine.arithmetic.threshold_per):
            own = replace(machine.arithmetic, threshold_per=per, decay_per=per)
            found = (member.network, floating, tuned(member, own, bits, given))
            right = [
                score(member.setup, held(member, one, own, bits), member.setup.data.validation)
                for one in found
            ]
            plan = member.measurement.plan.short(member.shape)
            yield (key, per, right[0].total, *(one.correct for one in right), plan)


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser()
    options.add_argument("run", type=Path)
    options.add_argument("--machine", default="loihi1")
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--rate", type=float, default=1e-3)
    given = options.parse_args()
    torch.set_num_threads(1)
    shown = csv.writer(sys.stdout)
    shown.writerow(HEAD)
    for row in rows(given):
        shown.writerow(row)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
