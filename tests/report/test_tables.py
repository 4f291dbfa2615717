"""The tables of a terminal: 80 columns, no colour, nothing left out."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from autoprune.config import bundled_names
from autoprune.cost.cost import HostOperation
from autoprune.cost.load import load_machine
from autoprune.errors import RecordError
from autoprune.report.front.branches import Removal
from autoprune.report.front.run_fronts import machine_front
from autoprune.report.tables.branches import branch_table, removal_table
from autoprune.report.tables.front import front_legend, front_table, pick_table
from autoprune.report.units import EnergyUnit
from autoprune.runs.posterior import Posterior
from autoprune.trial.key import NO_BLOCKS, PARENT, TrialKey


def text_of(table: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    return console.file.getvalue()


def test_front_table_shows_scores_with_intervals_energy_and_plan(
    outcome, baselines, model, shape
) -> None:
    trials = [
        outcome(0, origin="uniform", correct=80, zeros=0.5),
        outcome(1, correct=97, zeros=0.5),
        outcome(2, origin="baseline", correct=99),
    ]
    front = machine_front(trials, baselines, model, shape)
    text = text_of(front_table(front))
    row = next(line for line in text.splitlines() if line.split()[:2] == ["1", "97.0"])
    unit = EnergyUnit.of(row.energy_uj for row in front.rows)
    energy, ratio = unit.digits(front.rows[0].energy_uj), f"{front.rows[0].energy_ratio:.3f}"
    assert row.split()[1:6] == ["97.0", "[92", "99]", energy, ratio]
    assert row.split()[6:8] == ["80.0*", "97.0"]
    assert row.endswith(front.rows[0].plan)
    assert f" {unit.name} " in text
    assert any(line.startswith("   2b  99.0") for line in text.splitlines())
    assert "Taken: trial " in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_front_table_says_what_applies_to_the_whole_machine(
    outcome, baselines, model, shape
) -> None:
    plain = machine_front([outcome(0)], baselines, model, shape)
    text = " ".join(text_of(front_table(plain)).split())
    assert "Accuracy measured and energy priced at 32 bits." in text
    assert "as the plan says" not in text
    front = replace(
        plain,
        priced_bits=8,
        rows=(replace(plain.rows[0], accuracy_bits=4),),
        host=(HostOperation(name="stem: real-valued input", dense_macs=5.0, share=0.0123),),
        emulated=("attention: one operation per coincidence",),
        uncounted=(("batch_norm", 0.043), ("aten::add", 0.0)),
    )
    text = " ".join(text_of(front_table(front)).split())
    for said in (
        "Accuracy measured at 32 bits, energy priced at 8 bits.",
        "Of 4 bits, as the plan says, and measured so: trial 0.",
        "Fine-tuned parent: validation 95.0 [89 98] %, test 93.0 [86 97] %",
        f"Hypervolume {front.hypervolume:.4f}",
        "above 85.0 %",
        "0 of 1 beat (*) uniform compression",
        "1 are cheaper than all of it",
        "stem: real-valued input (1.23 %)",
        "Emulated: attention: one operation per coincidence.",
        *(f"Not modelled: {line}." for line in model.machine.not_modelled),
    ):
        assert said in text


def test_what_holds_for_all_fronts_is_said_once(outcome, baselines, model, shape) -> None:
    plain = machine_front([outcome(0, origin="uniform")], baselines, model, shape, "digits")
    front = replace(plain, uncounted=(("batch_norm", 0.043), ("aten::add", 0.0)))
    text = " ".join(front_legend([front, front]))
    for said in (
        "Not counted: batch_norm (4.30 % of dense MACs).",
        "Not counted: aten::add (without MACs).",
        "Data: digits.",
        "Behind a trial's number, u: of the uniform sweep.",
    ):
        assert text.count(said) == 1
        assert said not in " ".join(text_of(front_table(front)).split())


def test_a_wide_terminal_has_more_columns(outcome, baselines, shape) -> None:
    trials = [outcome(n, correct=90 - n, zeros=n / 10) for n in range(3)]
    front = machine_front(trials, baselines, load_machine("loihi1"), shape)
    narrow = text_of(front_table(front, 60))
    assert "On a wider terminal, with --csv or --json also test, latency µs, KiB" in narrow
    wide = text_of(front_table(front, 120), 120)
    assert all(head in wide for head in (" test ", " latency µs ", " KiB ", " dynamic "))
    assert "On a wider terminal" not in wide
    assert max(map(len, wide.splitlines())) <= 120


def test_picks_have_whole_heads_within_80_columns(outcome, baselines, model, shape) -> None:
    [row] = machine_front([outcome(0)], baselines, model, shape).rows
    judged = Posterior(expected=0.9, chance=0.5)
    wide = replace(row, trial="123@10", parameters=123_456_789, posterior=judged)
    text = text_of(pick_table([replace(wide, test=row.validation)]))
    [head] = [line for line in text.splitlines() if "ratio" in line]
    names = "trial val % [95 %] worth P test nJ ratio parameters kept % host %"
    assert head.split() == names.split()
    assert "…" not in text and max(map(len, text.splitlines())) <= 80


def test_front_table_has_both_ends_of_a_range(outcome, baselines, shape) -> None:
    front = machine_front([outcome(0)], baselines, load_machine("truenorth"), shape)
    assert "least" not in text_of(front_table(replace(front, rows=(), ranges="")))
    text = text_of(front_table(front))
    [row] = front.rows
    assert row.figures.least_uj == pytest.approx(row.energy_uj * 2.5 / 26)
    unit = EnergyUnit.of([row.energy_uj])
    assert f" least {unit.name} " in text
    assert f" {unit.digits(row.figures.least_uj)} " in text
    said = "the least at the lower end of synaptic_operation at 2.5 to 26 pJ."
    assert said in " ".join(text.split())


def test_branch_table_tells_points_lost_in_reading_order(outcome, baselines) -> None:
    def without(key: object, correct: int) -> dict[TrialKey, object]:
        return {TrialKey.parse(str(key)): outcome(key, origin="baseline", correct=correct)}

    keys = {
        **without(NO_BLOCKS, 20),
        **without("without blocks.10.mlp", 94),
        **without("without blocks.2.mlp", 96),
        **baselines,
        **without(PARENT, 95),
    }
    lines = [line for line in text_of(branch_table(keys)).splitlines() if "[" in line]
    cells = [(line[:24].strip(), line.split()[-1]) for line in lines[1:]]
    assert cells == [
        ("parent", "0.0"),
        ("fine-tuned", "0.0"),
        ("without blocks.2.mlp", "-1.0"),
        ("without blocks.10.mlp", "1.0"),
        ("without all blocks", "75.0"),
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_removal_table_has_every_machine_by_its_whole_name(width) -> None:
    names = ["x", *bundled_names("cost_models"), "lost"]
    saved = tuple((name, None if name == "x" else -0.123) for name in names)
    removals = [
        Removal(branch=branch, lost=-0.101, saved=saved)
        for branch in ("blocks.0.attention", "blocks.11.mlp")
    ]
    text = text_of(removal_table(removals, width), width)
    heads = [line.split() for line in text.splitlines() if line.startswith("without ")]
    assert [name for head in heads for name in head[2:]] == names
    assert max(map(len, text.splitlines())) <= width
    assert text.count("blocks.0.attention") == len(heads)
    assert text.count("-12.3") == 2 * (len(names) - 1)


def test_branch_table_names_what_failed(outcome, baselines) -> None:
    key = TrialKey.baseline("without blocks.0.mlp")
    failed = outcome(key, origin="baseline", state="failed", cause="killed", measurement=None)
    text = text_of(branch_table({**baselines, key: failed}))
    assert any(str(key) in line and "failed" in line for line in text.splitlines())


def test_branch_table_needs_the_fine_tuned_parent() -> None:
    with pytest.raises(RecordError, match="no fine-tuned parent"):
        branch_table({})
