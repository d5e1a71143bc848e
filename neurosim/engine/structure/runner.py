"""When structural rules act: all that are due at one time look at the same network, then it is changed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.schedule import Order
from neurosim.engine.structure import neurons, synapses
from neurosim.engine.structure.changes import Changes
from neurosim.engine.structure.dynamics import NeuronTraces
from neurosim.engine.structure.looks import Look
from neurosim.engine.structure.survey import Survey
from neurosim.errors import UsageError
from neurosim.graph.crew import Crew
from neurosim.graph.population import Population
from neurosim.graph.structure import BoundStructure

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation


_WORTH_SHARING = 2**20  # synapses


class Tenant:
    """A rule that acts in a simulation: what it keeps, and when it is due."""

    def __init__(self, rule: BoundStructure, dt: float, step: int) -> None:
        self.rule, self._dt = rule, dt
        self.period = max(1, math.floor(rule.every / dt + 0.5))
        if rule.every < dt / 2:
            raise UsageError(f"structural rule '{rule.name}' acts every {rule.every:g} ms, below a step of {dt:g} ms.")
        start = math.floor(rule.start / dt + 0.5)
        self.until = math.floor(rule.until / dt + 0.5) if math.isfinite(rule.until) else math.inf
        periods = (step - start) // self.period + 1  # `every` acts first after one period, with `from` at that time
        self.next = start if start > 0 and step < start else start + periods * self.period
        rule.keeper = self
        self.traces = {p.name: NeuronTraces(rule, p, dt) for p in rule.populations if rule.dynamics[p.name]}
        self.surveys = {p.name: Survey(rule, p) for p in rule.projections}

    def listener(self, population: Population) -> Callable[[NDArray[np.int64], NDArray[np.uint32]], None]:
        """Whoever takes in the spikes of a population."""
        return self.traces[population.name].advance

    def settle(self) -> None:
        """Bring what is kept of neurons up to now."""
        for traces in self.traces.values():
            traces.settle(self.rule.network.step)

    def renew(self) -> None:
        """Go on with the rule's parameters as they are now."""
        for traces in self.traces.values():
            traces.renew()

    def look(self) -> Look:
        """The network as the rule sees it now."""
        lasting = math.floor(self.rule.lasting / self._dt + 0.5)
        needed = -(-lasting // self.period) + 1 if self.rule.lasting else 1  # looks: the first, and those it lasts
        return Look(self.rule, self.traces, needed)

    def propose(self, changes: Changes) -> None:
        """Say what should change."""
        look = self.look()
        if self.rule.population is not None:
            neurons.propose(self.rule, look, changes)
        else:
            synapses.propose(self.rule, look, self.surveys, changes)


def _proposed(tenants: Sequence[Tenant], crew: Crew) -> list[Changes]:
    """What each rule wants. Those about synapses of different projections, none of which learns, look at once: they
    read nothing that another writes, and their draws are keyed by rule."""
    proposals = [Changes() for _ in tenants]
    pairs = list(zip(tenants, proposals, strict=True))
    looked_at = [projection for tenant in tenants for projection in tenant.rule.projections]
    apart = len({projection.index for projection in looked_at}) == len(looked_at)
    still = all(tenant.rule.population is None for tenant in tenants) and not any(p.learning for p in looked_at)
    if crew.threads == 1 or not (apart and still) or sum(p.size for p in looked_at) < _WORTH_SHARING:
        for tenant, changes in pairs:
            tenant.propose(changes)
        return proposals
    waiting = sorted(pairs, key=lambda pair: sum(p.size for p in pair[0].rule.projections))

    def look(_: int) -> None:
        while waiting:
            try:
                tenant, changes = waiting.pop()  # the largest that nobody has taken
            except IndexError:
                return
            tenant.propose(changes)

    crew.share(look)
    return proposals


def code(rule: BoundStructure, dt: float) -> str:
    """The source of all kernels that are generated for a rule of a network; "" where none is."""
    tenant = Tenant(rule, dt, 0)
    texts = [traces.code() for traces in tenant.traces.values()]
    if {"die", "rank"} & set(rule.rule.clauses):
        look = tenant.look()
        looked = [s for s in tenant.surveys.values() if not synapses.is_lottery(rule, s.projection)]
        texts += [survey.code(look) for survey in looked]
    return "\n\n".join(dict.fromkeys(texts))


class StructureRunner:
    """What a running simulation does for the structural rules of its network."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._tenants: dict[int, Tenant] = {}  # by the rules' numbers
        self._scheduled: set[int] = set()

    def adopt(self) -> None:
        """Take in rules that are new in the network, and let those go that are gone."""
        simulation = self._simulation
        rules = {rule.number: rule for rule in simulation.network.rules.values()}
        if rules.keys() == self._tenants.keys():
            return
        for number in self._tenants.keys() - rules.keys():
            tenant = self._tenants.pop(number)
            for name in tenant.traces:
                simulation._listeners[name].remove(tenant.traces[name].advance)
        for number in sorted(rules.keys() - self._tenants.keys()):
            tenant = self._tenants[number] = Tenant(rules[number], simulation.dt, simulation.step)
            for population in rules[number].populations:
                if population.name in tenant.traces:
                    simulation._listen(population, tenant.listener(population), simulation._listeners)
            self._schedule(tenant)

    def _schedule(self, tenant: Tenant) -> None:
        step = tenant.next
        if step < tenant.until and step not in self._scheduled:
            self._scheduled.add(step)
            self._simulation.schedule.at(step, self._act, Order.STRUCTURE)

    def _act(self) -> None:
        """Let all rules that are due look, then change the network: first all deaths, then all births."""
        step, began = self._simulation.step, time.perf_counter()
        self._scheduled.discard(step)
        due = [tenant for _, tenant in sorted(self._tenants.items()) if tenant.next == step < tenant.until]
        for tenant in due:  # before anything can fail: a run that goes on after an error goes on with its rules
            tenant.next += tenant.period
            self._schedule(tenant)
        changes, crew = Changes(), self._simulation._team
        for proposed in _proposed([tenant for tenant in due if tenant.rule.active], crew):
            changes.join_in(proposed)
        changes.carry_out(self._simulation.network, crew)
        spent = time.perf_counter() - began
        for part in ("sim_s", "structure_s"):  # rules are a part of the simulation
            self._simulation.timings[part] += spent

    def kept(self, rule: BoundStructure, population: Population) -> dict[str, NDArray[np.float64]]:
        """What a rule keeps of the living neurons of a population, in the order of their ids, as it is now."""
        self.adopt()
        shown = self._tenants[rule.number].traces[population.name].shown(self._simulation.step)
        slots = population.slots(population.ids)
        return {name: values[slots] for name, values in shown.items()}
