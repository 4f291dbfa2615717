"""What `compensation.py` found, as tables and as a picture."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from compensation_case import ARMS, COMPRESSIONS, LEARNING, LIF, NONE, SYNAPTIC
from matplotlib.figure import Figure
from paired import gain, spread

# Okabe and Ito's palette, as in the pictures of a study.
_PALETTE = ("#9a9a9a", "#000000", "#56b4e9", "#0072b2", "#e69f00", "#d55e00", "#cc79a7")
_COLOURS = dict(zip((NONE, *ARMS), _PALETTE, strict=True))
_MARKERS = dict(zip((NONE, *ARMS), "xo^s<D>", strict=True))


def print_table(table: pd.DataFrame) -> None:
    """Accuracies per compression, epochs and arm, what each gains over LIF, and the rates."""
    print(
        f"\n{'compression':11} epochs {'arm':14} {'test %: mean ± sd (least to most)':34} "
        f"{'validation %':12} {'gain over LIF, points [95 %]':28} rates"
    )
    for compression in COMPRESSIONS:
        of_compression = table[table.compression == compression]
        for epochs in sorted(of_compression.epochs.unique()):
            part = of_compression[of_compression.epochs == epochs]
            by_arm = {arm: rows.set_index("seed") for arm, rows in part.groupby("arm")}
            for arm in [arm for arm in (NONE, *ARMS) if arm in by_arm]:
                rows = by_arm[arm]
                compared = arm not in (NONE, LIF)
                gained = gain(list(rows.test - by_arm[LIF].test)) if compared else ""
                used = f"{rows.learning_rate.iloc[0]:g} / {rows.neuron_learning_rate.iloc[0]:g}"
                print(
                    f"{compression:11} {epochs:6} {arm:14} {spread(rows.test):34} "
                    f"{100 * rows.validation.mean():12.1f} {gained:28} {used if epochs else ''}"
                )


def print_summary(table: pd.DataFrame) -> None:
    """The gain per seed over all compressions, and whether "synaptic only" repeats LIF."""
    runs = table[table.epochs > 0].pivot_table(
        index=["epochs", "compression", "seed"], columns="arm", values="test"
    )
    print("\ngain over LIF in points, mean of the compressions per seed [95 %]:")
    for epochs, part in runs.groupby("epochs"):
        for arm in LEARNING:
            per_seed = (part[arm] - part[LIF]).groupby("seed").mean()
            print(f"  epochs {epochs}, {arm:14} {gain(list(per_seed))}")
    off = (runs[SYNAPTIC] - runs[LIF]).dropna().abs()
    print(
        f'"synaptic only" has the test accuracy of LIF in {int((off == 0).sum())} of {len(off)} '
        f"runs; largest difference {100 * off.max():.1f} points"
    )


def draw(table: pd.DataFrame, study: str, file: Path) -> None:
    """Every run as a point and the mean as a bar, by compression; a panel per number of epochs."""
    epochs = sorted(count for count in table.epochs.unique() if count)
    figure = Figure(figsize=(max(7.2, 5.0 * len(epochs)), 4.6), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(epochs), sharey=True, squeeze=False)[0]
    for axes, count in zip(panels, epochs, strict=True):
        for place, compression in enumerate(COMPRESSIONS):
            for step, (arm, colour) in enumerate(_COLOURS.items()):
                mine = table[(table.compression == compression) & (table.arm == arm)]
                mine = mine[mine.epochs == (0 if arm == NONE else count)]
                x = place + (step - len(_COLOURS) // 2) * 0.13
                axes.scatter(
                    [x] * len(mine),
                    100 * mine.test,
                    s=16,
                    color=colour,
                    marker=_MARKERS[arm],
                    alpha=0.7,
                    linewidths=0.8 if arm == NONE else 0,
                    label=arm if place == 0 else None,
                )
                axes.hlines(100 * mine.test.mean(), x - 0.055, x + 0.055, color=colour, linewidth=2)
            if place:
                axes.axvline(place - 0.5, color="#dddddd", linewidth=0.8)
        axes.set_xlim(-0.5, len(COMPRESSIONS) - 0.5)
        axes.set_xticks(range(len(COMPRESSIONS)), list(COMPRESSIONS))
        axes.set_title(f"epochs of fine-tuning: {count}", fontsize=10)
        axes.grid(visible=True, axis="y", linewidth=0.4, alpha=0.4)
    panels[0].set_ylabel("test accuracy [%]; bars: mean")
    seeds = table.seed.nunique()
    figure.suptitle(f"{study}: compensation after pruning, seeds: {seeds}", fontsize=11)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=7, fontsize=8
    )
    figure.savefig(file, format="png")
