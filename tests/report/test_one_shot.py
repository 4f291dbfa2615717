"""Scores without fine-tuning beside those with it: how alike they order trials, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.report.front.one_shot import OneShot, one_shot
from autoprune.report.tables.one_shot import one_shot_lines
from autoprune.trial.key import TrialKey


@pytest.fixture
def heads(outcome):
    """Trials of scores 0.2, 0.5 and 0.9, and what they had without fine-tuning."""

    def made(*early):
        found = []
        for score, one in zip((0.2, 0.5, 0.9), early, strict=True):
            head = outcome(1).head
            found.append(replace(head, ended=replace(head.ended, score=score), one_shot=one))
        return found

    return made


def test_the_order_of_trials_with_and_without_fine_tuning(heads):
    assert one_shot(heads(0.1, 0.2, 0.3)) == OneShot(trials=3, tau=1.0)
    assert one_shot(heads(0.1, 0.3, 0.2)).tau == pytest.approx(1 / 3)
    assert one_shot(heads(0.1, None, 0.2)).trials == 2
    assert one_shot(heads(None, None, None)) is None


def test_a_trial_that_repeats_another_counts_once(heads):
    first, second, third = heads(0.1, 0.2, 0.3)
    again = replace(third, ended=replace(third.ended, same_as=TrialKey(0)))
    assert one_shot([first, second, again]).trials == 2


def test_what_they_would_tell():
    [line] = one_shot_lines(OneShot(trials=15, tau=0.864))
    assert "of the first 15 trials order them with Kendall's tau 0.86 as with it" in line


def test_without_an_order_nothing_is_said():
    assert one_shot_lines(None) == one_shot_lines(OneShot(trials=1, tau=None)) == []
