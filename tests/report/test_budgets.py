"""What is said of budgets."""

from __future__ import annotations

from autoprune.report.tables import budgets
from autoprune.trial.key import TrialKey


def budget_lines(outcomes):
    return budgets.budget_lines([outcome.ended for outcome in outcomes])


def test_without_a_broken_budget_nothing_is_said(outcome):
    assert budget_lines([outcome(0), outcome(1)]) == []


def test_broken_budgets_are_counted_and_a_feasible_trial_ends_it(outcome):
    lines = budget_lines(
        [
            outcome(0),
            outcome(1, state="infeasible", broken=(("effective_sops <= 3", 0.5),)),
            outcome(2, state="infeasible", measurement=None, broken=(("parameters <= 9", 2.0),)),
            outcome(
                3, state="duplicate", same_as=TrialKey(1), broken=(("effective_sops <= 3", 0.5),)
            ),
        ]
    )
    assert lines == [
        "Budget effective_sops <= 3: broken by 1 plans, 0 of them known before training and not "
        "trained.",
        "Budget parameters <= 9: broken by 1 plans, 1 of them known before training and not "
        "trained.",
    ]


def test_where_nothing_is_feasible_the_nearest_trial_and_the_binding_budget_are_named(outcome):
    lines = budget_lines(
        [
            outcome(
                0,
                state="infeasible",
                broken=(("effective_sops <= 3", 0.5), ("accuracy >= 0.9", 0.1)),
            ),
            outcome(
                1,
                state="infeasible",
                broken=(("effective_sops <= 3", 0.2), ("accuracy >= 0.9", 0.3)),
            ),
            outcome(2, state="infeasible", measurement=None, broken=(("parameters <= 9", 0.1),)),
        ]
    )
    assert lines[-1] == (
        "No trial keeps all budgets. accuracy >= 0.9 binds: the nearest, trial 1, is 27.0 points "
        "beyond it."
    )
