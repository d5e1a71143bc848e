"""Expectations about structure: births and deaths between two times, degrees, and who is connected to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.graph import history
from neurosim.scenario.schema import Degree, Expectation
from neurosim.scenario.synapse_values import STATISTICS

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.graph.population import Population
    from neurosim.scenario.protocol import Cast


class Counts:
    """Births or deaths between two times: later than the first, not later than the second."""

    def __init__(self, expectation: Expectation, simulation: Simulation, cast: Cast, duration: float) -> None:
        self.expectation, self.unit = expectation, ""
        begin, self.end = expectation.over or (0.0, duration)
        self._history = simulation.network.history
        self._keys = _owners(getattr(expectation, expectation.kind), expectation.kind, cast)
        self._before = self._total()
        self._after: int | None = None
        if begin > 0:
            simulation.at(begin, self._begin)
        if self.end < duration:
            simulation.at(self.end, self._finish)

    def _total(self) -> int:
        return sum(self._history.totals.get(key, 0) for key in self._keys)

    def _begin(self, simulation: Simulation) -> None:
        self._before = self._total()

    def _finish(self, simulation: Simulation) -> None:
        self._after = self._total()

    def observe(self) -> None:
        """Nothing is missed between."""

    def value(self) -> float:
        """Return the number."""
        return float((self._total() if self._after is None else self._after) - self._before)


def _owners(name: str, kind: str, cast: Cast) -> list[tuple[int, int]]:
    """Under what the history counts births or deaths of a population or of projections."""
    network, dead = cast.network, int(kind == "deaths")
    if name in network.populations:
        return [(history.NEURON_BIRTH + dead, network.populations[name].index)]
    return [(history.SYNAPSE_BIRTH + dead, projection.index) for projection in cast.synapses(name)]


def degree(about: Degree, cast: Cast) -> float:
    """Return a statistic of the numbers of synapses that neurons have; nan where there is no neuron."""
    neurons = cast.neurons(about.of)
    if not neurons.size:
        return float("nan")
    chosen = cast.network.projections.values() if about.projection is None else cast.synapses(about.projection)
    degrees = np.zeros(neurons.size)
    for projection in chosen:
        if (projection.target if about.side == "in" else projection.source) is _population(neurons):
            counted = projection.in_degree if about.side == "in" else projection.out_degree
            degrees += counted(neurons.ids)
    return float(STATISTICS[about.statistic](degrees))


def connectivity(source: str, target: str, cast: Cast) -> float:
    """Return the share of all pairs (without autapses) that are connected by at least one synapse."""
    sources, targets = cast.neurons(source), cast.neurons(target)
    pairs: set[tuple[int, int]] = set()
    for projection in cast.network.projections.values():
        if projection.source is _population(sources) and projection.target is _population(targets):
            edges = projection.edges()
            inside = np.isin(edges.pre, sources.ids) & np.isin(edges.post, targets.ids) & (edges.pre != edges.post)
            pairs.update(zip(edges.pre[inside].tolist(), edges.post[inside].tolist()))
    possible = sources.size * targets.size - np.intersect1d(sources.ids, targets.ids).size
    return len(pairs) / possible if possible else 0.0


def _population(neurons: Any) -> Population:
    population: Population = getattr(neurons, "population", neurons)
    return population
