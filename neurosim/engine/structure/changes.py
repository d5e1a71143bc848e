"""Births and deaths that rules propose, and how they are carried out: first all deaths, then all births."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.graph.crew import Crew
from neurosim.graph.network import Network
from neurosim.graph.placement import Placement
from neurosim.graph.population import Population, Slots
from neurosim.graph.projection import Projection
from neurosim.graph.wiring import Wire

Index = NDArray[np.int64]


@dataclass(frozen=True)
class NewSynapses:
    """Pairs of living neurons (slots) to be joined, those of one source together, with weights and delays as written
    (None: the projection's own)."""

    projection: Projection
    rows: Slots
    posts: Slots
    weight: Any = None
    delay: Any = None

    def bear(self, crew: Crew) -> None:
        """Join them."""
        if self.rows.size:
            self.projection._add_at(self.rows, self.posts, self.weight, self.delay, crew)


@dataclass(frozen=True)
class NewNeurons:
    """Neurons to be born: how many, where, and who wires them once they have ids."""

    population: Population
    n: int
    positions: NDArray[np.float64] | Placement | None
    initial: Mapping[str, Any]
    wires: Sequence[Wire]
    stream: np.random.Generator

    def bear(self, crew: Crew) -> None:
        """Let them be born and wire them."""
        ids = self.population.add(self.n, positions=self.positions, **self.initial)
        for wire in self.wires:
            wire.attach(ids, self.stream)


@dataclass
class Changes:
    """What all rules that are due at one time propose; every slot and place is that of the network as it was."""

    updates: list[tuple[Population, str, Slots, NDArray[np.float64]]] = field(default_factory=list)
    dying_synapses: dict[str, list[tuple[Slots, Index]]] = field(default_factory=dict)
    dying_neurons: dict[str, list[Slots]] = field(default_factory=dict)
    births: list[NewNeurons | NewSynapses] = field(default_factory=list)

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
            self.births.append(NewSynapses(projection, rows, posts, weight, delay))

    def bear(self, newborn: NewNeurons) -> None:
        """Propose the birth of neurons."""
        if newborn.n:
            self.births.append(newborn)

    def join_in(self, others: Changes) -> None:
        """Propose what ``others`` propose, too."""
        self.updates += others.updates
        self.births += others.births
        for name, places in others.dying_synapses.items():
            self.dying_synapses.setdefault(name, []).extend(places)
        for name, slots in others.dying_neurons.items():
            self.dying_neurons.setdefault(name, []).extend(slots)

    # -- carried out ------------------------------------------------------------------------------------------------

    def carry_out(self, network: Network, crew: Crew) -> None:
        """Change the network."""
        for population, name, slots, values in self.updates:
            population.columns[name][slots] = values
        births: list[NewNeurons | NewSynapses | _Named] = [*self.births]
        if self.dying_neurons or any(isinstance(new, NewNeurons) for new in births):  # then slots do not stay
            births = [_Named(new) if isinstance(new, NewSynapses) else new for new in births]
        for name, parts in self.dying_synapses.items():
            projection = network.projections[name]
            projection._remove_at(*_from_the_ends(projection, parts), crew)
        for name, several in self.dying_neurons.items():
            population = network.populations[name]
            population.remove(population.columns["id"][np.unique(np.concatenate(several))])
        for new in births:
            new.bear(crew)


class _Named:
    """Newborn synapses by the ids of their neurons, for when slots move in between."""

    def __init__(self, new: NewSynapses) -> None:
        self.new = new
        self.pre = new.projection.source.columns["id"][new.rows]
        self.post = new.projection.target.columns["id"][new.posts]

    def bear(self, crew: Crew) -> None:
        """Join those who still live."""
        projection, new = self.new.projection, self.new
        network = projection.network
        rows, posts = network._slots_of(projection.source, self.pre), network._slots_of(projection.target, self.post)
        alive = (rows >= 0) & (posts >= 0)
        NewSynapses(projection, rows[alive], posts[alive], new.weight, new.delay).bear(crew)


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
