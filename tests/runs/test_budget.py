"""Budgets: what a text means, what is refused."""

from __future__ import annotations

import pytest

from autoprune.errors import InputError
from autoprune.runs.budget import parse_budget, parse_budgets


@pytest.mark.parametrize(
    ("text", "value", "excess"),
    [
        ("energy_uj@loihi1 <= 0.8", 1.0, 0.25),
        ("energy_uj@loihi1<=0.8", 0.8, 0.0),
        ("energy_uj@loihi1 <= 0.8", 0.4, -0.5),
        ("accuracy >= 0.9", 0.81, 0.1),
        ("accuracy >= 0.9", 0.99, -0.1),
        ("parameters <= 4e4", 50_000, 0.25),
        ("effective_sops <= 0", 3.0, 3.0),
    ],
)
def test_excess_is_a_share_of_the_bound(text, value, excess):
    assert parse_budget(text, "here").excess(value) == pytest.approx(excess, abs=1e-15)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["energy"], "given 'energy'; expected METRIC <= NUMBER or METRIC >= NUMBER"),
        (["energy < 3"], "expected METRIC <= NUMBER"),
        (["energy <= much"], "'much' is no number"),
        (["energy <= nan"], "'nan' is no number"),
        (["energy <= inf"], "'inf' is no number"),
        (["a <= 3", "a <= 4"], "a <= 3 and a <= 4; expected one bound of each kind"),
        (["a <= 3", "a >= 4"], "a >= 4 and a <= 3; expected bounds that a value can keep"),
    ],
)
def test_what_is_no_budget_is_refused(texts, message):
    with pytest.raises(InputError, match=f"here: .*{message}"):
        parse_budgets(texts, "here")


def test_both_sides_of_a_metric_may_be_bound():
    budgets = parse_budgets(["a <= 4", "a >= 3", "b >= 0.5"], "here")
    assert [str(b) for b in budgets] == ["a <= 4", "a >= 3", "b >= 0.5"]


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("accuracy >= 0.95", 0.932, "1.8 points"),
        ("f1@loihi1 >= 0.95", 0.9498, "0.02 points"),
        ("host_share@loihi1 <= 0.1", 0.15, "5.0 points"),
        ("energy_uj@loihi1 <= 2", 2.5, "25 %"),
        ("effective_sops <= 0", 7, "7"),
    ],
)
def test_how_far_beyond_in_words(text, value, words):
    budget = parse_budget(text, "budgets")
    assert budget.words(budget.excess(value)) == words
