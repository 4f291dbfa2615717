"""Candidates: the predicted front, neighbours of it and of the front so far, and a few draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoprune.search.block_response.axis import Array, Point
from autoprune.search.block_response.knapsack import Indices, solve
from autoprune.search.block_response.model import Model

CELLS = 192
"""Cells of cost in the knapsack, hence solutions of one front."""

SETTINGS = 256
"""Settings of a part that are drawn each time; all of one that has no more."""

OPTIONS = 24
"""At most so many settings of one part go into the knapsack."""

KEPT = 64
"""So many solutions of each front become candidates."""

NEIGHBOURS = 128
DRAWS = 64


def candidates(model: Model, rng: np.random.Generator) -> list[Point]:
    """Configurations among which the next trial is chosen; several may be equal."""
    values = {name: axis.values(rng) for name, axis in model.trials.axes.items()}
    solved = _solutions(model, values, rng)
    parents = [*_front_points(model), *solved]
    return [
        *solved,
        *(_neighbour(parents[i], values, rng) for i in rng.integers(len(parents), size=NEIGHBOURS)),
        *({n: v[rng.integers(len(v))] for n, v in values.items()} for _ in range(DRAWS)),
    ]


def _solutions(model: Model, values: dict[str, list[Any]], rng: np.random.Generator) -> list[Point]:
    """The knapsacks of all fronts."""
    settings, effects = [], []
    for names, columns in zip(model.parts, model.columns, strict=True):
        grid = _settings([len(values[n]) for n in names], rng)
        axes = [model.trials.axes[n] for n in names]
        known = [a.rows(a.numbers(values[n])) for a, n in zip(axes, names, strict=True)]
        x = np.hstack([rows[grid[:, k]] for k, rows in enumerate(known)])
        fits = (model.responses, *model.limits)
        settings.append((names, grid))
        effects.append(np.hstack([fit.additive(x, columns) for fit in fits]))
    found = []
    for front in model.fronts:
        for row in _solve(model, front, effects):
            parts = [(names, grid[i]) for i, (names, grid) in zip(row, settings, strict=True)]
            found.append(
                {n: values[n][v] for names, own in parts for n, v in zip(names, own, strict=True)}
            )
    return found


def _settings(counts: list[int], rng: np.random.Generator) -> Indices:
    """The settings of a part as indices of values: all of them, or a draw where there are many."""
    if np.prod(counts, dtype=float) <= SETTINGS:
        return np.indices(counts).reshape(len(counts), -1).T
    return np.stack([rng.integers(count, size=SETTINGS) for count in counts], axis=1)


def _solve(model: Model, front: list[int], effects: list[Array]) -> Indices:
    """Chosen settings of every part along a front: its first objective is the loss."""
    count = model.values.shape[1]
    chosen = [*front, *range(count, effects[0].shape[1])]
    kept = [_worthwhile(effect[:, chosen]) for effect in effects]
    tables = [effect[rows][:, chosen] for effect, rows in zip(effects, kept, strict=True)]
    limits = np.full(len(chosen), np.inf)
    limits[len(front) :] = [-limit.constant for limit in model.limits]
    choices, sums = solve(tables, limits, CELLS)
    if not len(choices):  # nothing is predicted to keep the budgets: any way is a way forward
        choices, sums = solve(tables, np.full(len(limits), np.inf), CELLS)
    order = np.lexsort((sums[:, 0], sums[:, 1] if sums.shape[1] > 1 else sums[:, 0]))
    some = order[np.unique(np.linspace(0, len(order) - 1, KEPT).astype(int))]
    return np.stack([rows[choices[some, k]] for k, rows in enumerate(kept)], axis=1)


def _worthwhile(table: Array) -> Indices:
    """The settings of a part with the least loss, one in each of OPTIONS cells of cost."""
    if len(table) <= OPTIONS:
        return np.arange(len(table))
    choices, _ = solve([table], np.full(table.shape[1], np.inf), OPTIONS)
    return choices[:, 0]


def _front_points(model: Model) -> list[Point]:
    """Trials on any of the fronts."""
    trials = model.trials
    places = [sorted(trials.front(front)) for front in model.fronts]
    return [trials.points[trials.finished[place]] for front in places for place in front]


def _neighbour(point: Point, values: dict[str, list[Any]], rng: np.random.Generator) -> Point:
    """`point` with one or two parameters changed, numbers often to a value close by."""
    changed, names = dict(point), list(values)
    for _ in range(int(rng.integers(1, 3))):
        name = names[rng.integers(len(names))]
        offered = values[name]
        if isinstance(offered[0], int | float) and rng.random() < 0.5:
            near = min(range(len(offered)), key=lambda i: abs(offered[i] - changed[name]))
            place = min(max(near + (1 if rng.random() < 0.5 else -1), 0), len(offered) - 1)
        else:
            place = int(rng.integers(len(offered)))
        changed[name] = offered[place]
    return changed
