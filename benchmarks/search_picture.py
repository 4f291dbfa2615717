"""Picture of `benchmarks/search.csv`: share of the table's hypervolume against plans trained.

Means over seeds, with 95 % intervals of the mean where seeds differ.

    python benchmarks/search_picture.py [--out docs/search.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import t as student

HERE = Path(__file__).parent
SHOWN = {
    "block_response": ("block_response", "#d55e00", "-"),
    "gp": ("gp", "#0072b2", "-"),
    "tpe": ("tpe", "#009e73", "-"),
    "tpe cold": ("tpe, cold", "#009e73", ":"),
    "nsga2": ("nsga2", "#cc79a7", "-"),
    "random": ("random", "#6b6b6b", "-"),
    "greedy": ("greedy by sensitivity", "#6b6b6b", "--"),
    "uniform": ("uniform sweep", "#6b6b6b", ":"),
}
"""Label, colour (Okabe and Ito's palette) and line of the strategies that are drawn."""


def draw(rows: pd.DataFrame, out: Path) -> None:
    """A panel per machine."""
    machines = sorted(rows["machine"].unique())
    figure = Figure(figsize=(9.5, 4.6), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(machines), sharey=True)
    for panel, machine in zip(panels, machines, strict=True):
        own = rows[rows["machine"] == machine]
        for name in (name for name in SHOWN if name in set(own.strategy)):
            label, colour, line = SHOWN[name]
            shares = 100 * own[own.strategy == name].pivot(
                index="seed", columns="plans", values="share"
            )
            half = student.ppf(0.975, len(shares) - 1) * shares.sem()
            panel.plot(shares.columns, shares.mean(), line, color=colour, label=label)
            panel.fill_between(
                shares.columns,
                shares.mean() - half,
                shares.mean() + half,
                color=colour,
                alpha=0.12,
                linewidth=0,
            )
        panel.set_xscale("log", base=2)
        panel.set_xticks(shares.columns, [str(plans) for plans in shares.columns])
        panel.axhline(95, color="#a3a3a3", linewidth=0.6, zorder=0)
        panel.set_ylim(30, 101)
        panel.set_title(machine, loc="left")
        panel.set_xlabel("distinct plans trained")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("% of the table's hypervolume")
    labelled, _ = panels[0].get_legend_handles_labels()
    figure.legend(handles=labelled, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(out)


def main() -> None:
    """Read, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "search.png")
    arguments = parser.parse_args()
    draw(pd.read_csv(HERE / "search.csv"), arguments.out)
    print(f"drawn: {arguments.out}")


if __name__ == "__main__":
    main()
