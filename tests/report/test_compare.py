"""Machines compared on the same trials, and how far a front hangs on each price."""

from __future__ import annotations

import io
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from autoprune.compress.configuration import make_plan
from autoprune.compress.effort import Effort
from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape
from autoprune.report.front.compare import compare
from autoprune.report.front.sensitivity import sensitivity
from autoprune.report.tables.compare import comparison_table
from autoprune.runs.columns import Priced
from autoprune.runs.pareto import non_dominated
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score

MATRIX = MatrixShape(name="w", weights_per_dimension=4)
BRANCH = BranchShape(name="mlp", groups=1, size=8, matrices=(MATRIX,))
SHAPE = NetworkShape(blocks=(BlockShape(branches=(BRANCH,)),))
PLAN = make_plan({}, SHAPE, Effort(time_steps=2, learning_rate=1e-3, epochs=1))


def printed(table) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    return console.file.getvalue()


def priced(machine: str, accuracy: list[float], energy: list[float]) -> Priced:
    return Priced(
        machine=machine,
        shape=SHAPE,
        trials=tuple(TrialKey(place) for place in range(len(energy))),
        plans=(PLAN,) * len(energy),
        scores=tuple(Score(correct=round(1000 * score), total=1000) for score in accuracy),
        energy_uj=np.array(energy),
        answers=np.array(energy) > 0,
    )


def test_fronts_and_where_two_machines_disagree():
    """Trial 1 is cheap on a and the dearest on b; 0 and 3 are on both fronts, 2 is dominated."""
    accuracy = [0.9, 0.8, 0.5, 0.4]
    found = compare([priced("a", accuracy, [4, 2, 3, 1]), priced("b", accuracy, [2, 4, 3, 1])])
    fronts = {name: [str(key) for key in front] for name, front in found.fronts.items()}
    assert fronts == {"a": ["3", "1", "0"], "b": ["3", "0"]}
    assert found.shared == (TrialKey(0), TrialKey(3))
    # of six pairs 0-1, 0-2 and 1-2 are ordered the other way round
    assert found.correlation[("a", "b")] == pytest.approx(0)
    worst = found.disagreements[("a", "b")]
    assert [(str(d.trial), d.first, d.second) for d in worst] == [("0", 4, 2), ("1", 2, 4)]


def test_what_a_machine_cannot_run_is_left_out_and_named():
    accuracy = [0.9, 0.8, 0.7]
    able, unable = priced("a", accuracy, [3, 2, 1]), priced("b", accuracy, [3, math.nan, 1])
    found = compare([able, unable])
    assert found.infeasible == {"b": (TrialKey(1),)}
    assert found.fronts == {name: [TrialKey(2), TrialKey(0)] for name in "ab"}
    assert found.correlation["a", "b"] == pytest.approx(1)


def test_what_leaves_a_machine_nothing_to_do_is_left_out_and_named():
    accuracy = [0.9, 0.8, 0.7]
    found = compare([priced("a", accuracy, [3, 2, 1]), priced("b", accuracy, [3, 2, 0])])
    assert found.apart == {"b": (TrialKey(2),)} and found.infeasible == {}
    assert found.fronts == {name: [TrialKey(1), TrialKey(0)] for name in "ab"}
    assert "Left to the host of b, all or most of it, and left out: 2" in printed(
        comparison_table(found)
    )


@given(st.lists(st.integers(1, 6), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_correlation_counts_pairs(energy, random):
    """Kendall's tau-b by its definition, ties included (Kendall, Biometrika 33, 1945)."""
    other = random.sample(energy, len(energy))
    pairs = list(itertools.combinations(range(len(energy)), 2))
    signs = [(np.sign(energy[i] - energy[j]), np.sign(other[i] - other[j])) for i, j in pairs]
    untied = math.sqrt(sum(a != 0 for a, _ in signs) * sum(b != 0 for _, b in signs))
    accuracy = [0.5] * len(energy)
    found = compare([priced("a", accuracy, energy), priced("b", accuracy, other)])
    tau = found.correlation[("a", "b")]
    if untied:
        assert tau == pytest.approx(sum(a * b for a, b in signs) / untied)
    else:
        assert tau is None


def test_equal_energies_share_a_place():
    assert priced("a", [0, 0, 0], [2, 1, 1]).ranks == {
        TrialKey(0): 3,
        TrialKey(1): 1,
        TrialKey(2): 1,
    }


def test_each_price_moves_its_own_share_of_the_total():
    """Energy is linear in every price of an action: 50 % more of one adds half of what it charges.
    Of a time the energy follows by static power.
    """
    model, workload = load_machine("loihi1"), sample_workload()
    cost = model.price(workload)
    spent = {p.name: 0.0 for p in model.machine.prices}
    for term in cost.terms:
        spent[term.price] += term.energy_pj
    times = {p.name for p in model.machine.prices if p.unit == "ns"}
    moves = list(sensitivity(model, Ops.of([workload]), np.zeros(1), 0.5))
    assert [(m.price, m.factor) for m in moves] == [(n, f) for n in spent for f in (0.5, 1.5)]
    for move in moves:
        expected = cost.energy_pj + (move.factor - 1) * spent[move.price]
        if move.price in times:
            prices = tuple(
                replace(p, value=p.value * move.factor) if p.name == move.price else p
                for p in model.machine.prices
            )
            slower = type(model)(replace(model.machine, prices=prices)).price(workload)
            longer = slower.latency_us - cost.latency_us
            expected += 104 * cost.chips * longer * 1e3
        assert move.energy_uj[0] == pytest.approx(expected * 1e-6)
        assert (move.kept, move.members, move.joined) == (1, 1, 0)
        assert move.order is None


def test_a_front_that_turns_on_one_price():
    """Wide and silent against narrow and loud: which is cheaper is a matter of two prices."""
    model = load_machine("loihi1")
    workloads = [sample_workload(width=24, spikes=0.1), sample_workload(width=6, spikes=1.0)]
    ops, accuracy = Ops.of(workloads), np.array([0.9, 0.8])
    for move in sensitivity(model, ops, accuracy, 0.9):
        pairs = list(zip(accuracy.tolist(), move.energy_uj.tolist(), strict=True))
        before = list(zip(accuracy.tolist(), model.price_all(ops).energy_uj.tolist(), strict=True))
        old, new = set(non_dominated(before)), set(non_dominated(pairs))
        assert (move.kept, move.members) == (len(old & new), len(old))
        assert move.joined == len(new - old)
    assert any(m.kept < m.members or m.joined for m in sensitivity(model, ops, accuracy, 0.9))
