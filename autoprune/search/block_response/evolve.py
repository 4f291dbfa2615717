"""Evolve: candidates, bred for what they are expected to gain.

Parents are the trials on the fronts and a few draws. A child is a parent of which some parameters
are moved, a parameter of a kind of parts is moved in all of them, a part is set as another of its
kind, or some parts are taken from another parent. Those of most expected gain are the next parents
(an evolution strategy with recombination; Beyer and Schwefel, Natural Computing 1, 2002).
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from autoprune.search.block_response.axis import Point
from autoprune.search.block_response.model import Model
from autoprune.search.block_response.parts import Kind

GENERATIONS, CHILDREN, PARENTS, DRAWS = 10, 120, 40, 40

Genes = NDArray[np.intp]
"""Configurations as places in the lists of values: rows x parameters."""


@final
class Pool:
    """Candidates and what they are expected to gain, the best first.

    Attributes:
        genes, gains: of the candidates.
    """

    def __init__(self, model: Model, kinds: list[Kind], rng: np.random.Generator) -> None:
        self._rng, trials = rng, model.trials
        self._places = [kind.places for kind in kinds]
        self._names = [*trials.axes]
        known = model.front_points
        axes = [*trials.axes.values()]
        self._values: list[list[Any]] = [[] for _ in axes]
        for column in (column for places in self._places for column in places.T):
            # Parts of a kind have one list, so that a part can be set as another.
            axis = axes[column[0]]
            offered = axis.values(rng)
            more = {point[self._names[i]] for point in known for i in column} - {*offered}
            shared = sorted([*offered, *more]) if axis.ordered else offered
            for i in column:
                self._values[i] = shared
        self._counts = np.array([len(values) for values in self._values])
        self._ordered = np.array([axis.ordered for axis in axes])
        self._parts = np.empty(len(self._names), dtype=np.intp)
        for index, member in enumerate(m for kind in kinds for m in kind.members):
            self._parts[[*member]] = index
        self._numbers = [a.numbers(v) for a, v in zip(axes, self._values, strict=True)]
        rows = [
            [v.index(p[n]) for n, v in zip(self._names, self._values, strict=True)] for p in known
        ]
        first = np.array(rows, dtype=np.intp).reshape(-1, len(self._names))
        self._seen: set[bytes] = set()
        self.genes, self.gains = first[:0], np.zeros(0)
        drawn = rng.integers(self._counts, size=(DRAWS, len(self._counts)))
        self._add(model, np.vstack([first, drawn]))
        for _ in range(GENERATIONS):
            self._add(model, self._children(np.vstack([self.genes[:PARENTS], first])))

    def point(self, index: int) -> Point:
        """A candidate as Optuna has it."""
        row = self.genes[index]
        return {n: v[i] for n, v, i in zip(self._names, self._values, row, strict=True)}

    def _add(self, model: Model, genes: Genes) -> None:
        """Take candidates in that are not there yet, and keep the best first."""
        new = []
        for index, row in enumerate(genes):
            if (key := row.tobytes()) not in self._seen:
                self._seen.add(key)
                new.append(index)
        if not new:
            return
        genes = genes[new]
        numbers = np.stack([own[genes[:, i]] for i, own in enumerate(self._numbers)], axis=1)
        gains = np.r_[self.gains, model.gain(numbers)]
        order = np.argsort(-gains, kind="stable")
        self.genes, self.gains = np.vstack([self.genes, genes])[order], gains[order]

    def _children(self, parents: Genes) -> Genes:
        """Each changed in one way, some in two."""
        child = parents[self._rng.integers(len(parents), size=CHILDREN)]
        for share in (1.0, 0.4):
            way = self._rng.random(CHILDREN) / share
            self._move_parameters(child, np.flatnonzero(way < 0.45))
            self._move_kinds(child, np.flatnonzero((way >= 0.45) & (way < 0.65)))
            self._copy_parts(child, np.flatnonzero((way >= 0.65) & (way < 0.8)))
            self._recombine(child, np.flatnonzero((way >= 0.8) & (way < 1)), parents)
        return child

    def _move_parameters(self, child: Genes, rows: NDArray[np.intp]) -> None:
        """One to three parameters, numbers often to a value close by."""
        rng = self._rng
        for share in (1.0, 0.67, 0.5):
            rows = rows[rng.random(len(rows)) < share]
            places = rng.integers(len(self._counts), size=len(rows))
            most = self._counts[places] - 1
            near = np.clip(child[rows, places] + rng.choice([-2, -1, 1, 2], len(rows)), 0, most)
            close = self._ordered[places] & (rng.random(len(rows)) < 0.7)
            child[rows, places] = np.where(close, near, rng.integers(most + 1))

    def _move_kinds(self, child: Genes, rows: NDArray[np.intp]) -> None:
        """One parameter in all parts of a kind, or in about half of them."""
        rng = self._rng
        for row in rows:
            members = self._places[rng.integers(len(self._places))]
            places = members[:, rng.integers(members.shape[1])]
            if rng.random() < 0.5:
                places = places[rng.random(len(places)) < 0.5]
            by = int(rng.integers(1, 4) * rng.choice([-1, 1]))
            child[row, places] = np.clip(child[row, places] + by, 0, self._counts[places] - 1)

    def _copy_parts(self, child: Genes, rows: NDArray[np.intp]) -> None:
        """A part as another of its kind."""
        rng = self._rng
        for row in rows:
            members = self._places[rng.integers(len(self._places))]
            one, other = members[rng.integers(len(members), size=2)]
            child[row, one] = child[row, other]

    def _recombine(self, child: Genes, rows: NDArray[np.intp], parents: Genes) -> None:
        """About a third of all parts from another parent."""
        rng = self._rng
        other = parents[rng.integers(len(parents), size=len(rows))]
        taken = rng.random((len(rows), int(self._parts.max()) + 1)) < 0.3
        child[rows] = np.where(taken[:, self._parts], other, child[rows])
