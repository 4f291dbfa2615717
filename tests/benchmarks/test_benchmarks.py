"""The benchmarks run; what they measure is read by people, not asserted."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from autoprune.cost.load import load_machine
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import FINE_TUNED, NO_BLOCKS, PARENT
from autoprune.workload.workload import Workload

STUDY = ["--study", "tests/studies/short.toml"]
SHORT = [
    (
        [
            "census.py",
            "--rounds",
            "2",
            "--batch",
            "1",
            "--width",
            "32",
            "--depth",
            "1",
            "--small",
        ],
        "census with activity",
    ),
    (
        ["census_peers.py", "--width", "16", "--side", "2", "--steps", "2"],
        "MaxFormer   attention",
    ),
    (
        [
            "search.py",
            "--seeds",
            "1",
            "--workers",
            "1",
            "--only",
            "random",
            "--out",
            "OUT/x.csv",
        ],
        "loihi1: %",
    ),
    (["search_picture.py", "--out", "OUT/x.png"], "drawn: "),
    (["uniform.py"], "3 x 2 x 3, as the study   18 plans  100.0 %"),
    (
        [
            "search_functions.py",
            "--seeds",
            "1",
            "--workers",
            "1",
            "--only",
            "random",
            "--out",
            "OUT/x.csv",
        ],
        "100 evaluations: %",
    ),
    (
        [
            "depth.py",
            "--seeds",
            "1",
            "--trainings",
            "40",
            "--kinds",
            "additive",
            "cliffs",
            "--only",
            "uniform",
            "greedy",
            "knapsack",
            "random",
            "block_response",
            "--out",
            "OUT/x.csv",
        ],
        "cliffs 4: %",
    ),
    (
        [
            "ask_time.py",
            "--only",
            "block_response",
            "--trials",
            "100",
            "--asks",
            "2",
            "--out",
            "OUT/x.csv",
        ],
        "100 trials  ask ",
    ),
    (
        ["naive.py", "--seeds", "1", "--trainings", "16", "--kinds", "additive", "digits"],
        "digits: ",
    ),
    (
        ["curse.py", "--seeds", "1", "--trainings", "16"],
        "| correlated | 12 | 10000 | as expected |",
    ),
    (["neuron.py", "--rounds", "2", "--size", "2,2,8,8"], "sLIF per channel"),
    (["step.py", *STUDY, "--rounds", "2"], "evaluation: spikingjelly's"),
    (["contract.py", "--rounds", "1", "--methods", "weight_bits"], "| weight_bits | "),
]
LONG = [
    (
        [
            "ablation.py",
            "--seeds",
            "1",
            "--trainings",
            "40",
            "--kinds",
            "additive",
            "--out",
            "OUT/x.csv",
        ],
        "chosen by its record",
    ),
    (["throughput.py", *STUDY, "--rounds", "1", "--plans", "2"], "ratio "),
    (
        [
            "trained_searches.py",
            *STUDY,
            "--seeds",
            "1",
            "--trials",
            "5",
            "--workers",
            "0",
            "--out",
            "OUT",
        ],
        "hypervolumes on test data",
    ),
    (
        ["seeds.py", *STUDY, "--seeds", "1", "--trials", "2", "--workers", "0", "--out", "OUT"],
        "gained over the uniform sweep",
    ),
    (
        ["scale.py", "--trials", "12", "--samplers", "random", "--out", "OUT/x.csv"],
        "idle_percent",
    ),
    (["compensation.py", *STUDY, "--quick", "--workers", "1", "--out", "OUT"], "channel"),
    (
        [
            "lag.py",
            "--workers",
            "2",
            "--study",
            "tests/studies/short.toml",
            "--seeds",
            "1",
            "--trials",
            "9",
            "--out",
            "OUT/x.csv",
        ],
        "2 workers, spread 0.5, lag 4",
    ),
    (["memory.py", "--gib", "0.01", "--workers", "1"], "driver         its own "),
    (
        ["search_table.py", "--workers", "1", "--most", "1", "--out", "OUT/x.parquet"],
        "1 of 1225 plans are trained",
    ),
    (["scores.py", *STUDY, "--seeds", "1", "--out", "OUT/x.csv"], "l1_activity"),
    (["learned_neurons.py", *STUDY, "--seeds", "1", "--out", "OUT/x.csv"], "over LIF [95 %]"),
    (
        ["patterns.py", *STUDY, "--seeds", "1", "--trials", "2", "--workers", "0"],
        "nm searched: patterns",
    ),
]
"""Those that search or train, several on a Ray of their own."""


def printed(root: Path, script: str, *arguments: str) -> str:
    """What a benchmark prints, which ends well."""
    done = subprocess.run(
        [sys.executable, str(root / "benchmarks" / script), *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_benchmark(root: Path, tmp_path: Path, arguments: list[str], expected: str) -> None:
    script, *others = arguments
    assert expected in printed(root, script, *(a.replace("OUT", str(tmp_path)) for a in others))


@pytest.mark.full
@pytest.mark.parametrize(("arguments", "expected"), SHORT, ids=[each[0][0] for each in SHORT])
def test_benchmark(root, tmp_path, arguments, expected):
    run_benchmark(root, tmp_path, arguments, expected)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize(("arguments", "expected"), LONG, ids=[each[0][0] for each in LONG])
def test_a_long_benchmark(root, tmp_path, arguments, expected):
    run_benchmark(root, tmp_path, arguments, expected)


@pytest.mark.slow
def test_block_response_finds_most_of_the_table_of_trained_plans(root, tmp_path):
    """With 40 and 80 of 1225 plans, three seeds."""
    out = tmp_path / "x.csv"
    asked = ("--seeds", "3", "--workers", "1", "--plans", "80", "--only", "block_response")
    printed(root, "search.py", *asked, "--out", str(out))
    least = pd.read_csv(out).groupby(["plans", "machine"]).share.min().unstack()
    assert (least.loc[40] > 0.9).all()
    assert (least.loc[80] > 0.93).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "tpe"),
    [
        ("additive", 0.785),
        ("multiplicative", 0.603),
        ("bottleneck", 0.630),
        ("redundant", 0.678),
        ("correlated", 0.570),
        ("cliffs", 0.596),
        ("tiles", 0.488),
        ("floor", 0.566),
    ],
)
def test_block_response_is_nowhere_behind_tpe_on_made_up_networks(root, tmp_path, kind, tpe):
    """With 80 trainings of a network of each kind; `tpe` by `benchmarks/depth.csv`."""
    out = tmp_path / "x.csv"
    asked = ("--seeds", "1", "--kinds", kind, "--only", "block_response")
    printed(root, "depth.py", *asked, "--out", str(out))
    found = pd.read_csv(out).iloc[-1]
    assert found.share > tpe
    assert 0.5 < found.errors < 2


@pytest.mark.full
def test_repricing_agrees_with_what_was_stored(root, short_run):
    """No energy differs in any bit, one by one, at once, or as stored."""
    sizes = ("--trials", "7", "--machines", "4", "--rounds", "1")
    said = printed(root, "repricing.py", str(short_run), *sizes)
    assert "0 of 28 energies differ between the two in any bit" in said
    assert "0 of 21 differ from what was stored while running" in said


@pytest.mark.full
def test_what_members_score_in_a_machines_integers(root, short_run):
    head, *rows = printed(root, "integers.py", str(short_run)).splitlines()
    assert head.startswith("trial,samples,floating,rounded,layer,channel,neuron,") and rows
    assert all(row.split(",")[1] == "359" for row in rows)


@pytest.mark.slow
def test_what_fine_tuning_in_a_machines_integers_gives(root, short_run):
    out = printed(root, "straight_through.py", str(short_run), "--epochs", "1")
    head, *rows = csv.reader(out.splitlines())
    assert head[3:6] == ["as it is", "floating point", "integers"]
    assert {row[1] for row in rows} == {"layer", "channel"}
    assert all(0 < int(right) <= int(row[2]) for row in rows for right in row[3:6])


@pytest.mark.full
def test_fronts_by_two_sets_of_rules(root, short_run):
    """A row for every machine, also those that the run did not see."""
    said = printed(root, "fronts.py", str(short_run))
    assert "| `truenorth` | " in said


@pytest.mark.full
def test_what_scores_without_fine_tuning_tell(root, short_run):
    """Every plan that was trained, those of the uniform sweep among them."""
    said = printed(root, "one_shot.py", str(short_run))
    assert re.search(
        r"run: tau .+ in all, (-|-?\d\.\d\d) of \d+ chosen; \d+\.\d s of \d+\.\d", said
    )


@pytest.mark.full
def test_what_removals_cost(root, short_run, tmp_path):
    """The whole network loses nothing against itself; two runs alike have no interval."""
    for seed in range(2):
        shutil.copytree(short_run, tmp_path / f"seed{seed}")
    said = printed(root, "removal.py", str(tmp_path))
    lost = said.partition("points lost on validation, test, both")[2]
    removed = RunFolder(short_run).read_baselines()
    assert all(str(key) in said for key in removed)
    tuned, none = (removed[key].measurement.test.accuracy for key in (FINE_TUNED, NO_BLOCKS))
    assert f"{100 * (tuned - none):+.1f} [" in lost.splitlines()[-1]


@pytest.mark.full
def test_a_table_of_trained_plans(root, short_run, tmp_path):
    """Every plan that the run trained, with all that it measured; anybody prices its workloads."""
    shutil.copytree(short_run, tmp_path / "runs" / "seed3")
    out = tmp_path / "x.parquet"
    printed(root, "trained_table.py", str(tmp_path / "runs"), "--out", str(out))
    table = pd.read_parquet(out).set_index("hash")
    run, machine = RunFolder(short_run), load_machine("loihi1")
    outcomes = [*run.read_baselines().values(), *run.read_trials()]
    assert {*table.index} == {one.plan.hash for one in outcomes if one.key != PARENT}
    assert (table.parent == 3).all() and table.one_shot.between(0, 100).all()
    for outcome in outcomes:
        if outcome.key == PARENT or outcome.same_as is not None:
            continue
        row, found = table.loc[outcome.plan.hash], outcome.measurement
        assert row.validation == pytest.approx(100 * found.validation.accuracy, abs=1e-4)
        workload = Workload.from_json(row.workloads[0])
        assert machine.price(workload) == machine.price(found.workload)
