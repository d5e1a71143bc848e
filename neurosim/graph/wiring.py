"""How newborn neurons are wired: synapses to and from random partners, by projection.

    wire: {ee: {incoming: 10, outgoing: 5, weight: 0.2 mV}, ie: {incoming: 4}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import InvalidInput, unknown
from neurosim.graph.checks import whole
from neurosim.graph.distributions import distribution
from neurosim.graph.population import Ids, Population
from neurosim.graph.projection import Projection

if TYPE_CHECKING:
    from neurosim.graph.network import Network

_KEYS = ("incoming", "outgoing", "weight", "delay")


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
            if not n or not others.size:
                continue
            partners = others[stream.integers(0, others.size, own.size)]
            apart = partners != own
            ends = (partners[apart], own[apart]) if side == "incoming" else (own[apart], partners[apart])
            self.projection.add(*ends, weight=self.weight, delay=self.delay)


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
    for key, unit in (("weight", projection.weight_unit), ("delay", "ms")):
        if key in given:
            distribution(given[key], unit, f"{key} of {owner}.{name}")
    return Wire(projection, counts["incoming"], counts["outgoing"], given.get("weight"), given.get("delay"))
