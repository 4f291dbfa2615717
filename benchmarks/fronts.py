"""The fronts of a run on every machine that ships, by the rules of 0.1 and by those of today.

By those of 0.1 static power costs nothing, a network counts whose work is mostly a host's, and the
uniform sweep stands at the parent's number of time steps alone; the ratio to an ANN is left out
(0.1 had one). Both are of the same trials as they were trained, and of scores as they were
measured, so that nothing differs but these rules. A last column has the hypervolume of the front as
`autoprune front` prints it: with readings after other time steps, and of what all trials lead one
to expect.

    python benchmarks/fronts.py RUN
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoprune.config import bundled_names
from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.report.front.run_fronts import RunFronts
from autoprune.runs.columns import TrialColumns
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Head
from autoprune.runs.own_work import own_work
from autoprune.runs.pareto import ACCURACY_MARGIN, COST_FACTOR, front_hypervolume, non_dominated
from autoprune.trial.key import FINE_TUNED
from autoprune.trial.measurement import Measurement, Score
from autoprune.workload.columns import Column

HEAD = (
    "| machine | members | beat the uniform sweep | hypervolume | of the uniform sweep | "
    "not counted any more | as printed |\n|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a front is made of: energies of all trials, those that count, and the uniform ones."""

    energy_uj: Column
    counts: Column
    uniform: Column
    parent_uj: float

    def front(self, scores: Sequence[Score], parent: float) -> tuple[int, int, float, float]:
        """Members, those that beat the sweep, and the hypervolumes of all and of the sweep."""
        energy = self.energy_uj.tolist()
        reference = (parent - ACCURACY_MARGIN, COST_FACTOR * self.parent_uj)
        places = np.flatnonzero(self.counts).tolist()
        sweep = np.flatnonzero(self.uniform & self.counts).tolist()
        pairs = [(scores[i].accuracy, energy[i]) for i in places]
        members = [places[i] for i in non_dominated(pairs)]
        beating = 0
        for i in members:
            cheap = [scores[u] for u in sweep if energy[u] <= energy[i]]
            best = max(cheap, key=lambda score: score.accuracy, default=None)
            beating += best is not None and scores[i].interval[0] > best.interval[1]
        swept = [(scores[i].accuracy, energy[i]) for i in sweep]
        volumes = (front_hypervolume(found, reference) for found in (pairs, swept))
        return (len(members), beating, *volumes)


def line(
    model: CostModel,
    tuned: Measurement,
    trials: TrialColumns,
    heads: Sequence[Head],
    printed: float,
) -> str:
    """The row of a machine; UnknownCost where the run lacks what it counts."""
    bits = model.machine.weight_bits
    ops, scores = trials.at(bits)
    costs = model.price_all(ops)
    parent = tuned.at(bits)
    of_parent = model.price_all(Ops.of([parent.workload]))
    steps = np.array([head.plan.effort.time_steps for head in heads])
    uniform = np.array([head.ended.origin == "uniform" for head in heads])
    able = ~np.isnan(costs.energy_uj)
    before = Rules(
        energy_uj=costs.energy_uj - costs.static_pj * 1e-6,
        counts=able,
        uniform=uniform & (steps == tuned.plan.effort.time_steps),
        parent_uj=float(of_parent.energy_uj[0] - of_parent.static_pj[0] * 1e-6),
    )
    after = Rules(
        energy_uj=costs.energy_uj,
        counts=own_work(model, costs.energy_uj, costs.host_share),
        uniform=uniform,
        parent_uj=float(of_parent.energy_uj[0]),
    )
    accuracy = parent.validation.accuracy
    old, new = (rules.front(scores, accuracy) for rules in (before, after))
    cells = [f"{a} → {b}" for a, b in zip(old[:2], new[:2], strict=True)]
    cells += [f"{a:.4f} → {b:.4f}" for a, b in zip(old[2:], new[2:], strict=True)]
    cells.append(str(int((before.counts & ~after.counts).sum())))
    return f"| `{model.machine.name}` | {' | '.join(cells)} | {printed:.4f} |"


def main() -> None:
    """Print a row for each machine."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    folder = RunFolder.opened(parser.parse_args().run)
    trials, heads = TrialColumns(folder), folder.read_heads()
    fronts, by_key = RunFronts(folder, heads), {head.key: head for head in heads}
    tuned = folder.read_baselines()[FINE_TUNED].measurement
    assert tuned is not None
    print(HEAD)
    for name in bundled_names("cost_models"):
        model = load_machine(name)
        try:
            printed = fronts.of(model).hypervolume
            print(line(model, tuned, trials, [by_key[k] for k in trials.keys], printed), flush=True)
        except UnknownCost as error:
            print(f"| `{name}` | {error} |", flush=True)


if __name__ == "__main__":
    main()
