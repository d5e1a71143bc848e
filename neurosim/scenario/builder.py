"""From a scenario to a network that can be run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import NeurosimError, ScenarioError, UsageError
from neurosim.graph.connectors.pairs import CONNECTOR as Listed
from neurosim.graph.network import Network
from neurosim.models import neuron
from neurosim.scenario import protocol, structure
from neurosim.scenario.graphfile import (
    GraphFile,
    column_of,
    graph_arguments,
    graph_columns,
    position_columns,
    read_graph,
)
from neurosim.scenario.load import Scenario
from neurosim.scenario.protocol import Cast
from neurosim.scenario.recording import Recorders, select
from neurosim.scenario.schema_network import Population, Projection

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation

Progress = Callable[[str, float, float], None]


@dataclass
class Built:
    """A scenario's network and its simulation, ready to run, with the recorders that the scenario asks for."""

    scenario: Scenario
    network: Network
    simulation: Simulation
    cast: Cast
    recorders: Recorders


def build(
    scenario: Scenario,
    *,
    threads: int | None = None,
    backend: str = "numba",
    progress: Progress | None = None,
) -> Built:
    """Build the network and the simulation of a scenario.

    Parameters
    ----------
    threads : default what the scenario says, or the cores at hand.
    progress : called as ``progress(what, done, total)`` while synapses are made.

    Raises ScenarioError where the scenario asks for what cannot be made.
    """
    from neurosim.engine.simulation import Simulation

    if backend == "gnn":
        raise UsageError("the gnn backend is announced but not built yet; use numba")
    header = scenario.spec.header
    cast = _Builder(scenario, progress).network()
    simulation = Simulation(cast.network, dt=header.dt, threads=threads or header.threads, backend=backend)
    recorders = Recorders(scenario.spec.record, simulation, cast)
    protocol.install(scenario.spec, simulation, cast)
    return Built(scenario, cast.network, simulation, cast, recorders)


class _Builder:
    def __init__(self, scenario: Scenario, progress: Progress | None) -> None:
        header = scenario.spec.header
        self.scenario = scenario
        self.spec = scenario.spec
        self.net = Network(seed=header.seed, dt=header.dt, progress=progress)
        self.files: dict[Path, GraphFile] = {}
        self.nodes: dict[str, list[Any]] = {}  # population -> its nodes in the graph file it came from

    def network(self) -> Cast:
        for name, population in self.spec.populations.items():
            with self.place("populations", name):
                self.population(name, population)
        for name, group in self.spec.groups.items():
            with self.place("groups", name):
                neurons = self.net.populations[group.population]
                self.net.add_group(name, neurons, select(neurons, group, name))
        for name, drive in self.spec.inputs.items():
            with self.place("inputs", name):
                source = {drive.kind: drive.arguments}
                extra = {} if drive.weight is None else {"weight": drive.weight}
                self.net.add_input(name, source, drive.to, receptor=drive.receptor, **extra)
        projections = {}
        for name, projection in self.spec.projections.items():
            with self.place("projections", name):
                projections[name] = [self.connect(full, projection, target) for full, target in projection.expand(name)]
        structure.install(self.spec, self.net, self.place)
        return Cast(self.net, projections)

    @contextlib.contextmanager
    def place(self, *location: str | int) -> Iterator[None]:
        """Give errors of the graph the line they are about."""
        try:
            yield
        except ScenarioError:
            raise
        except NeurosimError as error:
            raise ScenarioError([self.scenario.document.problem(location, str(error))]) from None

    def file(self, name: str) -> GraphFile:
        path = self.scenario.folder / name
        if path not in self.files:
            self.files[path] = read_graph(path)
        return self.files[path]

    def population(self, name: str, population: Population) -> None:
        model = neuron(population.spec(name))
        initial, positions, size = population.each_initial, population.positions, population.size
        if population.file is not None:
            file = self.file(population.file)
            nodes = self.nodes[name] = file.select(population.nodes)
            size = len(nodes)
            units = {variable.name: variable.unit for variable in model.model.state}
            for variable, value in population.each_initial.items():
                if column := column_of(value):
                    initial[variable] = file.node_values(nodes, column, units[variable])
            columns = position_columns(positions, file)
            if columns:
                positions = np.stack([file.node_values(nodes, column, "um") for column in columns], axis=1)
        assert size is not None
        self.net.add_population(name, size, model, initial=initial, positions=positions)

    def connect(self, name: str, projection: Projection, target: str) -> Any:
        connector: Any = projection.connect.spec
        weight, delay = projection.weight, projection.delay
        if projection.connect.name == "graph":
            file = self.file(graph_arguments(projection.connect)["file"])
            source, targets = self.net.populations[projection.source], self.net.populations[target]
            unit = next(iter(targets.model.receptors.values())).unit
            sides = [self.nodes.get(side, file.nodes) for side in (projection.source, target)]
            edges = file.edges(sides[0], sides[1], graph_columns(projection, file), {"weight": unit, "delay": "ms"})
            weight, delay = edges.values.get("weight", weight), edges.values.get("delay", delay)
            connector = Listed(source.ids[edges.pre], targets.ids[edges.post])
        return self.net.connect(
            projection.source, target, connector, name=name, weight=weight, delay=delay, receptor=projection.receptor,
            learning=projection.learning, bounds=dict(projection.bounds.items()),
            precision=projection.precision, rounding=projection.rounding,
        )  # fmt: skip
