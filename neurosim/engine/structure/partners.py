"""Random partners for newborn synapses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.structure.looks import Look
from neurosim.graph.distance_kernels import DistanceKernel
from neurosim.graph.population import Population, Slots
from neurosim.graph.projection import Projection
from neurosim.graph.row_search import joined
from neurosim.graph.space import Points, neighbours, points_at
from neurosim.graph.structure import BoundStructure

Index = NDArray[np.int64]

_ROUNDS = 100  # after which pairs that are not to be had are given up


class Pairs(NamedTuple):
    """Pairs of neurons: the number of their projection in the rule, and their slots."""

    of: Index
    rows: Slots
    posts: Slots

    def take(self, chosen: NDArray[np.bool_] | Index) -> Pairs:
        """Some of them."""
        return Pairs(self.of[chosen], self.rows[chosen], self.posts[chosen])


class Partners:
    """Draws pairs of living neurons that a rule may join, from all sources and all targets of its projections."""

    def __init__(self, rule: BoundStructure, look: Look) -> None:
        self._rule, self._look = rule, look
        self._sources = _everybody(look, rule.sources)
        self._targets = _everybody(look, rule.targets)
        ends = {(p.source, p.target): number for number, p in enumerate(rule.projections)}
        self._between = np.array([[ends.get((s, t), -1) for t in rule.targets] for s in rule.sources], np.int64)
        self._near: Near | None = None
        if rule.kernel is not None and self._sources[1].size and self._targets[1].size:
            places = places_of(rule.sources, *self._sources), places_of(rule.targets, *self._targets)
            self._near = Near(rule.kernel, *places)

    def drawn(self, n: int, stream: np.random.Generator) -> Pairs:
        """``n`` pairs, in the order of their sources; fewer where so many are not to be found."""
        pairs = self._pairs(n, stream)
        for _ in range(_ROUNDS):
            if pairs.rows.size == n:
                break
            more = self._pairs(n - pairs.rows.size, stream)
            pairs = self._distinct(Pairs(*map(np.concatenate, zip(pairs, more, strict=True))))
        return pairs

    def accepted(self, n: int, stream: np.random.Generator) -> Pairs:
        """Those of ``n`` random pairs that the rule accepts, each with its own probability."""
        pairs = self._pairs(n, stream)
        chance = np.zeros(pairs.rows.size)
        for number, projection in enumerate(self._rule.projections):
            mine = pairs.of == number
            chance[mine] = self._look.of_pairs("accept", projection, pairs.rows[mine], pairs.posts[mine])
        return pairs.take(stream.random(chance.size) < chance)

    def _pairs(self, n: int, stream: np.random.Generator) -> Pairs:
        """``n`` pairs less those that may not be joined; in the order of sources, so that rows are touched once."""
        (of_source, sources), (of_target, targets) = self._sources, self._targets
        if n == 0 or not sources.size or not targets.size:
            return Pairs(*(np.zeros(0, np.int64),) * 3)
        many = np.bincount(stream.integers(0, sources.size, n), minlength=sources.size)
        if self._near is None and self._between.size == 1:
            rows, posts = np.repeat(sources, many), targets[stream.integers(0, targets.size, n)]
            return self._distinct(self._allowed(Pairs(np.broadcast_to(np.int64(0), n), rows, posts)))
        pre = np.repeat(np.arange(sources.size), many)
        if self._near is None:
            post = stream.integers(0, targets.size, n)
        else:
            chosen = self._near.choose(pre, stream)
            pre, post = pre[chosen >= 0], chosen[chosen >= 0]
        if self._between.size == 1:
            pairs = Pairs(np.zeros(pre.size, np.int64), sources[pre], targets[post])
        else:
            of = self._between[of_source[pre], of_target[post]]
            pairs = Pairs(of, sources[pre], targets[post]).take(of >= 0)
        return self._distinct(self._allowed(pairs))

    def _allowed(self, pairs: Pairs) -> Pairs:
        """Less autapses, and less pairs that are joined already, where the rule may not make such."""
        loops = any(projection.source is projection.target for projection in self._rule.projections)
        if self._rule.multapses and (self._rule.autapses or not loops):
            return pairs
        free = np.ones(pairs.rows.size, bool)
        for number, projection in enumerate(self._rule.projections):
            mine = pairs.of == number
            free[mine] = allowed_pairs(self._rule, projection, pairs.rows[mine], pairs.posts[mine])
        return pairs.take(free)

    def _distinct(self, pairs: Pairs) -> Pairs:
        """Each pair once, where the rule may not join one twice."""
        if self._rule.multapses or not pairs.rows.size:
            return pairs
        keys = (pairs.of * (int(pairs.rows.max()) + 1) + pairs.rows) * (int(pairs.posts.max()) + 1) + pairs.posts
        return pairs.take(is_first(keys))


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


def allowed_pairs(rule: BoundStructure, projection: Projection, rows: Slots, posts: Slots) -> NDArray[np.bool_]:
    """Which pairs of one projection a rule may join."""
    free = np.ones(rows.size, np.uint8)
    if not rule.multapses:
        joined(projection.store.address, np.ascontiguousarray(rows), np.ascontiguousarray(posts, np.int64), free)
    allowed = free.view(bool)
    if projection.source is projection.target and not rule.autapses:
        allowed &= rows != posts
    return allowed


def is_first(keys: Index) -> NDArray[np.bool_]:
    """Which of some things come before all that equal them."""
    first = np.zeros(keys.size, bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _everybody(look: Look, populations: list[Population]) -> tuple[Index, Slots]:
    """All living neurons of several populations: which population, and slot; each population by id."""
    slots = [look.living(population) for population in populations]
    if len(slots) == 1:
        return np.broadcast_to(np.int64(0), slots[0].shape), slots[0]
    return np.repeat(np.arange(len(slots)), [part.size for part in slots]), np.concatenate(slots)


def places_of(populations: list[Population], of: Index, slots: Slots) -> Points:
    """Where they are (um), shape (n, 3)."""
    return np.concatenate([points_at(population, slots[of == k]) for k, population in enumerate(populations)])
