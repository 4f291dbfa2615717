"""Searches on made-up networks of 2 to 24 blocks: how much of the best hypervolume each finds.

The networks are `benchmarks/surfaces.py`'s, of which the truth is known: a trial takes
microseconds, and what counts is the true hypervolume of the plans that were trained, whatever was
seen of them. All searches begin with the network untouched and the uniform sweep, which count as
trainings, and differ in what comes then (`benchmarks/strategies.py`). Every seed draws another
network. Rows are written as they come, seed by seed: a second call goes on.

    python benchmarks/depth.py [--seeds 10] [--kinds development] [--only block_response tpe]
"""

from __future__ import annotations

import argparse
import csv
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from made_up import Network, Params
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial
from scipy.stats import t
from strategies import STRATEGIES
from surfaces import KINDS, Array, Surface

from autoprune.search.block_response.calibration import EXPECTED, calibration
from autoprune.search.samplers import derive_seed

HERE = Path(__file__).parent
TRAININGS = (40, 80, 160)
GIVE_UP = 200

CASES = (
    ("additive", 2, 1, 10_000),
    ("multiplicative", 8, 1, 10_000),
    ("bottleneck", 8, 1, 10_000),
    ("redundant", 12, 1, 360),
    ("correlated", 12, 1, 10_000),
    ("cliffs", 4, 1, 360),
    ("tiles", 4, 2, 10_000),
    ("floor", 24, 2, 10_000),
)
"""Kind, blocks, machines and samples of validation."""

HEAD = ("surface", "strategy", "seed", "trainings", "share", "cpu_s", "errors", "gains", "decades")
"""Columns: a share of the best hypervolume, processor time of the search, and where something was
expected the root mean square of standardised errors, expected over realised gain, and how far
energies were from what the responses expected, root mean square in decades."""

Row = dict[str, Any]


def search(network: Network, name: str, seed: int, trainings: int) -> list[Row]:
    """Shares of the best hypervolume after so many trainings; what repeats a plan is none."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rng = np.random.default_rng([seed, 0])
    study = optuna.create_study(directions=["maximize", *["minimize"] * network.surface.machines])
    asked = iter([*network.first])
    then = STRATEGIES[name](network, derive_seed(seed, name))
    trained: dict[tuple[Any, ...], tuple[Params, Array]] = {}
    rows: list[Row] = []
    start = time.process_time()

    def note(count: int) -> None:
        spent = round(time.process_time() - start, 2)
        share = network.share([params for params, _ in trained.values()])
        kept = _kept(study.get_trials(deepcopy=False), network.metrics)
        rows.append({"trainings": count, "share": round(share, 6), "cpu_s": spent, **kept})

    for _ in range(trainings + GIVE_UP):
        source = next(asked, None) or next(then, None)
        if source is None:
            break
        study.sampler = (
            source if isinstance(source, BaseSampler) else optuna.samplers.RandomSampler(seed=0)
        )
        if not isinstance(source, BaseSampler):
            study.enqueue_trial(source)
        trial = study.ask(network.distributions)
        plan = network.identity(trial.params)
        new = plan not in trained
        if new:
            seen = network.seen(trial.params, rng)
            trained[plan] = (dict(trial.params), seen)
        study.tell(trial, trained[plan][1].tolist())
        if new and len(trained) in TRAININGS:
            note(len(trained))
        if len(trained) == trainings:
            break
    for count in TRAININGS:
        if len(trained) < count <= trainings:
            note(count)
    return rows


def _kept(trials: Sequence[FrozenTrial], metrics: Sequence[str]) -> dict[str, str]:
    """How what was expected of proposals came out; see `HEAD`."""
    found = calibration(trials, metrics)
    if found is None:
        return dict.fromkeys(HEAD[-3:], "")
    noted = [(t.values, t.system_attrs[EXPECTED]) for t in trials if EXPECTED in t.system_attrs]
    off = [np.log10(values[1:]) - expected["mean"][1:] for values, expected in noted]
    return {
        "errors": f"{np.mean([*found.errors.values()]):.4f}",
        "gains": "" if found.ratio is None else f"{found.ratio:.4f}",
        "decades": f"{np.sqrt(np.mean(np.square(off))):.4f}",
    }


def main() -> None:
    """Run what is missing, a row per surface, strategy, seed and number of trainings; show all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trainings", type=int, default=TRAININGS[1], choices=TRAININGS)
    parser.add_argument("--kinds", nargs="+", choices=["development", *KINDS], default=list(KINDS))
    parser.add_argument("--only", nargs="+", choices=STRATEGIES, default=_installed())
    parser.add_argument("--out", type=Path, default=HERE / "depth.csv")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    kinds = list(arguments.kinds)
    if "development" in kinds:
        kinds += [name for name, kind in KINDS.items() if kind.development]
    cases = [case for case in CASES if case[0] in kinds]
    for seed in range(arguments.seeds):
        for kind, blocks, machines, samples in cases:
            surface = Surface(
                kind=kind, blocks=blocks, machines=machines, samples=samples, seed=seed
            )
            _complete(Network(surface), arguments.only, seed, arguments.trainings, arguments.out)
    show(pd.read_csv(arguments.out))


def _complete(network: Network, names: Sequence[str], seed: int, trainings: int, out: Path) -> None:
    """Run the strategies of which the file has not enough trainings, and add their rows to it."""
    surface = f"{network.surface.kind} {network.surface.blocks}"
    for name in names:
        known = set()
        if out.exists():
            with out.open(newline="") as stream:
                same = {"surface": surface, "strategy": name, "seed": str(seed)}
                rows = (row for row in csv.DictReader(stream) if same.items() <= row.items())
                known = {int(row["trainings"]) for row in rows}
        if trainings in known:
            continue
        head = {"surface": surface, "strategy": name, "seed": seed}
        found = [{**head, **row} for row in search(network, name, seed, trainings)]
        with out.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, HEAD, lineterminator="\n")
            if not stream.tell():
                writer.writeheader()
            writer.writerows(row for row in found if row["trainings"] not in known)


def _installed() -> list[str]:
    """The strategies of the table whose packages are there."""
    from importlib.util import find_spec

    left_out = () if find_spec("optuna_integration") and find_spec("botorch") else ("qlognehvi",)
    return [name for name in STRATEGIES if name not in left_out]


def show(frame: pd.DataFrame) -> None:
    """Mean and 95 % interval over seeds, in percent, surface by surface."""
    for kind, blocks, _, _ in CASES:
        own = frame[frame.surface == f"{kind} {blocks}"]
        if not len(own):
            continue
        kept = "development" if KINDS[kind].development else "kept back"
        counts = sorted(own.trainings.unique())
        print(f"\n{kind} {blocks}: % of the best hypervolume [95 %], {kept}")
        for name in (name for name in STRATEGIES if name in set(own.strategy)):
            rows = own[own.strategy == name]
            cells = [_interval(100 * rows[rows.trainings == count].share) for count in counts]
            last = rows[rows.trainings == rows.trainings.max()]
            print(f"{name:24}", *cells, f"{last.cpu_s.mean():7.1f} s, {len(last)} seeds", end="")
            expected = last.errors.notna().any()
            print(
                f", errors {last.errors.mean():.2f}, gains {last.gains.median():.2f}, "
                f"decades {last.decades.mean():.3f}"
                if expected
                else "",
                flush=True,
            )


def _interval(values: pd.Series) -> str:
    """Mean and 95 % interval of Student's t; without one where there are not two."""
    if len(values) < 2:
        return f"{values.mean():5.1f}              " if len(values) else " " * 19
    half = t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values))
    return f"{values.mean():5.1f} [{values.mean() - half:5.1f} {values.mean() + half:5.1f}]"


if __name__ == "__main__":
    main()
