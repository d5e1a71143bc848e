"""Births and deaths that rules propose, and how they are carried out: first all deaths, then all births."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.graph.network import Network
from neurosim.graph.placement import Placement
from neurosim.graph.population import Population, Slots
from neurosim.graph.projection import Projection
from neurosim.graph.wiring import Wire

Index = NDArray[np.int64]


@dataclass(frozen=True)
class NewSynapses:
    """Pairs of living neurons (slots) to be joined, with weights and delays as written (None: the projection's own)."""

    projection: Projection
    rows: Slots
    posts: Slots
    weight: Any = None
    delay: Any = None


@dataclass(frozen=True)
class NewNeurons:
    """Neurons to be born: how many, where, and who wires them once they have ids."""

    population: Population
    n: int
    positions: NDArray[np.float64] | Placement | None
    initial: Mapping[str, Any]
    wires: Sequence[Wire]
    stream: np.random.Generator


@dataclass
class Changes:
    """What all rules that are due at one time propose; every slot and place is that of the network as it was."""

    updates: list[tuple[Population, str, Slots, NDArray[np.float64]]] = field(default_factory=list)
    dying_synapses: dict[str, list[tuple[Slots, Index]]] = field(default_factory=dict)
    dying_neurons: dict[str, list[Slots]] = field(default_factory=dict)
    newborn_neurons: list[NewNeurons] = field(default_factory=list)
    newborn_synapses: list[NewSynapses] = field(default_factory=list)

    def kill_synapses(self, projection: Projection, rows: Slots, places: Index) -> None:
        """Propose the death of synapses, given in the order of source ids and along rows."""
        if places.size:
            self.dying_synapses.setdefault(projection.name, []).append((rows, places))

    def kill_neurons(self, population: Population, slots: Slots) -> None:
        """Propose the death of neurons."""
        if slots.size:
            self.dying_neurons.setdefault(population.name, []).append(slots)

    def join(self, projection: Projection, rows: Slots, posts: Slots, weight: Any, delay: Any) -> None:
        """Propose the birth of synapses."""
        if rows.size:
            self.newborn_synapses.append(NewSynapses(projection, rows, posts, weight, delay))

    # -- carried out ------------------------------------------------------------------------------------------------

    def carry_out(self, network: Network) -> None:
        """Change the network."""
        for population, name, slots, values in self.updates:
            population.columns[name][slots] = values
        moved = bool(self.dying_neurons or self.newborn_neurons)  # then slots do not stay what they are
        joins = [_Named(new) for new in self.newborn_synapses] if moved else []
        for name, parts in self.dying_synapses.items():
            projection = network.projections[name]
            projection._remove_at(*_from_the_ends(projection, parts))
        for name, several in self.dying_neurons.items():
            population = network.populations[name]
            population.remove(population.columns["id"][np.unique(np.concatenate(several))])
        for newborn in self.newborn_neurons:
            ids = newborn.population.add(newborn.n, positions=newborn.positions, **newborn.initial)
            for wire in newborn.wires:
                wire.attach(ids, newborn.stream)
        for new in (named.now() for named in joins) if moved else iter(self.newborn_synapses):
            if new.rows.size:
                new.projection._add_at(new.rows, new.posts, new.weight, new.delay)


class _Named:
    """Newborn synapses by the ids of their neurons, for when slots move in between."""

    def __init__(self, new: NewSynapses) -> None:
        self.new = new
        self.pre = new.projection.source.columns["id"][new.rows]
        self.post = new.projection.target.columns["id"][new.posts]

    def now(self) -> NewSynapses:
        """The same by slots as they are now; without those who have died meanwhile."""
        projection, new = self.new.projection, self.new
        network = projection.network
        rows, posts = network._slots_of(projection.source, self.pre), network._slots_of(projection.target, self.post)
        alive = (rows >= 0) & (posts >= 0)
        return NewSynapses(projection, rows[alive], posts[alive], new.weight, new.delay)


def _from_the_ends(projection: Projection, parts: list[tuple[Slots, Index]]) -> tuple[Slots, Index]:
    """Every place once, the last of a row first."""
    if len(parts) == 1:
        rows, places = parts[0]
        return np.ascontiguousarray(rows[::-1]), np.ascontiguousarray(places[::-1])
    rows, places = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    places, first = np.unique(places, return_index=True)
    rows = rows[first]
    order = np.lexsort((places, projection.source.columns["id"][rows]))[::-1]
    return rows[order], places[order]


