"""memory_hierarchy: Lemaire's terms, against spikingjelly's estimator on random layers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from spikingjelly.activation_based import op_counter
from torch import nn

from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.workload.census.count import count
from tests.operations import altered

MEM45 = load_machine("mem45")
CAUSES = {
    "operations": "ops_pj",
    "addresses": "addressing_pj",
    "inputs and outputs": "inout_pj",
    "weights": "params_pj",
    "potentials": "potential_pj",
}


class Alone(nn.Module):
    """A layer as a network of one time step."""

    T = 1

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


def both(layer: nn.Module, x: torch.Tensor) -> tuple[dict[str, float], dict[str, float]]:
    """Energies by cause, ours and spikingjelly's, per sample."""
    network = Alone(layer).eval()
    workload = count(network, None, x)
    # read as one sample, since its memories grow with the batch
    report = op_counter.estimate_lemaire_energy(network, x)
    ours = MEM45.price(workload).by_cause()
    theirs = {cause: report.breakdown_pj[name] for cause, name in CAUSES.items()}
    return {cause: ours.get(cause, 0.0) for cause in CAUSES}, theirs


def spikes(*shape: int, seed: int, density: float = 0.3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < density).float()


@pytest.mark.parametrize(("inputs", "outputs"), [(32, 16), (100, 40), (256, 700)])
@pytest.mark.parametrize("seed", [0, 1])
def test_linear_layers_of_spikes_equal_spikingjelly(inputs, outputs, seed):
    """Every term, relative 1e-12; spikingjelly 2.0 with its default prices, the paper's."""
    torch.manual_seed(seed)
    ours, theirs = both(nn.Linear(inputs, outputs, bias=False), spikes(1, inputs, seed=seed))
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert theirs["weights"] > 0


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("groups", [1, 2])
def test_convolutions_of_spikes_equal_spikingjelly_but_at_the_border(kernel, groups):
    """All but the additions: spikingjelly counts the whole kernel per spike also at the border,
    where ours are exact; in memory both touch the whole kernel.
    """
    torch.manual_seed(kernel)
    layer = nn.Conv2d(4, 6, kernel, padding=kernel // 2, groups=groups, bias=False)
    ours, theirs = both(layer, spikes(1, 4, 9, 9, seed=kernel))
    for cause in ("addresses", "inputs and outputs", "weights", "potentials"):
        assert ours[cause] == pytest.approx(theirs[cause], rel=1e-12), cause
    if kernel == 1:
        assert ours["operations"] == pytest.approx(theirs["operations"], rel=1e-12)
    else:
        assert ours["operations"] < theirs["operations"]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.Linear(30, 20, bias=False), (1, 30)), (nn.Conv2d(3, 5, 3, bias=False), (1, 3, 8, 8))],
)
def test_layers_of_real_numbers_equal_spikingjelly(layer, shape):
    """Every term but the output: spikingjelly writes it where a model has no neurons at all."""
    torch.manual_seed(0)
    ours, theirs = both(layer, torch.rand(shape))
    for cause in ("operations", "addresses", "weights"):
        assert ours[cause] == pytest.approx(theirs[cause], rel=1e-12), cause
    assert ours["inputs and outputs"] < theirs["inputs and outputs"]


def test_zero_weights_are_neither_added_nor_fetched():
    """spikingjelly charges them in full; here half of the weights costs half, and less per word,
    since what is stored shrinks.
    """
    dense, sparse = (
        replace(w, ops=w.ops[1:2]) for w in (sample_workload(), sample_workload(zeros=0.5))
    )
    full, half = MEM45.price(dense).by_cause(), MEM45.price(sparse).by_cause()
    assert half["weights"] == pytest.approx(full["weights"] / 4)
    assert half["addresses"] == pytest.approx(full["addresses"] / 2)


@pytest.mark.parametrize(
    ("kibibytes", "price"),
    [(4, 5.0), (8, 10.0), (20, 15.0), (32, 20.0), (528, 60.0), (1024, 100.0), (4096, 100.0)],
)
def test_a_word_costs_what_its_memory_costs(kibibytes, price):
    """Straight lines through 0, 8 KiB: 10, 32 KiB: 20, 1 MiB: 100, and no more above."""
    weights = kibibytes * 256
    layer = sample_workload(samples=1).ops[1]
    layer = altered(layer, k=weights // 16, b_size=weights, b_nonzeros=weights)
    cost = MEM45.price(replace(sample_workload(samples=1), ops=(layer,)))
    words = layer.a.events * layer.sizes.n
    assert cost.by_cause()["weights"] == pytest.approx(words * price)
