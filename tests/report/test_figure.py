"""The plotly figure of a front holds the front's own numbers."""

from __future__ import annotations

from autoprune.report.front.run_fronts import machine_front
from autoprune.report.plots.figure import front_figure


def test_every_trial_and_the_front_are_drawn_at_their_numbers(
    outcome, baselines, model, shape
) -> None:
    trials = [
        outcome(0, origin="uniform", correct=80, zeros=0.5),
        outcome(1, correct=91, zeros=0.9),
    ]
    front = machine_front(trials, baselines, model, shape)
    traces = {trace.name: trace for trace in front_figure(front).data}
    assert set(traces) == {
        "sampled (1)",
        "uniform (1)",
        "front (1): expected, 95 % intervals",
        "fine-tuned parent",
    }
    [member] = front.rows
    drawn = traces["front (1): expected, 95 % intervals"]
    assert (list(drawn.x), list(drawn.y)) == ([member.energy_uj], [91.0])
    low, high = member.validation.interval
    assert list(drawn.error_y.array) == [100 * (high - 0.91)]
    assert list(drawn.error_y.arrayminus) == [100 * (0.91 - low)]
    assert [trial for trial, _ in traces["uniform (1)"].customdata] == [0]
