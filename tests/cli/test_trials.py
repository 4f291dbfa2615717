"""`autoprune trials` lists, filters and sorts; a failed one shows its cause."""

from __future__ import annotations

import json
import re

import pandas as pd
import polars as pl

from autoprune.report.units import significant


def test_all_trials_with_their_ends(autoprune, run_folder) -> None:
    said = autoprune("trials", run_folder)
    assert (said.code, said.err) == (0, "")
    lines = [line.split() for line in said.out.splitlines() if line.strip()[:1].isdigit()][:-1]
    ends = [(number, state) for number, state, *_ in lines]
    assert ends == [("0", "measured"), ("1", "measured"), ("2", "failed")]
    assert lines[2][-1] == "killed"
    assert said.out.splitlines()[-1].startswith("3 trials")
    assert max(map(len, said.out.splitlines())) <= 80


def test_failed_ones_with_the_whole_cause(autoprune, run_folder) -> None:
    said = autoprune("trials", run_folder, "--failed")
    assert "trial 2, failed: " in said.out
    assert "killed\n" in said.out
    assert said.out.endswith("1 trials without a measurement\n")


def test_filters_and_order(autoprune, run_folder) -> None:
    def numbers(*arguments: str) -> list[int]:
        said = autoprune("trials", run_folder, *arguments, "--json")
        assert said.code == 0, said.err
        return [row["trial"] for row in json.loads(said.out)]

    assert numbers() == [0, 1, 2]
    assert numbers("--state", "measured") == [0, 1]
    assert numbers("--front", "loihi1") == [1]
    assert numbers("--sort", "-trial") == [2, 1, 0]
    assert numbers("--state", "measured", "--sort", "energy_uj@loihi1") == [1, 0]
    assert numbers("--origin", "warm") == []


def test_the_column_that_sorts_is_shown(autoprune, run_folder) -> None:
    said = autoprune("trials", run_folder, "--sort", "energy_uj@ops45_int8").out
    energies = [
        json.loads(autoprune("price", f"{run_folder}:{n}", "--machine", "ops45_int8", "--json").out)
        for n in (1, 0)
    ]
    assert re.search(r"µJ\s*\n trial .* ops45_int8  kept %", said)
    for number, found in zip((1, 0), energies, strict=True):
        words = rf"^ +{number}  measured .* {significant(found['energy_uj'])}  "
        assert re.search(words, said, re.M)
    assert "val %: with weights of 32 bits" in " ".join(said.split())
    assert "ops45_int8" not in autoprune("trials", run_folder).out


def test_files_hold_what_python_has(autoprune, run_folder, tmp_path) -> None:
    file = tmp_path / "trials.parquet"
    said = autoprune("trials", run_folder, "--parquet", file)
    assert said.out == f"{file}: 3 trials\n"
    said = autoprune("trials", run_folder, "--csv")
    read = pd.read_parquet(file)
    assert list(read["state"]) == ["measured", "measured", "failed"]
    assert said.out.splitlines()[0] == ",".join(["trial", *read.columns])
    assert list(read.index) == [0, 1, 2]
    assert list(pl.read_parquet(file)["trial"]) == [0, 1, 2]  # which knows no index


def test_what_is_unknown_is_named(autoprune, run_folder) -> None:
    said = autoprune("trials", run_folder, "--sort", "val_acuracy")
    assert said.code == 2
    assert "did you mean 'val_accuracy'?" in said.err
    said = autoprune("trials", run_folder, "--front", "loihi")
    assert "did you mean 'loihi1'?" in said.err
    for option, given in (("--sort", ""), ("--sort", "-"), ("--front", "")):
        said = autoprune("trials", run_folder, option, given)
        assert (said.code, said.out) == (2, "")
