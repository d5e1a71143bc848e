"""Synaptic elements: how many synapses each neuron may have, which of them break, and how vacant ones join.

Butz and van Ooyen 2013, doi:10.1371/journal.pcbi.1003259, as in NEST (Diaz-Pier et al. 2016,
doi:10.3389/fnana.2016.00057): first axonal elements that are too many break, then dendritic ones; what was freed is
vacant at once; then vacant axonal and dendritic elements are shuffled and join in pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.structure.looks import Look
from neurosim.engine.structure.partners import Near, allowed_pairs, is_first, places_of
from neurosim.graph.distance_kernels import DistanceKernel
from neurosim.graph.population import Population, Slots
from neurosim.graph.projection import Projection
from neurosim.graph.space import Points
from neurosim.graph.structure import BoundStructure

Index = NDArray[np.int64]
Dying = dict[str, tuple[Slots, Index]]


_ROUNDS = 50
_MOST = 2.0**40  # elements of one neuron


class Elements:
    """The elements of all neurons that a rule serves, after what has to break is broken: ``dying``."""

    def __init__(self, rule: BoundStructure, look: Look, dying: Dying) -> None:
        self._rule, self._look = rule, look
        self.dying = dict(dying)
        sides = [("pre", rule.sources), ("post", rule.targets)]
        self._connected = {(side, p.name): self._staying_of_each(side, p) for side, ps in sides for p in ps}
        self._offered: dict[tuple[str, str], Index] = {}
        for side, populations in sides:
            for population in populations:
                self._break(side, population)

    def _break(self, side: str, population: Population) -> None:
        """Break random synapses of neurons that have more than they may on one side."""
        slots = self._look.living(population)
        limits = [self._number(clause, population, slots) for clause in (f"most_{side}", f"offers_{side}")]
        known = [limit for limit in limits if limit is not None]
        if not known:
            return
        allowed = np.minimum.reduce(known)
        excess = np.zeros(population.n_slots, np.int64)
        excess[slots] = self._connected[side, population.name][slots] - allowed
        if (excess > 0).any():
            self._break_random(side, population, slots, excess)
        if limits[1] is not None:
            self._offered[side, population.name] = limits[1]

    def _number(self, clause: str, population: Population, slots: Slots) -> Index | None:
        """A clause as whole numbers, at least 0, in the order of ids; None where the rule does not have it."""
        if (clause, population.name) not in self._rule.expressions:
            return None
        values = self._look.of_neurons(clause, population, slots)
        return np.where(values > 0.0, np.minimum(values, _MOST), 0.0).astype(np.int64)  # and 0 where it is no number

    def _projections(self, side: str, population: Population) -> list[Projection]:
        return [p for p in self._rule.projections if (p.source if side == "pre" else p.target) is population]

    def _staying_of_each(self, side: str, population: Population) -> Index:
        """Synapses that stay, of each slot, on one side."""
        degree = "out_degree" if side == "pre" else "in_degree"
        staying: Index = self._look.column(population, degree).astype(np.int64)
        for projection in self._projections(side, population):
            if projection.name in self.dying:
                rows, places = self.dying[projection.name]
                ends = rows if side == "pre" else projection.store.columns["post"][places]
                staying -= np.bincount(ends, minlength=population.n_slots)
        return staying

    def _break_random(self, side: str, population: Population, slots: Slots, excess: Index) -> None:
        candidates = [self._staying(side, p, slots, excess) for p in self._projections(side, population)]
        owner = np.concatenate([owners for _, _, owners in candidates])
        keys = self._look.stream(f"break_{side} {population.name}").random(owner.size)
        order = np.lexsort((keys, owner))
        sorted_owner = owner[order]
        first = np.searchsorted(sorted_owner, sorted_owner)  # where the owner's synapses begin
        broken = np.zeros(owner.size, bool)
        broken[order] = np.arange(owner.size) - first < excess[sorted_owner]
        begin = 0
        for projection, (rows, places, _) in zip(self._projections(side, population), candidates, strict=True):
            mine = broken[begin : begin + rows.size]
            begin += rows.size
            self._note(projection, rows[mine], places[mine])

    def _staying(self, side: str, projection: Projection, slots: Slots, excess: Index) -> tuple[Slots, Index, Index]:
        """Row, place and owner of the synapses of neurons with too many, less those that die already; by source id."""
        store = projection.store
        if side == "pre":
            rows, places = store.places(slots[excess[slots] > 0])
        else:
            rows, places = store.places_onto(excess > 0)
            ids = projection.source.columns["id"][rows]
            if (ids[1:] < ids[:-1]).any():  # slots that were used again
                order = np.argsort(ids, kind="stable")
                rows, places = rows[order], places[order]
        if projection.name in self.dying:
            stays = ~np.isin(places, self.dying[projection.name][1])
            rows, places = rows[stays], places[stays]
        owner = rows if side == "pre" else store.columns["post"][places].astype(np.int64)
        return rows, places, owner

    def _note(self, projection: Projection, rows: Slots, places: Index) -> None:
        """Add to those that die, kept in the order of source ids and along rows."""
        source, target = projection.source, projection.target
        self._connected["pre", source.name] -= np.bincount(rows, minlength=source.n_slots)
        posts = projection.store.columns["post"][places]
        self._connected["post", target.name] -= np.bincount(posts, minlength=target.n_slots)
        before = self.dying.get(projection.name)
        if before is not None:
            rows, places = np.concatenate([before[0], rows]), np.concatenate([before[1], places])
            order = np.lexsort((places, source.columns["id"][rows]))
            rows, places = rows[order], places[order]
        self.dying[projection.name] = (rows, places)

    # -- vacant elements ------------------------------------------------------------------------------------------

    def joined(self) -> list[tuple[Projection, Slots, Slots]]:
        """Vacant elements of both sides joined at random, projection by projection."""
        stream = self._look.stream("offers")
        axons = self._vacant("pre", self._rule.sources)
        dendrites = self._vacant("post", self._rule.targets)
        match = _at_random if self._rule.kernel is None else partial(_nearby, self._rule.kernel)
        first, second = match(axons, dendrites, stream)
        of_axon, rows = axons.of[first], axons.slots[first]
        of_dendrite, posts = dendrites.of[second], dendrites.slots[second]
        pairs = []
        for projection in self._rule.projections:
            mine = of_axon == self._rule.sources.index(projection.source)
            mine &= of_dendrite == self._rule.targets.index(projection.target)
            pre, post = rows[mine], posts[mine]
            order = np.argsort(projection.source.columns["id"][pre], kind="stable")
            pre, post = pre[order], post[order]
            allowed = allowed_pairs(self._rule, projection, pre, post)
            if not self._rule.multapses:
                allowed &= is_first(pre * projection.target.n_slots + post)
            pairs.append((projection, pre[allowed], post[allowed]))
        return pairs

    def _vacant(self, side: str, populations: list[Population]) -> Vacant:
        """The vacant elements of one side."""
        slots = [self._look.living(population) for population in populations]
        free = [
            np.maximum(self._offered[side, population.name] - self._connected[side, population.name][mine], 0)
            for population, mine in zip(populations, slots, strict=True)
        ]
        of = np.repeat(np.arange(len(slots)), [part.size for part in slots])
        everybody = Vacant(populations, of, np.concatenate(slots), np.concatenate(free))
        return everybody.take(everybody.free > 0)


@dataclass(frozen=True)
class Vacant:
    """Neurons with vacant elements: the number of their population, their slots, and how many elements each has."""

    populations: list[Population]
    of: Index
    slots: Slots
    free: Index

    def take(self, chosen: NDArray[np.bool_]) -> Vacant:
        """Some of the neurons."""
        return Vacant(self.populations, self.of[chosen], self.slots[chosen], self.free[chosen])

    @property
    def places(self) -> Points:
        """Where the neurons are (um), shape (n, 3)."""
        return places_of(self.populations, self.of, self.slots)


def _at_random(axons: Vacant, dendrites: Vacant, stream: np.random.Generator) -> tuple[Index, Index]:
    """Pairs of neurons (by number), as many as the fewer vacant elements: each of those with one of the others."""
    many = axons.free.sum() > dendrites.free.sum()
    few, others = (dendrites, axons) if many else (axons, dendrites)
    all_of_few = np.repeat(np.arange(few.free.size), few.free)
    n_others = int(others.free.sum())
    drawn = stream.choice(n_others, all_of_few.size, replace=False)
    if n_others < 32 * drawn.size:  # then a list of all of them is cheaper than looking each up
        partners = np.repeat(np.arange(others.free.size), others.free)[drawn]
    else:
        partners = np.searchsorted(np.cumsum(others.free), drawn, side="right")
    return (partners, all_of_few) if many else (all_of_few, partners)


def _nearby(
    kernel: DistanceKernel, axons: Vacant, dendrites: Vacant, stream: np.random.Generator
) -> tuple[Index, Index]:
    """Pairs of neurons (by number), each vacant axonal element with a dendritic one chosen by distance.

    All choose a neuron at once, in proportion to the kernel and to its vacant elements; where more have chosen one
    than it can take, chance decides, and the others choose again among what is left.
    """
    near, free = Near(kernel, axons.places, dendrites.places), dendrites.free
    waiting = stream.permutation(np.repeat(np.arange(axons.free.size), axons.free))
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for _ in range(_ROUNDS):
        if not waiting.size or not free.any():
            break
        chosen = near.choose(waiting, stream, free.astype(np.float64))
        waiting, chosen = waiting[chosen >= 0], chosen[chosen >= 0]
        order = np.argsort(chosen, kind="stable")  # those who wait are in random order
        turn = np.empty(chosen.size, np.int64)
        turn[order] = np.arange(chosen.size) - np.searchsorted(chosen[order], chosen[order])
        lucky = turn < free[chosen]
        first.append(waiting[lucky])
        second.append(chosen[lucky])
        free, waiting = free - np.bincount(chosen[lucky], minlength=free.size), waiting[~lucky]
    return np.concatenate(first), np.concatenate(second)
