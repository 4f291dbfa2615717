"""What a machine's front says of the trials of a run."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from autoprune.cost.arithmetic import Finest, NeuronArithmetic
from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.errors import RecordError
from autoprune.networks.shape import NetworkShape
from autoprune.report.front.candidates import Candidates
from autoprune.report.front.front import MachineFront, history
from autoprune.report.front.pick import Limits, pick
from autoprune.report.front.run_fronts import machine_front
from autoprune.report.tables.front import front_table
from autoprune.runs.outcome import Outcome
from autoprune.runs.pareto import front_hypervolume, non_dominated
from autoprune.trial.key import FINE_TUNED, TrialKey
from autoprune.trial.measurement import Refused
from autoprune.workload.op import Op


@pytest.fixture
def front(
    baselines: dict[TrialKey, Outcome], model: CostModel, shape: NetworkShape
) -> Callable[[list[Outcome]], MachineFront]:
    return lambda outcomes: machine_front(outcomes, baselines, model, shape)


@pytest.fixture
def members(shape: NetworkShape) -> Callable[[list[Outcome], CostModel], list[str]]:
    """Keys of a front whose trials come one by one."""

    def one_by_one(outcomes: list[Outcome], model: CostModel) -> list[str]:
        candidates = Candidates(model, shape, {o.key: o for o in outcomes}.__getitem__)
        for outcome in outcomes:
            candidates.add([outcome.head])
        return [str(member.key) for member in candidates.members]

    return one_by_one


def test_members_are_those_that_none_dominates(outcome, front, model, members) -> None:
    outcomes = [
        outcome(0, correct=95),
        outcome(1, correct=80, zeros=0.5),
        outcome(2, correct=70, zeros=0.25),
        outcome(3, correct=60, zeros=0.75),
    ]
    assert [row.trial for row in front(outcomes).rows] == [3, 1, 0]
    assert members(outcomes, model) == ["3", "1", "0"]
    assert [row.trial for row in front(outcomes).points] == [0, 1, 2, 3]


def test_the_legend_has_the_words_of_methods_that_members_use(outcome, front) -> None:
    dense, thin = outcome(0, correct=95), outcome(1, correct=80, zeros=0.5)
    taught = outcome(2, correct=70, zeros=0.75, learned={"blocks.0.neuron.tau": "channel"})
    assert front([dense]).legend == ()
    assert front([dense, thin]).legend == ("45 % zeros",)
    assert front([dense, thin, taught]).legend == (
        "45 % zeros",
        "θ and τ learned per layer, channel or neuron",
    )


def test_duplicates_and_failed_trials_are_never_members(outcome, front, model, members) -> None:
    best = {"correct": 100, "zeros": 0.9}
    outcomes = [
        outcome(0, correct=50),
        outcome(1, **best, state="duplicate", same_as=TrialKey(0)),
        outcome(2, **best, state="failed", cause="an objective is nan"),
        outcome(3, state="failed", cause="killed", measurement=None),
    ]
    assert [row.trial for row in front(outcomes).points] == [0]
    assert members(outcomes, model) == ["0"]


def test_ratio_and_reference_are_those_of_the_fine_tuned_parent(outcome, front) -> None:
    found = front([outcome(0, correct=95), outcome(1, correct=80, zeros=0.5)])
    assert found.reference == (pytest.approx(0.85), pytest.approx(1.1 * found.parent_energy_uj))
    assert found.rows[-1].energy_ratio == 1
    assert found.rows[0].energy_ratio == found.rows[0].energy_uj / found.parent_energy_uj < 1
    # Only trial 0 is above the reference: (0.95 - 0.85) x log10(1.1).
    assert found.hypervolume == pytest.approx(0.1 * 0.0413927, rel=1e-5)
    assert found.uniform_hypervolume == 0


def test_uniform_figure_is_the_best_at_no_more_energy(outcome, front) -> None:
    found = front(
        [
            outcome(0, origin="uniform", correct=95),
            outcome(1, origin="uniform", correct=60, zeros=0.5),
            outcome(2, origin="uniform", correct=70, zeros=0.75),
            outcome(3, correct=90, zeros=0.5),
            outcome(4, correct=50, zeros=0.9),
        ]
    )
    reached = {row.trial: row.uniform and row.uniform.correct for row in found.points}
    assert reached == {0: 95, 1: 70, 2: 70, 3: 70, 4: None}


def test_a_member_beats_uniform_only_outside_both_intervals(outcome, front) -> None:
    uniform = outcome(0, origin="uniform", correct=80, zeros=0.5)
    # Wilson at 95 %: 80 of 100 reaches up to 0.867; 94 begins at 0.875, 93 at 0.863.
    found = front([uniform, outcome(1, correct=94, zeros=0.5)])
    assert (found.beating, found.unmatched) == (1, 0)
    found = front([uniform, outcome(1, correct=93, zeros=0.5)])
    assert (found.beating, found.unmatched) == (0, 0)
    found = front([uniform, outcome(1, correct=79, zeros=0.75)])
    assert (found.beating, found.unmatched) == (0, 1)


def test_a_uniform_trial_that_was_measured_before_still_counts_as_uniform(outcome, front) -> None:
    found = front(
        [
            outcome(0, origin="baseline", correct=94),
            outcome(1, origin="uniform", correct=94, state="duplicate", same_as=TrialKey(0)),
        ]
    )
    assert found.rows[0].uniform is not None
    assert found.uniform_hypervolume == found.hypervolume > 0


def test_everything_that_applies_to_the_machine_is_said(outcome, front, model) -> None:
    found = front([outcome(0)])
    assert (found.machine, found.accuracy_bits, found.priced_bits) == ("ops45_fp32", 32, 32)
    assert found.not_modelled == model.machine.not_modelled
    learned = {"blocks.0.neuron.threshold": "channel", "blocks.0.neuron.tau": "layer"}
    assert front([outcome(0, learned=learned)]).not_modelled == (
        *model.machine.not_modelled,
        "whether its neurons hold a decay per layer and a threshold per channel: not known",
    )
    assert (found.parent.correct, found.parent_test.correct) == (95, 93)


def test_a_trial_whose_neurons_differ_more_finely_than_the_machines_is_infeasible(
    outcome, baselines, shape, model
) -> None:
    layer = Finest(finest="layer", evidence="assumed", source="sheet")
    coarse = replace(model.machine, neurons=NeuronArithmetic(threshold=layer))
    learned = {"blocks.0.neuron.threshold": "channel", "blocks.0.neuron.tau": "neuron"}
    trials = [outcome(0, correct=80), outcome(1, learned=learned)]
    found = machine_front(trials, baselines, type(model)(coarse), shape)
    assert found.infeasible == ((TrialKey(1), "a threshold per channel"),)
    assert [row.trial for row in found.points] == [0]


def test_a_member_whose_test_data_were_not_evaluated_is_named(outcome, front) -> None:
    found = outcome(3).measurement
    bare = replace(found, precisions=tuple(replace(p, test=None) for p in found.precisions))
    untested = front([outcome(1, correct=80, zeros=0.5), outcome(3, measurement=bare)])
    assert [(row.trial, row.test is None) for row in untested.rows] == [(1, False), (3, True)]
    text = io.StringIO()
    Console(file=text, width=80).print(front_table(untested))
    assert "confirm; not of trial 3." in " ".join(text.getvalue().split())
    assert untested.points[1].test is None


def energy(outcome: Outcome, model: CostModel, bits: int) -> float:
    return model.price(outcome.measurement.at(bits).workload).energy_uj


def test_a_front_pairs_energy_with_accuracy_at_the_bits_of_its_machine(
    outcome, baselines, model, int8, shape, members
) -> None:
    outcomes = [
        outcome(0, correct=95, rounded={8: 60}),
        outcome(1, correct=80, zeros=0.5, rounded={8: 78}),
        outcome(2, origin="uniform", correct=70, zeros=0.25, rounded={8: 50}),
    ]
    fine = machine_front(outcomes, baselines, model, shape)
    assert [(row.trial, row.validation.correct) for row in fine.rows] == [(1, 80), (0, 95)]
    assert (fine.accuracy_bits, fine.priced_bits) == (32, 32)
    coarse = machine_front(outcomes, baselines, int8, shape)
    assert [(row.trial, row.validation.correct) for row in coarse.rows] == [(1, 78)]
    assert (coarse.accuracy_bits, coarse.priced_bits) == (8, 8)
    assert members(outcomes, int8) == ["1"]
    assert [row.test.correct for row in coarse.points] == [60, 78, 50]
    assert [row.energy_uj for row in coarse.points] == [energy(o, int8, 8) for o in outcomes]
    assert coarse.points[0].energy_uj != energy(outcomes[0], int8, 32)
    parent = baselines[FINE_TUNED]
    assert coarse.parent.correct == 90
    assert coarse.parent_energy_uj == energy(parent, int8, 8) != energy(parent, int8, 32)
    assert coarse.reference == (pytest.approx(0.8), pytest.approx(1.1 * energy(parent, int8, 8)))
    assert coarse.points[0].uniform.correct == 50
    assert (coarse.hypervolume, coarse.uniform_hypervolume) == (0, 0)  # nothing above 80 %


def test_a_front_is_chosen_by_the_scores_in_the_machines_integers(
    outcome, baselines, shape
) -> None:
    """The better at the bits of weights is the worse in integers; a third was not measured so."""
    loihi = load_machine("loihi1")

    def held(number: int, hits: int | None, **made: object) -> Outcome:
        found = outcome(number, rounded={8: 90}, **made)
        if hits is None:
            refused = Refused(arithmetic=loihi.machine.arithmetic, cause="tau is 1 step")
            return replace(found, measurement=replace(found.measurement, refused=(refused,)))
        at_8 = found.measurement.at(8)
        score = replace(at_8.validation, correct=hits)
        own = replace(at_8, validation=score, arithmetic=loihi.machine.arithmetic)
        measurement = found.measurement
        precisions = (*measurement.precisions, own)
        return replace(found, measurement=replace(measurement, precisions=precisions))

    trials = [
        held(0, 70, correct=92, zeros=0.25),
        held(1, 85, correct=91, zeros=0.5),
        held(2, None, correct=93),
    ]
    found = machine_front(trials, baselines, loihi, shape)
    rows = [
        (r.trial, r.validation.correct, r.rounded.correct, r.floating.correct) for r in found.rows
    ]
    assert rows == [(1, 85, 90, 91), (2, 90, 90, 93)]
    assert found.integer_loss == (pytest.approx(0.01), pytest.approx(0.06))
    assert (found.parent_in_integers, found.parent_not_held) == (
        False,
        "the run did not ask for them",
    )
    assert found.not_in_integers == {"tau is 1 step": (2,)}
    text = io.StringIO()
    Console(file=text, width=80).print(front_table(found))
    said = " ".join(text.getvalue().split())
    assert "In its integers members score 6.0 points less than in floating point" in said
    assert "Not in its integers: the parent, since the run did not ask for them." in said
    assert "Not in its integers: trial 2, since tau is 1 step." in said


def test_a_machine_whose_bits_were_not_measured_is_paired_and_says_so(
    outcome, baselines, int8, shape
) -> None:
    of_16 = type(int8)(replace(int8.machine, weight_bits=16))
    front = machine_front([outcome(0, correct=95, rounded={8: 60})], baselines, of_16, shape)
    assert (front.accuracy_bits, front.priced_bits) == (8, 16)
    assert front.rows[0].validation.correct == 60


def test_members_of_fewer_bits_than_the_machines_are_named(outcome, baselines, int8, shape) -> None:
    outcomes = [
        outcome(0, correct=90, rounded={8: 88}),
        outcome(1, correct=80, zeros=0.5, weight_bits=4),
        outcome(2, correct=85, zeros=0.3, weight_bits=8),
        outcome(3, correct=30, zeros=0.4, weight_bits=3),
    ]
    front = machine_front(outcomes, baselines, int8, shape)
    assert [(row.trial, row.accuracy_bits) for row in front.rows] == [(1, 4), (2, 8), (0, 8)]
    assert front.coarser == {4: (1,)}


def test_without_a_fine_tuned_parent_there_is_no_front(outcome, model, shape) -> None:
    with pytest.raises(RecordError, match="no fine-tuned parent"):
        machine_front([outcome(0)], {}, model, shape)


def test_a_machine_that_charges_nothing_has_no_front(outcome, baselines, model, shape) -> None:
    prices = tuple(replace(price, value=0.0) for price in model.machine.prices)
    free = type(model)(replace(model.machine, prices=prices))
    with pytest.raises(RecordError, match="charges nothing for the fine-tuned parent"):
        machine_front([outcome(0)], baselines, free, shape)


def without_products(model):
    """A machine that cannot multiply activations, and leaves that to nobody."""
    words = {"dynamic_product": "unsupported"}
    capabilities = model.machine.capabilities.model_copy(update=words)
    emulation = {k: v for k, v in model.machine.emulation.items() if k not in words}
    unable = replace(model.machine, capabilities=capabilities, emulation=emulation)
    return type(model)(unable)


def only(outcome: Outcome, keeps: Callable[[Op], bool]) -> Outcome:
    """The outcome of a network with some of its operations."""
    measurement = outcome.measurement
    precisions = tuple(
        replace(p, workload=replace(p.workload, ops=tuple(filter(keeps, p.workload.ops))))
        for p in measurement.precisions
    )
    return replace(outcome, measurement=replace(measurement, precisions=precisions))


def no_products(outcome: Outcome) -> Outcome:
    """The outcome of a network without attention."""
    return only(outcome, lambda op: op.kind != "attention_product")


def test_a_trial_that_a_machine_cannot_run_is_infeasible_there(
    outcome, baselines, model, shape, members
) -> None:
    unable = without_products(model)
    trials = [no_products(outcome(0)), outcome(7)]
    assert members(trials, unable) == ["0"]
    simple = {key: no_products(o) for key, o in baselines.items()}
    front = machine_front(trials, simple, unable, shape)
    assert [row.trial for row in front.points] == [0]
    assert [key for key, _ in front.infeasible] == [TrialKey(7)]
    assert "blocks.0.attention.product1: dynamic_product" in front.infeasible[0][1]
    with pytest.raises(UnknownCost, match="energy unknown, no price for .*product1"):
        machine_front(trials, baselines, unable, shape)


def footer(front: MachineFront) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(front_table(front))
    return console.file.getvalue()


@pytest.mark.parametrize("origin", ["sampled", "uniform"])
def test_a_network_without_work_for_the_machine_is_no_answer(
    outcome, baselines, shape, origin
) -> None:
    """It is named; front, counts, hypervolume and picks are as if it were not there."""
    trials = [outcome(0, zeros=0.5), outcome(1, correct=95)]
    # what reads pixels is Loihi's host's, and nothing else is left
    idle = only(outcome(2, correct=100, origin=origin), lambda op: op.a.kind == "real")
    loihi = load_machine("loihi1")
    found, without = (
        machine_front(some, baselines, loihi, shape) for some in ([*trials, idle], trials)
    )
    assert found.idle == (TrialKey(2),) and without.idle == ()
    assert replace(found, idle=()) == without
    assert "in no count: trial 2." in footer(found)
    assert pick(found, Limits(min_accuracy=1.0)).row is None


def mostly_hosted(outcome: Outcome) -> Outcome:
    """The outcome of a network that has stem, head and one small product of spikes."""
    return only(outcome, lambda op: op.block is None or op.name.endswith("product1"))


def test_a_network_of_which_a_host_does_most_is_no_answer(outcome, baselines, shape) -> None:
    """Stem and head have 9536 of 17 728 MACs: named with the share, and all else as without it."""
    loihi, trials = load_machine("loihi1"), [outcome(0, zeros=0.5), outcome(1, correct=95)]
    hosted = mostly_hosted(outcome(2, correct=20))
    assert loihi.price(hosted.measurement.workload).host_share == 9536 / 17728
    found, without = (
        machine_front(some, baselines, loihi, shape) for some in ([*trials, hosted], trials)
    )
    ((key, share),) = found.hosted
    assert key == TrialKey(2) and replace(found, hosted=()) == without
    assert f"in no count: trial 2 ({100 * share:.1f} %)." in footer(found)
    answer = pick(found, Limits(min_accuracy=0.2))
    assert answer.row.trial == 0
    stated, apart = answer.remarks
    assert f"A host does {100 * answer.row.host_share:.1f} % of its dense MACs" in stated
    assert apart.endswith(f": trial 2 ({100 * share:.1f} %).")


def test_where_a_host_does_most_of_every_network_none_stands_apart(outcome, shape) -> None:
    """In whatever order they come: one network of which it does less sets the others apart."""
    hosted, own = mostly_hosted(outcome(2, correct=20)), outcome(1, correct=95)
    later = replace(hosted, key=TrialKey(3))
    found = {one.key: one for one in (hosted, own, later)}
    candidates = Candidates(load_machine("loihi1"), shape, found.__getitem__)
    candidates.add([hosted.head])
    assert [member.key for member in candidates.members] == [hosted.key]
    candidates.add([own.head])
    assert [member.key for member in candidates.members] == [own.key]
    candidates.add([later.head])
    assert [member.key for member in candidates.members] == [own.key]


def test_a_members_own_share_of_the_host_is_shown(outcome, baselines, shape) -> None:
    """What reads pixels is the host's, by its share of the member's own dense MACs."""
    model = load_machine("loihi1")
    front = machine_front([outcome(0)], baselines, model, shape)
    (row,) = front.rows
    ops = list(outcome(0).measurement.precisions[0].workload.select(model.order))
    hosted = sum(op.work.dense_macs for op in ops if op.a.kind == "real")
    macs = sum(op.work.dense_macs for op in ops)
    assert row.figures.host_share == row.host_share == pytest.approx(hosted / macs)
    said = footer(front)
    assert f"A host does {100 * hosted / macs:.1f} % of the members' dense MACs, outside" in said
    static = 100 * (1 - row.figures.dynamic_uj / row.energy_uj)
    assert f"Static power takes {static:.1f} % of the members' energies." in said


def test_history_grows_to_the_hypervolume(outcome, front) -> None:
    trials = [
        outcome(0, correct=94, zeros=0.5),
        outcome(1, correct=93, zeros=0.4),  # dominated
        outcome(2, correct=95, zeros=0.3),
        outcome(3, correct=94, zeros=0.8),
    ]
    found = history(front(trials))
    assert [trial for trial, _ in found] == [0, 2, 3]
    for trial, volume in found:
        assert volume == front(trials[: trial + 1]).hypervolume
    assert history(front([outcome(0, correct=50)])) == []


def test_a_front_is_of_what_networks_are_worth_by_all(outcome, baselines, model, shape):
    """Scores rise with energy but for one that was lucky: it leaves the front, and is drawn in."""
    counts = [60, 64, 66, 71, 73, 74, 79, 88, 81, 83, 86, 88, 89, 92]
    trials = [outcome(i, correct=c, zeros=0.9 - i / 20) for i, c in enumerate(counts)]
    again = replace(
        trials[0], key=TrialKey(14), origin="uniform", state="duplicate", same_as=TrialKey(0)
    )
    found = machine_front([*trials, again], baselines, model, shape)
    worth = [row.posterior.expected for row in found.points]
    pairs = [(row.posterior.expected, row.energy_uj) for row in found.points]
    assert [row.trial for row in found.rows] == non_dominated(pairs)
    assert worth[7] < 0.86 < found.points[7].validation.accuracy == 0.88
    assert 8 in {row.trial for row in found.rows}  # by its score it is below the lucky one
    assert found.hypervolume == front_hypervolume(pairs, found.reference)
    assert found.uniform_hypervolume == front_hypervolume([pairs[0]], found.reference)
    assert found.rows[0].uniform == found.points[0].validation
    assert history(found)[-1][1] == found.hypervolume


def test_contenders_are_those_that_none_beats_outside_both_intervals(outcome, model, shape):
    trials = [
        outcome(1, correct=60, zeros=0.9),
        outcome(2, correct=90, zeros=0.5),
        outcome(3, correct=78, zeros=0.4),  # its interval reaches that of 2
        outcome(4, correct=65, zeros=0.1),
    ]
    for order in (trials, trials[::-1]):
        candidates = Candidates(model, shape, {o.key: o for o in order}.__getitem__)
        for trial in order:
            candidates.add([trial.head])
        assert [c.key.number for c in candidates.contenders] == [1, 2, 3]
