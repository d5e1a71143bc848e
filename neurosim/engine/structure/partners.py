"""Random partners for newborn synapses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.structure.looks import Look
from neurosim.graph.distance_kernels import DistanceKernel
from neurosim.graph.population import Slots
from neurosim.graph.projection import Projection
from neurosim.graph.row_edits import joined
from neurosim.graph.space import Points, neighbours, points_at
from neurosim.graph.structure import BoundStructure

Index = NDArray[np.int64]

_ROUNDS = 100  # after which pairs that are not to be had are given up


class Partners:
    """Draws pairs of neurons (slots) that a rule may join; ``source`` and ``target`` are the slots of the living."""

    def __init__(
        self, rule: BoundStructure, projection: Projection, look: Look, source: Slots, target: Slots
    ) -> None:
        self._rule, self._projection, self._look = rule, projection, look
        self._source, self._target = source, target
        self._near: Near | None = None
        if rule.kernel is not None and source.size and target.size:
            points = points_at(projection.source, source), points_at(projection.target, target)
            self._near = Near(rule.kernel, *points)

    def drawn(self, n: int, stream: np.random.Generator) -> tuple[Slots, Slots]:
        """``n`` pairs, in the order of their sources; fewer where so many are not to be found."""
        if n == 0 or not self._source.size or not self._target.size:
            return self._source[:0], self._target[:0]
        rows, posts = self._pairs(n, stream)
        for _ in range(_ROUNDS):
            if rows.size == n:
                break
            more = self._pairs(n - rows.size, stream)
            rows, posts = self._distinct(np.concatenate([rows, more[0]]), np.concatenate([posts, more[1]]))
        return rows, posts

    def accepted(self, n: int, stream: np.random.Generator) -> tuple[Slots, Slots]:
        """Those of ``n`` random pairs that the rule accepts, each with its own probability."""
        if n == 0 or not self._source.size or not self._target.size:
            return self._source[:0], self._target[:0]
        rows, posts = self._pairs(n, stream)
        chance = self._look.of_pairs("accept", self._projection, rows, posts)
        chosen = stream.random(rows.size) < chance
        return rows[chosen], posts[chosen]

    def _pairs(self, n: int, stream: np.random.Generator) -> tuple[Slots, Slots]:
        """``n`` pairs less those that may not be joined; sorted by source, so that rows are touched once."""
        many = np.bincount(stream.integers(0, self._source.size, n), minlength=self._source.size)
        rows = np.repeat(self._source, many)
        if self._near is None:
            posts = self._target[stream.integers(0, self._target.size, n)]
        else:
            chosen = self._near.choose(np.repeat(np.arange(self._source.size), many), stream)
            rows, posts = rows[chosen >= 0], self._target[chosen[chosen >= 0]]
        allowed = allowed_pairs(self._rule, self._projection, rows, posts)
        return self._distinct(*((rows, posts) if allowed is None else (rows[allowed], posts[allowed])))

    def _distinct(self, rows: Slots, posts: Slots) -> tuple[Slots, Slots]:
        """Each pair once, where the rule may not join one twice."""
        if self._rule.multapses:
            return rows, posts
        _, first = np.unique(rows * self._projection.target.n_slots + posts, return_index=True)
        first.sort()
        return rows[first], posts[first]


class Near:
    """Chooses among ``points`` in proportion to a kernel of the distance from one of ``centres``, (n, 3) in um.

    Only those within the reach of the kernel are looked at.
    """

    def __init__(self, kernel: DistanceKernel, centres: Points, points: Points) -> None:
        found = neighbours(centres, points, kernel.reach)
        self._begin, self._indices = found.indptr, found.indices
        self._kernel = kernel(found.distance)

    def choose(
        self, centres: Index, stream: np.random.Generator, share: NDArray[np.float64] | None = None
    ) -> Index:
        """A point for each of ``centres`` (given by number), -1 where none is in reach.

        ``share``: further weights of the points, as many as there are.
        """
        weights = self._kernel if share is None else self._kernel * share[self._indices]
        reached = np.concatenate([np.zeros(1), np.cumsum(weights)])
        low, high = reached[self._begin[centres]], reached[self._begin[centres + 1]]
        drawn = low + stream.random(centres.size) * (high - low)
        place = np.searchsorted(reached, drawn, side="right") - 1
        place = np.clip(place, self._begin[centres], np.maximum(self._begin[centres + 1] - 1, 0))
        return np.where(high > low, self._indices[place] if self._indices.size else -1, -1)


def allowed_pairs(
    rule: BoundStructure, projection: Projection, rows: Slots, posts: Slots
) -> NDArray[np.bool_] | None:
    """Which pairs a rule may join; None for all of them."""
    loops = projection.source is projection.target and not rule.autapses
    if rule.multapses:
        return rows != posts if loops else None
    free = np.ones(rows.size, np.uint8)
    joined(projection.store.address, np.ascontiguousarray(rows), np.ascontiguousarray(posts, np.int64), free)
    return free.view(bool) & (rows != posts) if loops else free.view(bool)
