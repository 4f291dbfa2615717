"""What a run says at its end: one line per machine, and what comes next."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from autoprune.report.front.answer import answer
from autoprune.report.front.run_fronts import machine_front
from autoprune.report.tables.answer import answer_table, next_lines


def test_an_answer_is_compared_with_the_parent_and_the_cheapest_uniform_as_accurate(
    outcome, baselines, model, shape
) -> None:
    trials = [
        outcome(0, origin="uniform", correct=93, zeros=0.05),
        outcome(1, origin="uniform", correct=93, zeros=0.1),
        outcome(2, origin="uniform", correct=80, zeros=0.5),
        outcome(3, correct=93, zeros=0.75),
    ]
    front = machine_front(trials, baselines, model, shape)
    found = answer(front)
    energies = {row.trial: row.energy_uj for row in front.points}
    assert found.row.trial == 3
    assert found.less_than_uniform == energies[1] / energies[3]
    assert found.less_than_parent == pytest.approx(front.parent_energy_uj / energies[3])
    best = answer(machine_front([*trials[2:3], outcome(4, correct=97)], baselines, model, shape))
    assert (best.row.trial, best.less_than_uniform) == (4, None)

    none = answer(machine_front([outcome(5, correct=10)], baselines, model, shape))
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(answer_table([found, none], "accuracy"))
    text = console.file.getvalue()
    times = f"{found.less_than_parent:.1f} x"
    assert re.search(rf"^ ?ops45_fp32 +3 +93.0 \[86 97\] +\S+ [nµ]J +{times} ", text, re.M)
    assert re.search(r"^ ?ops45_fp32( +-){5}", text, re.M)
    assert "ops45_fp32: no knee" in text


def test_the_next_three_commands(outcome, baselines, model, shape) -> None:
    found = answer(machine_front([outcome(3, correct=94)], baselines, model, shape))
    commands = [line.strip().split("  ")[0] for line in next_lines(Path("runs/a b"), [found])]
    assert commands == [
        "autoprune report 'runs/a b'",
        "autoprune front 'runs/a b'",
        "autoprune export 'runs/a b' 3 --out network_3",
    ]
