"""published_array: Prosperity's published cycles and energies, out of layer shapes."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.workload.op import Op
from autoprune.workload.workload import Workload
from tests.operations import altered

STEPS = 4


def matrix(name: str, sizes: tuple[int, int, int], density: float) -> Op:
    """A layer of T = 4 whose unrolled input has so many spikes; M counts all steps, as there."""
    (rows, k, n), blank = sizes, sample_workload(steps=STEPS, samples=1).ops[1]
    sops = round(rows * k * density) * n
    split = (sops, 0, 0, 0)
    fields = {"effective_sops": sops, "fanout_sops": sops, "effective_sops_per_step": split}
    m = rows // STEPS
    macs = rows * k * n
    return altered(
        blank, name=name, m=m, k=k, n=n, neurons=0, b_size=k * n, dense_macs=macs, **fields
    )


def product(name: str, heads: int, tokens: int, width: int, *, first: bool) -> Op:
    """One of attention's two products in the published order, per head."""
    sample = sample_workload(steps=STEPS, samples=1)
    blank = next(op for op in sample.ops if op.order == "published")
    sizes = {"k": width, "n": tokens} if first else {"k": tokens, "n": width}
    return altered(blank, name=f"{name}.{first}", m=tokens, heads=heads, **sizes)


def network(file: Path, density: float = 1.0, *, attention: bool = False) -> Workload:
    """The rows of a table; neurons, which stand in rows of their own, behind the layer before."""
    ops: list[Op] = []
    with file.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["kind"] in ("conv2d", "linear"):
                sizes = tuple(int(row[key]) for key in "MKN")
                ops.append(matrix(row["layer"], sizes, density))
            elif row["kind"] == "lif":
                ops[-1] = altered(ops[-1], neurons=int(row["elements"]))
            elif row["kind"] == "attention" and attention:
                heads, tokens = int(row["heads"]), int(row["tokens"])
                width = int(row["K"]) // heads
                for first in (True, False):
                    ops.append(product(row["layer"], heads, tokens, width, first=first))
    return Workload(network=file.stem, samples=1, time_steps=STEPS, ops=tuple(ops))


@pytest.fixture
def tables(root) -> Path:
    return root / "tests" / "cost" / "oracles"


def test_eyeriss_on_spikformer(oracle, tables):
    """Spikformer on CIFAR10: 21 906 848 cycles, 0.0438137 s; with attention 0.0444129 s.

    Published in Prosperity's reference sheet, recomputed from its layer shapes. Exact in cycles,
    to the printed digits in seconds.
    """
    eyeriss = load_machine("prosperity_eyeriss")
    file = tables / "prosperity_spikformer_cifar10.csv"
    cost = eyeriss.price(network(file))
    name = "Eyeriss, Spikformer, CIFAR10"
    oracle("published_array", name, cost.cycles, 21_906_848, unit="cycles")
    seconds = cost.latency_us * 1e-6
    oracle("published_array", name, seconds, 0.0438137, unit="s", abs=5e-8)
    whole = eyeriss.price(network(file, attention=True)).latency_us * 1e-6
    oracle("published_array", f"{name}, with attention", whole, 0.0444129, unit="s", abs=5e-8)


def test_mint_on_the_spike_driven_transformer(oracle, tables):
    """SDT on CIFAR10 at the published density of 0.146328, attention left out: 0.0175651 s.

    Published in Prosperity's reference sheet, recomputed from shapes and density. Spikes are
    rounded to whole ones per layer, hence 1e-5 relative.
    """
    cost = load_machine("prosperity_mint").price(
        network(tables / "prosperity_sdt_cifar10.csv", density=0.146328)
    )
    seconds = cost.latency_us * 1e-6
    oracle("published_array", "MINT, SDT, CIFAR10", seconds, 0.0175651, unit="s", rel=1e-5)


@pytest.mark.parametrize(
    ("name", "seconds", "millijoule"),
    [("prosperity_eyeriss", 0.0438137, 71.3726), ("prosperity_mint", 0.011410258, 9.98237)],
)
def test_energy_of_published_time_and_traffic(oracle, name, seconds, millijoule):
    """Spikformer on CIFAR10, 140 574 720 bits: mW s + 12.45 pJ/bit x bits x traffic.

    Published in Prosperity's reference sheet; its time (MINT's spikes per layer are not given) and
    its bits (they depend on its tiling) are inputs here. To 1e-5 relative.
    """
    model, bits = load_machine(name), 140_574_720
    dram = model.accesses("dram", bits * model.quantity("dram_traffic")) * model.value("dram")
    energy_pj = model.value("power") * seconds * 1e9 + dram
    what = f"{model.machine.name}, Spikformer, CIFAR10"
    oracle("published_array", what, energy_pj * 1e-9, millijoule, unit="mJ", rel=1e-5)


@pytest.mark.parametrize("name", ["prosperity_eyeriss", "prosperity_mint"])
def test_energy_is_power_times_time_and_bits_once(name):
    """By hand, from the workload's own figures: weights of 8 bits, spikes in and out of 1."""
    model = load_machine(name)
    op = matrix("fc", (4 * 16, 32, 24), 0.25)
    op = altered(op, neurons=16 * 24, a_size=4 * 16 * 32)
    workload = Workload(network="n", samples=1, time_steps=STEPS, ops=(op,))
    cost = model.price(workload)
    bits = 32 * 24 * 8 + 4 * 16 * 32 + 4 * 16 * 24
    dram = bits * model.quantity("dram_traffic") * 12.45
    assert cost.energy_pj == pytest.approx(model.value("power") * cost.latency_us * 1e3 + dram)


def changed(name: str, **choices: str) -> CostModel:
    model = load_machine(name)
    return type(model)(replace(model.machine, choices={**model.machine.choices, **choices}))


def test_a_power_goes_only_with_its_own_cycle_rule():
    with pytest.raises(InputError, match="the power of 'mint' with the cycles of 'eyeriss'"):
        changed("prosperity_eyeriss", power_of="mint")
    with pytest.raises(InputError, match="spike_sparsity: 'none' with cycle_rule 'mint'"):
        changed("prosperity_eyeriss", cycle_rule="mint", power_of="mint")
    with pytest.raises(InputError, match="cycle_rule is 'ptb', which family .* cannot do"):
        changed("prosperity_eyeriss", cycle_rule="ptb")
