"""Scores drawn towards what all trials say: honest on surfaces whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.runs.pareto import front_hypervolume, non_dominated
from autoprune.runs.posterior import FEWEST, features, posteriors
from autoprune.trial.measurement import Score

SAMPLES = 360


def surface(seed: int, trials: int = 160):
    """Truth, energies, features and scores of random plans: losses add up on the logit."""
    random = np.random.default_rng(seed)
    kept = random.choice([0, 0.05, 0.1, 0.3, 0.5, 1.0], size=(trials, 4))
    steps = random.integers(2, 5, trials)
    loss = (random.gamma(1.2, 1.5, 4) * (1 - kept) ** 3).sum(1) + 0.3 * (4 - steps)
    truth = 1 / (1 + np.exp(-(3.5 - loss + random.normal(0, 0.2, trials))))
    energy = (0.05 + (random.dirichlet(np.ones(4)) * kept).sum(1)) * steps / 4
    known = [tuple(row) for row in np.c_[steps, kept, np.sqrt(kept)]]
    right = random.binomial(SAMPLES, truth)
    scores = [Score(correct=int(hits), total=SAMPLES) for hits in right]
    return truth, energy.tolist(), known, scores


def true_volume(truth, energy, front):
    return front_hypervolume([(truth[i], energy[i]) for i in front], (0.3, 1.5))


def test_members_of_a_front_are_worth_what_is_expected_of_them():
    raw, drawn, chosen, front, volumes = [], [], [], [], []
    for seed in range(12):
        truth, energy, known, scores = surface(seed)
        found = posteriors(scores, energy, known.__getitem__)
        members = non_dominated([(s.accuracy, e) for s, e in zip(scores, energy, strict=True)])
        raw += [scores[i].accuracy - truth[i] for i in members]
        drawn += [found[i].expected - truth[i] for i in members]
        expected = [one.expected for one in found]
        better = non_dominated(list(zip(expected, energy, strict=True)))
        chosen += [expected[i] - truth[i] for i in better]
        volumes.append([true_volume(truth, energy, front) for front in (members, better)])
        on = set(non_dominated(list(zip(truth.tolist(), energy, strict=True))))
        front += [(found[i].chance, i in on) for i in range(len(truth))]
    assert np.mean(raw) > 0.004  # the curse
    assert abs(np.mean(drawn)) < np.mean(raw) / 2
    assert (
        abs(np.mean(chosen)) < np.mean(raw) / 2
    )  # of the front that is chosen by what is expected
    by_raw, by_expected = np.mean(volumes, axis=0)
    assert by_expected > by_raw  # and that front is truly the better one
    assert np.mean(np.square(drawn)) < np.mean(np.square(raw))
    likely = [is_on for chance, is_on in front if chance > 0.8]
    rare = [is_on for chance, is_on in front if chance < 0.05]
    assert len(likely) > 50 and np.mean(likely) > 0.8
    assert len(rare) > 1000 and np.mean(rare) < 0.02


def test_many_samples_are_believed():
    truth, energy, known, _ = surface(1)
    sure = [Score(correct=round(t * 10**6), total=10**6) for t in truth]
    found = posteriors(sure, energy, known.__getitem__)
    assert [one.expected for one in found] == pytest.approx(truth.tolist(), abs=2e-3)


def test_of_a_few_trials_nothing_is_said():
    _, energy, known, scores = surface(2, trials=FEWEST - 1)
    assert posteriors(scores, energy, known.__getitem__) == [None] * (FEWEST - 1)


def test_a_score_may_hang_on_what_is_kept_of_each_branch_and_on_steps(shape):
    effort = Effort(time_steps=3, learning_rate=1e-3, epochs=1)
    point = {"blocks.0.mlp.dsp": 0.0, "blocks.1.attention.l1p": 0.75}
    plan = make_plan(parse_configuration(point), shape, effort)
    steps, *shares = features(plan, shape, 2)
    assert steps == 2
    assert [round(share, 2) for share in shares[::2]] == [1, 0, 0.25, 1]


def test_of_many_those_near_the_front_are_judged(monkeypatch):
    monkeypatch.setattr("autoprune.runs.posterior.MOST", 40)
    _, energy, known, scores = surface(3)
    found = posteriors(scores, energy, known.__getitem__)
    places = {i for i, one in enumerate(found) if one}
    pairs = list(zip([score.accuracy for score in scores], energy, strict=True))
    gaps = [max(a for a, e in pairs if e <= own) - score for score, own in pairs]
    assert len(places) == 40
    assert max(gaps[i] for i in places) <= min(gaps[i] for i in range(160) if i not in places)
    assert set(non_dominated(pairs)) <= places
