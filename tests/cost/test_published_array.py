"""published_array: Prosperity's published cycles, bits and energies, out of layer shapes."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.cost.tiles import traffic
from autoprune.errors import InputError
from autoprune.workload.op import Op
from autoprune.workload.parts import Geometry
from autoprune.workload.workload import Workload
from tests.operations import altered

EYERISS, MINT = load_machine("prosperity_eyeriss"), load_machine("prosperity_mint")
ONE, THREE = (1, 1), (3, 3)
KERNEL = Geometry(
    kernel=THREE, stride=ONE, padding=ONE, dilation=ONE, in_size=(8, 8), out_size=(8, 8)
)


def matrix(name: str, sizes: tuple[int, int, int], density: float, steps: int = 4) -> Op:
    """A layer whose unrolled input has so many spikes; M counts all steps, as there."""
    (rows, k, n), blank = sizes, sample_workload(steps=steps, samples=1).ops[1]
    sops = round(rows * k * density) * n
    split = (sops, *[0] * (steps - 1))
    fields = {"effective_sops": sops, "fanout_sops": sops, "effective_sops_per_step": split}
    m, macs = rows // steps, rows * k * n
    return altered(
        blank, name=name, m=m, k=k, n=n, neurons=0, b_size=k * n, dense_macs=macs, **fields
    )


def products(name: str, heads: int, tokens: int, width: int) -> list[Op]:
    """Attention's two products in the published order, per head; A is the binary operand."""
    sample = sample_workload(steps=4, samples=1)
    blanks = [op for op in sample.ops if op.order == "published"]
    sizes = ((tokens, width, tokens), (width, tokens, tokens))
    return [
        altered(blank, name=f"{name}.{m}", m=m, k=k, n=n, heads=heads, neurons=0)
        for blank, (m, k, n) in zip(blanks, sizes, strict=True)
    ]


Network = Callable[..., Workload]


@pytest.fixture
def network(root) -> Network:
    """Gives the rows of a table; neurons stand in rows of their own, behind the layer before."""

    def network(name: str, density: float = 1.0, *, attention: bool = False) -> Workload:
        ops: list[Op] = []
        file = root / "tests" / "cost" / "oracles" / f"prosperity_{name}.csv"
        with file.open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        steps = int(rows[0]["T"])
        for row in rows:
            if row["kind"] in ("conv2d", "linear"):
                sizes = tuple(int(row[key]) for key in "MKN")
                op = matrix(row["layer"], sizes, density, steps)
                conv = row["kind"] == "conv2d"
                ops.append(altered(op, kind="conv", geometry=KERNEL) if conv else op)
            elif row["kind"] == "lif":
                count = ops[-1].neurons.count + int(row["elements"])
                ops[-1] = altered(ops[-1], neurons=count)
            elif row["kind"] == "attention" and attention:
                heads, tokens = int(row["heads"]), int(row["tokens"])
                ops += products(row["layer"], heads, tokens, int(row["K"]) // heads)
        return Workload(network=name, samples=1, time_steps=steps, ops=tuple(ops))

    return network


def bits(workload: Workload) -> float:
    ops = Ops.of([workload])
    return float(traffic(ops, EYERISS.weight_bits(ops)).sum())


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("vgg16", 2_306_605_056),
        ("resnet18", 730_988_544),
        ("spikformer_cifar10", 140_574_720),
    ],
)
def test_bits_that_tiles_move(oracle, network, name, published):
    """DRAM accesses in bits of the table ``mem_reference.csv`` of Prosperity's simulator (commit
    6ee1c6f). Exact.
    """
    ours = bits(network(name, attention=True))
    what = f"tiles, {name}"
    oracle("published_array", what, ours, published, went_in="shapes", unit="bits")


@pytest.mark.parametrize(
    ("tokens", "width", "each"), [(64, 32, 10), (64, 16, 10), (128, 96, 17), (256, 96, 14)]
)
def test_bits_of_attention(tokens, width, each):
    """Per entry of q in a step: Spikformer on CIFAR10 and CIFAR10-DVS 10, SpikeBERT on SST-2 17 and
    on MR 14; the rest of the same table after layers, neurons and norms. From the longer side as
    from the shorter.
    """
    for sides in ((tokens, width), (width, tokens)):
        ops = Ops.of(
            [
                Workload(
                    network="n",
                    samples=1,
                    time_steps=4,
                    ops=tuple(products("a", 12, *sides)),
                )
            ]
        )
        moved = traffic(ops, EYERISS.weight_bits(ops)).sum()
        assert moved == each * 4 * 12 * tokens * width


def test_eyeriss_on_spikformer(oracle, network):
    """Spikformer on CIFAR10: 21 906 848 cycles, 0.0438137 s; with attention 0.044412880 s and
    72.217716534 mJ; and 71.372567502 mJ with attention's bits and not its time.

    Published in Prosperity's reference sheets. To the printed digits.
    """
    name, went_in = "Eyeriss, Spikformer, CIFAR10", "shapes, prices"
    cost = EYERISS.price(network("spikformer_cifar10"))
    oracle("published_array", name, cost.cycles, 21_906_848, went_in="shapes", unit="cycles")
    seconds = cost.latency_us * 1e-6
    oracle("published_array", name, seconds, 0.043813696, went_in=went_in, unit="s", abs=5e-10)
    whole = EYERISS.price(network("spikformer_cifar10", attention=True))
    what, seconds = f"{name}, with attention", whole.latency_us * 1e-6
    oracle("published_array", what, seconds, 0.044412880, went_in=went_in, unit="s", abs=5e-10)
    energy = whole.energy_pj * 1e-9
    oracle("published_array", what, energy, 72.217716534, went_in=went_in, unit="mJ", rel=1e-10)
    energy -= (
        sum(t.energy_pj for t in whole.terms if t.cause == "chip" and "attention" in t.op) * 1e-9
    )
    oracle("published_array", name, energy, 71.372567502, went_in=went_in, unit="mJ", rel=1e-10)


@pytest.mark.parametrize(
    ("name", "published"), [("vgg16", 794.746324437), ("resnet18", 433.291974032)]
)
def test_energies_of_eyeriss(oracle, network, name, published):
    """Prosperity's reference sheet, CIFAR10. To the printed digits."""
    energy = EYERISS.price(network(name)).energy_pj * 1e-9
    what = f"Eyeriss, {name}, CIFAR10"
    oracle(
        "published_array", what, energy, published, went_in="shapes, prices", unit="mJ", rel=1e-10
    )


@pytest.mark.parametrize(
    ("name", "data", "density", "seconds", "millijoule"),
    [
        ("sdt_cifar10", "CIFAR10", 0.14632822672526, 0.017565092, None),
        ("vgg16", "CIFAR10", 0.0896311236752404, 0.058755674, 112.882640401),
        ("vgg16", "CIFAR100", 0.342091911368899, 0.211236884, 173.310943924),
        ("resnet18", "CIFAR10", 0.0908938331407514, 0.035428688, 42.434908058),
        ("resnet18", "CIFAR100", 0.0863184307847854, 0.033798684, 41.788937472),
    ],
)
def test_mint(oracle, network, name, data, density, seconds, millijoule):
    """Seconds and energies of Prosperity's reference sheets at the densities of its own, attention
    left out (SDT's energy has the bits of its masks and sums, which are a host's here). Spikes are
    rounded to whole ones per layer, hence 1e-5 relative.
    """
    cost = MINT.price(network(name, density))
    what, went_in = f"MINT, {name}, {data}", "shapes, densities, prices"
    found = cost.latency_us * 1e-6
    oracle("published_array", what, found, seconds, went_in=went_in, unit="s", rel=1e-5)
    if millijoule is not None:
        energy = cost.energy_pj * 1e-9
        oracle("published_array", what, energy, millijoule, went_in=went_in, unit="mJ", rel=1e-5)


def test_mint_on_spikformer(oracle, network):
    """Spikformer on CIFAR10 at the published density of 0.149227, which holds attention's spikes,
    too, where the published time does not: 0.011410258 s within 0.6 %, 9.982369669 mJ, attention's
    bits in it, within 0.3 %. Those of its layers alone are not published.
    """
    density = 0.149227398221829
    cost = MINT.price(network("spikformer_cifar10", density))
    products = network("spikformer_cifar10", attention=True)
    hosted = [altered(op, neurons=0) for op in products.ops if op.kind == "attention_product"]
    apart = bits(replace(products, ops=tuple(hosted))) * MINT.quantity("dram_traffic")
    what, went_in = "MINT, Spikformer, CIFAR10", "shapes, densities, prices"
    seconds = cost.latency_us * 1e-6
    oracle("published_array", what, seconds, 0.011410258, went_in=went_in, unit="s", rel=6e-3)
    energy = (cost.energy_pj + apart * MINT.value("dram")) * 1e-9
    oracle("published_array", what, energy, 9.982369669, went_in=went_in, unit="mJ", rel=3e-3)


@pytest.mark.parametrize("model", [EYERISS, MINT])
def test_energy_is_power_times_time_and_bits_by_tile(model):
    """By hand: 4 x 80 rows are two tiles, 200 columns two; neurons send 4096 bits or more."""
    op = altered(matrix("fc", (4 * 80, 32, 200), 0.25), neurons=80 * 200)
    workload = Workload(network="n", samples=1, time_steps=4, ops=(op,))
    cost = model.price(workload)
    moved = 2 * 32 * 200 * 8 + 2 * 4 * 80 * 32 + 4 * 80 * 200
    dram = moved * model.quantity("dram_traffic") * 12.45
    assert cost.energy_pj == pytest.approx(model.value("power") * cost.latency_us * 1e3 + dram)
    few = replace(workload, ops=(altered(op, neurons=1023),))  # 4092 bits stay on the chip
    assert bits(workload) - bits(few) == 4 * 80 * 200


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


def test_a_price_per_bit_stands_beside_a_power_only_where_it_is_outside_the_chip():
    machine = EYERISS.machine
    assert {p.name: p.scope for p in machine.prices} == {"power": "all_in", "dram": "per_term"}
    sata = load_machine("sata")
    prices = tuple(
        replace(p, scope="all_in") if p.name == "lif_leak" else p for p in sata.machine.prices
    )
    with pytest.raises(InputError, match=r"sata\.toml: all-in prices beside prices per term"):
        type(sata)(replace(sata.machine, prices=prices))
