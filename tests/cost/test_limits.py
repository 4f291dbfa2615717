"""Whether a network fits on a machine, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.limits import fit_words
from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from tests.refusals import assert_refused, refusals

NUMBER = 'evidence = "specified", source = "x"'
NEEDS = {
    "inputs_per_neuron": (32, "inputs to a neuron of blocks.0.mlp.fc1", "count"),
    "neurons": (8 * 16 + 8 * 32 + 8 * 16, "neurons", "count"),
    "layers": (2, "layers", "count"),
    "synapses": (8 * (32 * 16 + 16 * 32), "synapses", "count"),
    "memory": (None, "KiB of weights and membranes", "KiB"),
    "chips": (1, "chips", "count"),
}
"""What the sample's two layers and products ask for: 8 tokens, 32 inputs, a width of 16."""


def with_limits(root, tmp_path, *lines, name="loihi1"):
    text = (root / "cost_models" / f"{name}.toml").read_text(encoding="utf-8")
    before, _, rest = text.partition("[limits]")
    table = "\n".join(["[limits]", *lines, ""])
    behind = rest[rest.index("[choices]") :]
    (tmp_path / "m.toml").write_text(before + table + behind, encoding="utf-8")
    return load_machine(str(tmp_path / "m.toml"))


@pytest.mark.parametrize("name", NEEDS)
def test_what_a_network_asks_for_fits_and_one_less_does_not(root, tmp_path, name):
    needed, words, unit = NEEDS[name]
    work = sample_workload()
    needed = needed or load_machine("loihi1").price(work).memory_kib
    for most, fits in ((needed, True), (needed * 0.5, False)):
        most = most if unit == "KiB" or most >= 1 else 1
        line = f'{name} = {{ value = {most}, unit = "{unit}", {NUMBER} }}'
        cost = with_limits(root, tmp_path, line).price(work)
        if name == "chips":
            assert cost.misfits == ()  # a small network needs one, the least limit there is
        elif fits:
            assert (cost.misfits, fit_words(cost.misfits)) == ((), "yes")
        else:
            assert fit_words(cost.misfits) == f"{needed:.10g} {words}, at most {most:.10g}"


def test_limits_decide_no_price(root, tmp_path):
    line = f'neurons = {{ value = 1, unit = "count", {NUMBER} }}'
    limited, work = with_limits(root, tmp_path, line), sample_workload()
    cost, free = limited.price(work), load_machine("loihi1").price(work)
    assert cost.misfits and not free.misfits
    assert replace(cost, machine="loihi1", misfits=()) == free


def test_without_limits_nothing_is_said():
    cost = load_machine("ops45_int8").price(sample_workload())
    assert cost.misfits is None and fit_words(cost.misfits) is None


def test_every_limit_that_is_exceeded_is_named():
    """A crossbar of 256 x 256 holds neither the sample's neurons nor wide layers."""
    found = load_machine("odin").price(sample_workload(width=300)).misfits
    assert [item.limit for item in found] == ["neurons", "synapses", "inputs_per_neuron"]
    assert found[2].op == "blocks.0.mlp.fc2" and found[2].needed == 300


@refusals(
    (f'neuron = {{ value = 1, unit = "count", {NUMBER} }}', "unknown limit 'neuron'*'neurons'"),
    (f'neurons = {{ value = 1, unit = "KiB", {NUMBER} }}', "neurons is in KiB; expected count"),
    (f'neurons = {{ value = 0, unit = "count", {NUMBER} }}', "limits.neurons: *more than 0"),
    (f'neurons = {{ value = 1.5, unit = "count", {NUMBER} }}', "limits.neurons: *a whole count"),
)
def test_what_is_no_limit_is_refused(root, tmp_path, given, words):
    assert_refused(f"m.toml*{words}", with_limits, root, tmp_path, given)
