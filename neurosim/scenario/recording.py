"""What a run keeps: the recorders that ``record:`` asks for, and what they hold at every flush."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim import rng
from neurosim.errors import unknown
from neurosim.graph.groups import Group
from neurosim.scenario.checker import Checker
from neurosim.scenario.schema import Record, StateRecord
from neurosim.scenario.schema_network import Selection

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.graph.population import Ids, Population
    from neurosim.scenario.protocol import Cast


class Recorders:
    """The recorders of a run, by the names of the network: populations for spikes and state, projections for synapses.

    Without ``spikes`` in the scenario every population's spikes are recorded. Groups of one population are recorded
    together, each spike once.
    """

    def __init__(self, record: Record, simulation: Simulation, cast: Cast) -> None:
        self.spikes: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.synapses: dict[str, Any] = {}
        for name, target in _spiking(record, cast).items():
            self.spikes[name] = simulation.record_spikes(target)
        for name, state in record.state.items():
            population, chosen = _sampled(name, state, cast)
            self.state[population.name] = simulation.record_state(
                population, state.variables, select=chosen, every=state.every
            )
        for name, synapses in record.synapses.items():
            for projection in cast.synapses(name):
                self.synapses[projection.name] = simulation.record_synapses(
                    projection, synapses.variables, every=synapses.every, sample=synapses.sample
                )

    def names(self) -> dict[str, Any]:
        """Return what is recorded of what."""
        return {"spikes": list(self.spikes), "state": list(self.state), "synapses": list(self.synapses)}

    def drain(self) -> dict[str, Mapping[str, Any]]:
        """Return what was recorded since the last call, as the result file takes it."""
        return {
            "spikes": {name: recorder.drain() for name, recorder in self.spikes.items()},
            "states": {name: recorder.drain() for name, recorder in self.state.items()},
            "synapses": {name: recorder.drain() for name, recorder in self.synapses.items()},
        }


def _spiking(record: Record, cast: Cast) -> dict[str, Population | Group]:
    populations, groups = cast.network.populations, cast.network.groups
    named = list(populations) if record.spikes is None else record.spikes
    found: dict[str, Population | Group] = {name: populations[name] for name in named if name in populations}
    for group in (groups[name] for name in named if name in groups):
        population, before = group.population, found.get(group.population.name)
        if before is population:
            continue
        members = np.union1d(before.members, group.members) if isinstance(before, Group) else group.members
        found[population.name] = Group(group.name, population, members)
    return found


def _sampled(name: str, state: StateRecord, cast: Cast) -> tuple[Population, Any]:
    """Return the population to record and which of its neurons: ids, ``"all"`` or a condition."""
    target = cast.neurons(name)
    if isinstance(target, Group):
        return target.population, target.ids
    if state.select is None:
        return target, "all"
    return target, state.select.where or select(target, state.select, f"state of {name}")


def select(population: Population, chosen: Selection, purpose: str) -> Ids:
    """Return the ids of the chosen neurons; ``random`` draws are keyed by the seed and ``purpose``."""
    ids = population.ids
    if chosen.where is not None:
        return population.where(chosen.where)
    if chosen.slice is not None:
        return ids[chosen.slice[0] : chosen.slice[1]]
    if chosen.random is not None:
        stream = rng.generator(population.network.seed, rng.purpose("select", purpose))
        return np.sort(stream.choice(ids, chosen.random, replace=False))
    return ids[: chosen.first] if chosen.first is not None else ids[-(chosen.last or 0) :]


# -- before it runs ---------------------------------------------------------------------------------------


def check(checker: Checker) -> None:
    """Check what is to be recorded against the rest of the scenario."""
    record = checker.spec.record
    for index, name in enumerate(record.spikes or []):
        checker.refer_neurons(name, ("record", "spikes", index))
    seen: dict[str, str] = {}
    for name, state in record.state.items():
        location = ("record", "state", name)
        if not checker.refer_neurons(name, location):
            continue
        population = checker.population_of(name)
        if population in seen:
            checker.add(location, f"records the state of {population} a second time (see {seen[population]})")
        seen[population] = name
        units = checker.variables(name)
        for index, variable in enumerate(state.variables if population in checker.models else []):
            if variable not in units:
                model = checker.models[population].name
                message = unknown("state variable", variable, units, f"of {model}")
                checker.add((*location, "variables", index), str(message))
        if state.select is not None:
            if name in checker.declared("groups"):
                checker.add((*location, "select"), "a group is a selection already")
            else:
                checker.selection(state.select, name, (*location, "select"))
    for name, synapses in record.synapses.items():
        location = ("record", "synapses", name)
        if checker.refer("projection", name, location, ["projections"]):
            checker.synapse_variable(name, synapses.variables, (*location, "variables"))
