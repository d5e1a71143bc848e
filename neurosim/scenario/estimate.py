"""How large a scenario is, before it is built: for ``check`` and ``info``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neurosim.graph.connectors import connector
from neurosim.graph.distributions import distribution
from neurosim.graph.placement import placement
from neurosim.graph.space import some_distances
from neurosim.models import learning, neuron
from neurosim.scenario import structure
from neurosim.scenario.expect import describe as expectation_in_words
from neurosim.scenario.graphfile import GraphFile, graph_arguments, position_columns, read_graph
from neurosim.scenario.load import Scenario
from neurosim.scenario.schema_network import Population, Projection
from neurosim.units import quantities

SYNAPSE = 12  # bytes: target, weight, birth number
DELAY = 1  # bytes more where delays differ
ROW = 64  # bytes per source neuron of a projection
SLACK = 1.1  # of the synapse store
BUILDING = 8  # bytes per synapse of the largest projection, while it is being made
_PLACED = 5000  # neurons that are placed for an estimate
BASE = 180_000_000  # bytes: Python, numpy, numba and compiled code


@dataclass(frozen=True)
class Size:
    """Numbers of neurons by population and of synapses by projection (expected), and bytes of memory in all."""

    neurons: dict[str, int]
    synapses: dict[str, float]
    memory: float


def size(scenario: Scenario) -> Size:
    """Estimate the size of a scenario's network."""
    files: dict[str, GraphFile] = {}
    neurons = {name: _neurons(scenario, population, files) for name, population in scenario.spec.populations.items()}
    synapses: dict[str, float] = {}
    kept = structure.bytes_per_synapse(scenario.spec)
    memory, largest = float(BASE), 0.0
    for name, projection in scenario.spec.projections.items():
        highest, differ = _delays(projection)
        for full, target in projection.expand(name):
            number = _synapses(scenario, projection, target, neurons, files)
            synapses[full] = number
            largest = max(largest, number)
            each = SYNAPSE + DELAY * differ + _learned(projection) + kept.get(full, 0)
            memory += number * each * SLACK + neurons[projection.source] * ROW
            memory += neurons[target] * 8 * (highest / scenario.spec.header.dt + 1)  # ring of arrivals
    for name, population in scenario.spec.populations.items():
        memory += neurons[name] * 8 * (len(neuron(population.spec(name)).model.state) + 6)
    return Size(neurons, synapses, memory + largest * BUILDING)


def _learned(projection: Projection) -> int:
    """Return the bytes that each synapse needs more for what its rules keep."""
    rules = [learning.rule(written).rule for written in projection.learning]
    width = 8 if projection.precision == "float64" else 4
    weight = {"float16": 2, "int8": 1, "ternary": 1}.get(projection.precision, width)
    kept = sum(line.is_variable for rule in rules for line in rule.lines) * width + (weight - 4)
    if any(rule.writes_delay for rule in rules):  # a delay and traces of its own, and the spikes under way
        kept += width + 12 + 8 * sum(line.kind == "pre" for rule in rules for line in rule.lines)
    return kept + 4 * any(rule.has_dynamics for rule in rules)


def describe(scenario: Scenario) -> dict[str, Any]:
    """Return what is in a scenario, JSON-able: sizes, models, rules, what it records and expects."""
    header, spec, about = scenario.spec.header, scenario.spec, size(scenario)
    populations, projections = {}, {}
    for name, population in spec.populations.items():
        configured = neuron(population.spec(name))
        populations[name] = {
            "model": configured.name,
            "parameters": {**configured.parameters, **configured.spread},
            "neurons": about.neurons[name],
        }
    for name, projection in spec.projections.items():
        for full, target in projection.expand(name):
            projections[full] = {
                "from": projection.source,
                "to": target,
                "receptor": projection.receptor or _receptor(projection, target, spec.populations[target]),
                "connect": projection.connect.spec,
                "weight": projection.weight,
                "delay": projection.delay,
                "learning": [learning.rule(rule).name for rule in projection.learning],
                "synapses": round(about.synapses[full]),
            }
    return {
        "name": scenario.name,
        "about": header.about,
        "source": header.source,
        "seed": header.seed,
        "dt_ms": header.dt,
        "duration_ms": header.duration,
        "neurons": sum(about.neurons.values()),
        "synapses": round(sum(about.synapses.values())),
        "memory_mb": round(about.memory / 1e6, 1),
        "populations": populations,
        "projections": projections,
        "groups": {name: group.model_dump(exclude_none=True) for name, group in spec.groups.items()},
        "inputs": {
            name: {drive.kind: drive.arguments, "to": drive.to, "weight": drive.weight}
            for name, drive in spec.inputs.items()
        },
        "structure": structure.describe(spec),
        "protocol": [entry.model_dump(exclude_none=True, by_alias=True) for entry in spec.protocol.values()],
        "record": spec.record.model_dump(exclude_none=True),
        "expect": [expectation_in_words(expectation) for expectation in spec.expect.values()],
        "notes": scenario.notes,
    }


def _neurons(scenario: Scenario, population: Population, files: dict[str, GraphFile]) -> int:
    if population.file is None:
        return population.size or 0
    return len(_file(scenario, population.file, files).select(population.nodes))


def _points(scenario: Scenario, name: str, files: dict[str, GraphFile]) -> npt.NDArray[np.float64]:
    """Return where neurons of a population may lie: some of them, where that is drawn."""
    population = scenario.spec.populations[name]
    file = _file(scenario, population.file, files) if population.file is not None else None
    if columns := position_columns(population.positions, file):
        assert file is not None
        nodes = file.select(population.nodes)
        points = np.stack([file.node_values(nodes, column, "um") for column in columns], axis=1)
    elif isinstance(population.positions, list):
        points = quantities(population.positions, "um")
    else:
        placed, n = placement(population.positions), _neurons(scenario, population, files)
        points = placed.draw(n if not placed.open else min(n, _PLACED), np.random.default_rng(0))
    return np.pad(points, ((0, 0), (0, 3 - points.shape[1])))


def _synapses(
    scenario: Scenario,
    projection: Projection,
    target: str,
    neurons: dict[str, int],
    files: dict[str, GraphFile],
) -> float:
    if projection.connect.name != "graph":
        rule, apart = connector(projection.connect.spec), None
        if rule.needs_positions:
            source, targets = (_points(scenario, side, files) for side in (projection.source, target))
            apart = some_distances(source, targets)
        return rule.expected(neurons[projection.source], neurons[target], apart)
    file = _file(scenario, graph_arguments(projection.connect)["file"], files)
    sides = []
    for name in (projection.source, target):
        population = scenario.spec.populations[name]
        sides.append(file.nodes if population.file is None else file.select(population.nodes))
    return float(file.edges(sides[0], sides[1], {}, {}).pre.size)


def _receptor(projection: Projection, name: str, target: Population) -> str | None:
    """Return the receptor that the sign of the weight chooses; None where the weights are in a file."""
    receptors = neuron(target.spec(name)).model.receptors
    first = next(iter(receptors))
    if len(receptors) == 1 or projection.weight is None:
        return first if len(receptors) == 1 else None
    least = distribution(projection.weight, receptors[first].unit, "weight").low
    return "exc" if least is not None and least >= 0 else "inh"


def _delays(projection: Projection) -> tuple[float, bool]:
    """Return the longest delay (ms) and whether delays differ; a guess where they are unbounded or in a file."""
    if projection.delay is None:
        return 20.0, True
    drawn = distribution(projection.delay, "ms", "delay", of_pairs=True)
    return (20.0 if drawn.high is None else drawn.high), drawn.low is None or drawn.low != drawn.high


def _file(scenario: Scenario, name: str, files: dict[str, GraphFile]) -> GraphFile:
    if name not in files:
        files[name] = read_graph(scenario.folder / name)
    return files[name]
