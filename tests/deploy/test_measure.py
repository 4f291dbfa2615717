"""Networks of a real run on the computer at hand; energy counters of files like the kernel's."""

from __future__ import annotations

import csv
import re
import time

import pytest
import torch
from torch import nn

from autoprune.deploy.counters import Counter, find_counter
from autoprune.deploy.measure import Conditions, measure
from autoprune.deploy.timing import time_networks
from autoprune.errors import InputError, RecordError
from autoprune.report.tables.measured import agreement
from autoprune.runs.folder import RunFolder
from autoprune.runs.measured import MeasuredOn, Timing, read_all, write
from autoprune.trial.key import FINE_TUNED, TrialKey


def domain(folder, name: str, energy: int, most: int = 10_000_000) -> None:
    place = folder / name
    place.mkdir()
    (place / "energy_uj").write_text(f"{energy}\n")
    (place / "max_energy_range_uj").write_text(f"{most}\n")


def test_rapl_counts_packages_and_wraps(tmp_path):
    domain(tmp_path, "intel-rapl:0", 9_000_000)
    domain(tmp_path, "intel-rapl:0:0", 5)  # the cores of package 0, already in it
    counter, missing = find_counter("cpu", tmp_path)
    assert missing == ""
    before = counter.read()
    assert before == 9.0
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("500000")
    assert counter.between(before, counter.read()) == pytest.approx(1.5)
    domain(tmp_path, "intel-rapl:1", 2_000_000)
    both, _ = find_counter("cpu", tmp_path)
    assert both.read() == pytest.approx(2.5)
    assert both.name == "RAPL, 2 CPU packages"


def test_where_there_is_no_counter_it_is_said_why(tmp_path):
    counter, missing = find_counter("cpu", tmp_path)
    assert counter is None
    assert "shows no RAPL domain" in missing
    domain(tmp_path, "intel-rapl:0", 1)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("nonsense")
    counter, missing = find_counter("cpu", tmp_path)
    assert counter is None
    assert "RAPL cannot be read" in missing


class Sleeper(nn.Module):
    """Takes a known time per sample."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(self.seconds * len(x))
        return x


def test_times_and_energies_are_per_sample():
    """A counter of 10 W: a network that takes twice as long takes twice the energy."""
    heard = []
    timings = time_networks(
        {TrialKey.parse("fast"): Sleeper(0.002), TrialKey.parse("slow"): Sleeper(0.004)},
        lambda network, batch: torch.zeros(batch, 1),
        batches=(1, 3),
        rounds=4,
        counter=Counter(name="10 W", read=lambda: 10 * time.perf_counter()),
        progress=lambda done, total: heard.append((done, total)),
    )
    assert [(str(t.key), t.batch) for t in timings] == [
        ("fast", 1),
        ("slow", 1),
        ("fast", 3),
        ("slow", 3),
    ]
    assert heard[-1] == (8, 8)
    for timing in timings:
        expected = {"fast": 2000, "slow": 4000}[str(timing.key)]
        assert expected <= timing.low_us <= timing.latency_us <= timing.high_us
        assert timing.latency_us < 3 * expected
        assert expected * 10 <= timing.energy_uj < 3 * expected * 10


def test_networks_of_a_run(finished):
    found, folder = measure(RunFolder.opened(finished), Conditions(rounds=3, name="here"))
    keys = {timing.key for timing in found.timings}
    run = RunFolder(finished)
    ends = [outcome.ended for outcome in run.read_trials()]
    trained = {FINE_TUNED: FINE_TUNED} | {
        end.key: end.same_as or end.key for end in ends if end.state == "measured"
    }
    assert keys == {key for key, own in trained.items() if run.checkpoint(own).is_file()}
    assert FINE_TUNED in keys
    assert any(trained[key].is_baseline for key in keys if key.is_trial), "kept under another name"
    assert {timing.batch for timing in found.timings} == {1, 32}
    assert all(t.low_us <= t.latency_us <= t.high_us for t in found.timings)
    assert read_all(finished) == [found]
    rows = list(csv.DictReader((folder / "measured.csv").open(encoding="utf-8")))
    assert [float(row["latency_us"]) for row in rows] == [t.latency_us for t in found.timings]
    assert bool(found.counter) != bool(found.missing)


def test_agreement_counts_the_networks_that_both_know():
    def timing(key: str, latency: float) -> Timing:
        return Timing(
            key=TrialKey.parse(key),
            batch=1,
            latency_us=latency,
            low_us=latency,
            high_us=latency,
            energy_uj=None,
        )

    found = MeasuredOn(
        name="cpu",
        device="a CPU",
        threads=1,
        rounds=3,
        counter="",
        missing=("no energy counter",),
        timings=(timing("1", 1.0), timing("2", 2.0), timing("3", 3.0), timing("parent", 9.0)),
    )
    lines = list(
        agreement(
            found,
            {
                "up": {TrialKey(1): 5, TrialKey(2): 6, TrialKey(3): 7},
                "one": {TrialKey(1): 5},
            },
        )
    )
    assert lines[0] == "cpu (latency, batch 1) and up (energy): order 1.00 over 3 networks"
    assert "fewer than two networks" in lines[1]


def test_what_cannot_be_measured(tmp_path, finished, monkeypatch):
    with pytest.raises(RecordError, match="not a run folder"):
        measure(RunFolder.opened(tmp_path), Conditions())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch finds no GPU here"):
        measure(RunFolder.opened(finished), Conditions(device="cuda"))
    damaged = tmp_path / "measured" / "cpu" / "measured.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    with pytest.raises(RecordError, match=re.escape(f"{damaged}: damaged")):
        read_all(tmp_path)


def test_a_record_is_read_back_equal(tmp_path):
    found = MeasuredOn(
        name="gpu",
        device="a GPU",
        threads=2,
        rounds=5,
        counter="NVML",
        missing=(),
        timings=(
            Timing(
                key=TrialKey(3),
                batch=32,
                latency_us=0.1 + 0.2,
                low_us=0.1,
                high_us=1.0,
                energy_uj=7.0,
            ),
        ),
    )
    write(tmp_path, found)
    assert read_all(tmp_path) == [found]
