"""What each part of `block_response` is worth: searches of made-up networks without it.

The searches are those of `benchmarks/depth.py`, on its networks. One part is taken away at a time,
or one thing told that the sampler has to learn, and the share of the best hypervolume is set
beside that of the whole sampler, network by network: mean difference and its 95 % interval
(Student's t) over networks. Nothing corrects the intervals for their number. Rows are written as
they come: a second call goes on.

    python benchmarks/ablation.py [--seeds 3] [--kinds development] [--only "no falls"]
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from depth import CASES, search
from made_up import Network
from scipy.stats import t
from surfaces import KINDS, SCATTER, Array, Settings, Surface

from autoprune.search.block_response import evolve
from autoprune.search.block_response.model import Model
from autoprune.search.block_response.parts import Kind, kinds_of
from autoprune.search.block_response.process import Process

HERE = Path(__file__).parent
TRAININGS = (40, 80)
HEAD = ("surface", "part", "seed", "trainings", "share", "cpu_s")


def _energies_known(network: Network) -> AbstractContextManager[Any]:
    """The true energies are told, as counting would, which the sampler learns."""
    learnt, blocks = Model.predict, range(network.surface.blocks)
    branches = [[f"blocks.{b}.{name}" for name in ("attention", "mlp")] for b in blocks]

    def predict(self: Model, numbers: Array) -> tuple[Array, Array]:
        mean, std = learnt(self, numbers)
        place = {name: index for index, name in enumerate(self.trials.axes)}

        def of(setting: str) -> Array:
            return numbers[:, [[place[f"{n}.{setting}"] for n in names] for names in branches]]

        settings = Settings(
            sparsity=of("l1p"),
            kept=of("dsp"),
            learns=numbers[:, [place[f"blocks.{b}.neuron.threshold"] for b in blocks]],
            steps=2.0 + numbers[:, place["time_steps"]],
        )
        energies = network.surface.energies(settings)[:, : network.surface.machines]
        mean[:, 1:], std[:, 1:] = np.log10(energies), SCATTER / np.log(10)
        return mean, std

    return patch.object(Model, "predict", predict)


def _no_kinds(network: Network) -> AbstractContextManager[Any]:
    """No part is like another."""

    def alone(*arguments: Any) -> list[Kind]:
        return [Kind(members=(m,)) for kind in kinds_of(*arguments) for m in kind.members]

    return patch("autoprune.search.block_response.parts.kinds_of", alone)


def _no_falls(network: Network) -> AbstractContextManager[Any]:
    """The response near the front alone, to which what failed by far hardly counts."""
    return patch.object(Model, "_falling", lambda self: {})


def _front_as_seen(network: Network) -> AbstractContextManager[Any]:
    """The front so far is that of the values as they were seen."""
    return patch.object(Process, "fitted", property(lambda self: self._y))


def _drawn(network: Network) -> AbstractContextManager[Any]:
    """As many candidates, drawn at random."""
    count = evolve.DRAWS + evolve.GENERATIONS * evolve.CHILDREN
    return patch.multiple(evolve, DRAWS=count, GENERATIONS=0)


def _by_record(network: Network) -> AbstractContextManager[Any]:
    """Candidates are chosen by how proposals before came out as well."""

    def gain(self: Model, numbers: Array) -> Array:
        mean, std = self.predict(numbers)
        return self._gain(numbers, mean + self._shift * std, self._scale * std)

    return patch.object(Model, "gain", gain)


PARTS: dict[str, Callable[[Network], AbstractContextManager[Any]]] = {
    "whole": lambda network: nullcontext(),
    "energies known": _energies_known,
    "no kinds": _no_kinds,
    "no falls": _no_falls,
    "front as seen": _front_as_seen,
    "drawn, not bred": _drawn,
    "chosen by its record": _by_record,
}


def main() -> None:
    """Run what is missing, and show all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trainings", type=int, default=TRAININGS[1], choices=TRAININGS)
    parser.add_argument("--kinds", nargs="+", choices=["development", *KINDS], default=list(KINDS))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=HERE / "ablation.csv")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for seed in range(given.seeds):
        for kind, blocks, machines, samples in CASES:
            if kind not in given.kinds and not (
                "development" in given.kinds and KINDS[kind].development
            ):
                continue
            surface = Surface(
                kind=kind, blocks=blocks, machines=machines, samples=samples, seed=seed
            )
            for part in dict.fromkeys(["whole", *given.only]):
                _complete(Network(surface), part, given.trainings, given.out)
    show(pd.read_csv(given.out))


def _complete(network: Network, part: str, trainings: int, out: Path) -> None:
    """Search, unless the file has it."""
    seed, surface = network.surface.seed, f"{network.surface.kind} {network.surface.blocks}"
    head = {"surface": surface, "part": part, "seed": str(seed)}
    if out.exists():
        with out.open(newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if head.items() <= row.items()]
        if any(int(row["trainings"]) == trainings for row in rows):
            return
    with PARTS[part](network):
        found = search(network, "block_response", seed, trainings)
    with out.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, HEAD, extrasaction="ignore", lineterminator="\n")
        if not stream.tell():
            writer.writeheader()
        writer.writerows({**head, **row} for row in found)


def show(frame: pd.DataFrame) -> None:
    """Percent of the best hypervolume, and what each part gives, network by network."""
    for count, rows in frame.groupby("trainings"):
        shares = 100 * rows.pivot_table("share", ["surface", "seed"], "part", "last")
        print(f"\n{count} trainings: % of the best hypervolume, without it - whole [95 %]")
        for part in (part for part in PARTS if part in shares):
            own = (shares[part] - shares["whole"]).dropna()
            half = t.ppf(0.975, len(own) - 1) * own.std() / np.sqrt(len(own)) if len(own) > 1 else 0
            beside = f"{own.mean():+5.1f} [{own.mean() - half:+5.1f} {own.mean() + half:+5.1f}]"
            print(
                f"{part:22} {shares[part].mean():5.1f}  {'' if part == 'whole' else beside:22} "
                f"of {len(own)} networks"
            )


if __name__ == "__main__":
    main()
