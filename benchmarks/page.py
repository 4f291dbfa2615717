"""How large the page of a run is, how long it takes to make, and to open in Debian's chromium.

    python benchmarks/page.py RUN [--trials 1000] [--rounds 10] [--out FILE]

Of the run as it is, and of one with as many trials as asked for: its own, again and again under new
numbers, each with a score of its own (one to fifty samples off), so that the front has many members
to choose from. Opened is the file, from the start of loading until every section is drawn.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from autoprune.report.page.gather import gather
from autoprune.report.page.page import render
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score


def lengthened(run: Path, place: Path, trials: int) -> RunFolder:
    """A copy of a run, with more trials."""
    shutil.copytree(run, place, ignore=shutil.ignore_patterns("*.safetensors", "*.journal"))
    folder, rng = RunFolder(place), np.random.default_rng(0)
    known = folder.read_trials()
    trained = [o for o in known if o.state == "measured" and o.origin == "sampled"]
    for number in range(len(known), trials):
        folder.write(another(trained[number % len(trained)], number, rng))
    return folder


def another(outcome: Outcome, number: int, rng: np.random.Generator) -> Outcome:
    """A trial again under another number, with another score."""
    found = outcome.measurement
    assert found is not None
    worse = int(rng.integers(1, 50))
    precisions = tuple(
        replace(p, validation=less(p.validation, worse), test=p.test and less(p.test, worse))
        for p in found.precisions
    )
    return replace(outcome, key=TrialKey(number), measurement=replace(found, precisions=precisions))


def less(score: Score, worse: int) -> Score:
    """A score with some samples fewer right."""
    return replace(score, correct=max(score.correct - worse, 0))


def opened(browser: Any, file: Path) -> float:
    """Seconds from the start of loading until all is drawn."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    start = time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    spent = time.perf_counter() - start
    page.close()
    return spent


def measure(folder: RunFolder, rounds: int, scratch: Path) -> dict[str, float]:
    """Figures by name."""
    start = time.perf_counter()
    text = render(gather(folder))
    made = time.perf_counter() - start
    file = scratch / "report.html"
    file.write_text(text, encoding="utf-8")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        opened(browser, file)  # the browser's own start
        spent = [opened(browser, file) for _ in range(rounds)]
        browser.close()
    return {
        "trials": len(list(folder.trials.glob("*.parquet"))),
        "size_mb": file.stat().st_size / 1e6,
        "made_s": made,
        "opened_s": statistics.median(spent),
        "opened_least_s": min(spent),
        "opened_most_s": max(spent),
    }


def main() -> None:
    """Print a line per page and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        longer = lengthened(arguments.run, Path(scratch) / "run", arguments.trials)
        rows = [
            measure(folder, arguments.rounds, Path(scratch))
            for folder in (RunFolder(arguments.run), longer)
        ]
    for row in rows:
        print("  ".join(f"{name} {value:.3g}" for name, value in row.items()))
    with arguments.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.4g}" for k, v in row.items()} for row in rows)


if __name__ == "__main__":
    main()
