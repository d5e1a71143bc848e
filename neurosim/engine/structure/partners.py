"""Random partners for newborn synapses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.structure.looks import Look
from neurosim.graph.population import Slots
from neurosim.graph.projection import Projection
from neurosim.graph.row_edits import joined
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
        rows, posts = np.repeat(self._source, many), self._target[stream.integers(0, self._target.size, n)]
        allowed = allowed_pairs(self._rule, self._projection, rows, posts)
        return self._distinct(*((rows, posts) if allowed is None else (rows[allowed], posts[allowed])))

    def _distinct(self, rows: Slots, posts: Slots) -> tuple[Slots, Slots]:
        """Each pair once, where the rule may not join one twice."""
        if self._rule.multapses:
            return rows, posts
        _, first = np.unique(rows * self._projection.target.n_slots + posts, return_index=True)
        first.sort()
        return rows[first], posts[first]


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
