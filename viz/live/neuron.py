"""What is told of the neuron that was picked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import UsageError, unknown

if TYPE_CHECKING:
    from neurosim.graph.network import Network
    from neurosim.graph.population import Population
    from neurosim.record import Result

_MOST = 300  # synapses listed of each direction

Facts = dict[str, Any]
_Rows = tuple[str, str, Any, Any, Any]  # projection, unit of weights, the other neurons, weights, delays


def of_network(network: Network, neuron: int) -> Facts:
    """A neuron of a running network; read between epochs. Raises UsageError if it is not alive."""
    population = _population(network, neuron)
    slot = population.slots([neuron])
    variables = {
        name: {"value": float(population.columns[name][slot][0]), "unit": unit}
        for name, unit in population.variables.items()
        if name not in ("x", "y", "z")
    }
    outgoing: list[_Rows] = []
    incoming: list[_Rows] = []
    for projection in network.projections.values():
        for pre, post, found in (([neuron], None, outgoing), (None, [neuron], incoming)):
            if (projection.source if pre else projection.target) is not population:
                continue
            ids = projection.find(pre=pre, post=post)
            rows, places = projection._rows_and_places(ids)
            edges = projection._edges_at(rows, places)
            others = edges.post if pre else edges.pre
            found.append((projection.name, projection.weight_unit, others, edges.weight, edges.delay))
    spiked = int(population.columns["last_spike"][slot][0])
    return {
        "neuron": neuron, "population": population.name, "model": population.model.name, "variables": variables,
        "born": float(population.columns["born"][slot][0]) * float(network.dt or 0.0),
        "last_spike": spiked * float(network.dt or 0.0) if spiked else None,
        "out": _listed(outgoing), "in": _listed(incoming),
    }  # fmt: skip


def of_result(result: Result, neuron: int, time: float) -> Facts:
    """A neuron of a recorded network at a time (ms). Raises UsageError if it was not alive."""
    name = next((n for n in result.populations if neuron in result.neurons(n, time)), None)
    if name is None:
        raise UsageError(f"neuron {neuron} is not alive at {time:g} ms.")
    outgoing: list[_Rows] = []
    incoming: list[_Rows] = []
    for projection in result.projections.values():
        if name not in (projection.source, projection.target):
            continue
        edges = result.edges(projection.name, time)
        unit = str(projection.info.get("weight_unit") or "")
        for end, other, found in ((edges.pre, edges.post, outgoing), (edges.post, edges.pre, incoming)):
            mine = end == neuron
            if mine.any():
                found.append((projection.name, unit, other[mine], edges.weight[mine], edges.delay[mine]))
    trace = {}
    if name in ((result.recorded or {}).get("state") or ()):
        samples = result.state(name, stop=time)
        mine = samples["id"] == neuron
        for variable in samples.keys() - {"time", "id"}:
            trace[variable] = [samples["time"][mine][-2000:].tolist(), samples[variable][mine][-2000:].tolist()]
    return {
        "neuron": neuron, "population": name, "model": result.populations[name].model, "variables": {}, "born": None,
        "last_spike": None, "out": _listed(outgoing), "in": _listed(incoming), "trace": trace,
    }  # fmt: skip


def reader(network: Network, neuron: int, variable: str) -> tuple[Callable[[], float | None], str]:
    """What reads a state variable of a neuron (None once it is dead), and its unit."""
    population = _population(network, neuron)
    if variable not in population.variables:
        raise unknown("variable", variable, population.variables, f"of population '{population.name}'")

    def read() -> float | None:
        slot = int(network._slots_of(population, [neuron])[0])
        return None if slot < 0 else float(population.columns[variable][slot])

    return read, population.variables[variable]


def _population(network: Network, neuron: int) -> Population:
    for population in network.populations.values():
        if int(network._slots_of(population, [neuron])[0]) >= 0:
            return population
    raise UsageError(f"neuron {neuron} is not alive.")


def _listed(parts: Iterable[_Rows]) -> Facts:
    """Synapses of one direction: how many, and those with the largest weights."""
    rows = [
        (name, unit, int(other), float(weight), float(delay))
        for name, unit, others, weights, delays in parts
        for other, weight, delay in zip(others, np.asarray(weights), np.asarray(delays), strict=True)
    ]
    rows.sort(key=lambda row: -abs(row[3]))
    keys = ("projection", "unit", "neuron", "weight", "delay")
    return {"count": len(rows), "synapses": [dict(zip(keys, row)) for row in rows[:_MOST]]}
