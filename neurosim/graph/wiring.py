"""Where newborn neurons lie, and how they are wired.

    place: {near: {spread: 20 um}}                                               about parents drawn from the living
    wire: {ee: {incoming: 10, outgoing: 5, weight: 0.2 mV}, ie: {incoming: 4}}   random partners, by projection
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.graph.checks import whole
from neurosim.graph.distance_kernels import DistanceKernel, distance_kernel
from neurosim.graph.placement import Placement, placement
from neurosim.graph.placement.near import Near
from neurosim.graph.population import Ids, Population
from neurosim.graph.projection import Projection
from neurosim.graph.space import points_at
from neurosim.graph.structure_options import check_newborns
from neurosim.units import quantity

if TYPE_CHECKING:
    from neurosim.graph.network import Network

_KEYS = ("incoming", "outgoing", "weight", "delay")


@dataclass(frozen=True)
class Nearby:
    """About parents that are drawn from the population when a neuron is born; ``spread`` in um."""

    spread: float
    flat: bool = False

    @classmethod
    def read(cls, written: Any, owner: str) -> Nearby:
        """Read ``{spread: 20 um, flat: true}`` or a spread; raises UnknownName or UsageError."""
        given = written if isinstance(written, Mapping) else {"spread": written}
        for key in given:
            if key not in ("spread", "flat", "parents"):
                raise unknown("parameter", str(key), ("spread", "flat"), f"of near in {owner}")
        spread = quantity(given.get("spread", 0.0), "um", f"{owner}, place.near.spread")
        if spread < 0.0:
            raise InvalidInput(f"{owner}: place.near.spread must be 0 or more; found {spread:g} um.")
        return cls(spread, bool(given.get("flat", False)))

    def draw(self, population: Population, n: int, stream: np.random.Generator) -> NDArray[np.float64]:
        """Positions (um) of ``n`` newborns, shape (n, 3); ``UsageError`` where there is no parent."""
        parents = population.ids
        if not parents.size:
            raise UsageError(f"'{population.name}' has no neurons left to be parents of newborns.")
        chosen = population.slots(parents[stream.integers(0, parents.size, n)])
        return Near(points_at(population, chosen), self.spread, self.flat).draw(n, stream)


@dataclass(frozen=True)
class Wire:
    """Synapses that each newborn neuron gets in one projection; weight and delay None are the projection's own."""

    projection: Projection
    incoming: int
    outgoing: int
    weight: Any = None
    delay: Any = None

    def attach(self, ids: Ids, stream: np.random.Generator) -> None:
        """Join newborn neurons to partners drawn from all that live, themselves excepted."""
        for side, n in (("incoming", self.incoming), ("outgoing", self.outgoing)):
            others = (self.projection.source if side == "incoming" else self.projection.target).ids
            own = np.repeat(ids, n)
            place = np.searchsorted(others, own)  # of the neuron itself, where it is one of them
            among = others.take(place, mode="clip") == own if others.size else np.zeros(own.size, bool)
            if not n or others.size <= int(among.any()):
                continue
            drawn = stream.integers(0, others.size - among)
            partners = others[drawn + (among & (drawn >= place))]
            pre, post = (partners, own) if side == "incoming" else (own, partners)
            self.projection.add(pre, post, weight=self.weight, delay=self.delay)


def read_place(population: Population | None, written: Any, owner: str) -> Placement | Nearby | None:
    """Where newborn neurons lie; None for wherever the population's own placement says.

    Raises InvalidInput where they would have nowhere to be.
    """
    assert population is not None
    placed = "x" in population.columns
    if written is None:
        if placed and (population.placement is None or not population.placement.open):
            raise InvalidInput(
                f"{owner}: newborns have nowhere to be: '{population.name}' has positions, but no placement that has "
                "room. Say place: {near: {spread: 20 um}}, or another placement."
            )
        return None
    if not placed:
        raise InvalidInput(f"{owner} has a place, but '{population.name}' has no positions.")
    if isinstance(written, Mapping) and set(written) == {"near"} and "parents" not in (written["near"] or {}):
        return Nearby.read(written["near"], owner)
    return placement(written)


def read_kernel(projections: Sequence[Projection], written: Any, owner: str) -> DistanceKernel | None:
    """How the choice of partners falls off with distance; None where it does not."""
    if written is None:
        return None
    for population in (end for projection in projections for end in (projection.source, projection.target)):
        if "x" not in population.columns:
            raise InvalidInput(f"{owner}: partners are chosen by distance, but '{population.name}' has no positions.")
    return distance_kernel(written)


def read_wires(network: Network, population: Population, written: Any, owner: str) -> tuple[Wire, ...]:
    """Read ``{projection: {incoming: n, outgoing: n, …}}``; raises InvalidInput or UnknownName."""
    if written is None:
        return ()
    if not isinstance(written, Mapping):
        raise InvalidInput(f"{owner}: wire is written as {{projection: {{incoming: n}}}}; found {written!r:.60}.")
    return tuple(_wire(network, population, name, given, f"{owner}, wire") for name, given in written.items())


def _wire(network: Network, population: Population, name: Any, given: Any, owner: str) -> Wire:
    if isinstance(name, Projection):
        name = name.name
    if name not in network.projections:
        raise unknown("projection", str(name), network.projections)
    projection = network.projections[name]
    if not isinstance(given, Mapping) or not given:
        raise InvalidInput(f"{owner}.{name}: say how many: {{incoming: n}} or {{outgoing: n}}; found {given!r:.60}.")
    for key in given:
        if key not in _KEYS:
            raise unknown("key", str(key), _KEYS, f"in {owner}.{name}")
    counts = {key: whole(given.get(key, 0), f"{owner}.{name}.{key}") for key in ("incoming", "outgoing")}
    for key, end in (("incoming", projection.target), ("outgoing", projection.source)):
        if counts[key] and end is not population:
            raise InvalidInput(f"{owner}.{name}: its {key} synapses are not those of '{population.name}'.")
    check_newborns((projection,), given, projection.weight_unit, f"{owner}.{name}")
    return Wire(projection, counts["incoming"], counts["outgoing"], given.get("weight"), given.get("delay"))
