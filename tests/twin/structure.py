"""Structural rules: what they see of the world, whom they let die, and whom they let be born.

All rules that are due at one time look at the same world; then everything that is to die dies, and everything that is
to be born is born, in the order of the rules (law 11). Whatever an engine's rule says in expressions, it says here in
Python functions. Random numbers come from numpy, from a generator for each (seed, rule, clause, step).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from numpy.random import Generator

from .grid import in_steps
from .parts import Neuron, Population, Projection, Synapse
from .rng import stream
from .seen import Memory, SeenNeuron, Totals

if TYPE_CHECKING:
    from .world import World


@dataclass(eq=False, kw_only=True)
class Structural(ABC):
    """What all structural rules have in common. Times are in ms; ``name`` is the rule's in its network."""

    name: str
    every: float
    start: float = 0.0
    until: float = math.inf
    memory: Callable[[SeenNeuron], Memory] | None = None  # what it keeps of each neuron
    lasting: float = 0.0
    surplus: Callable[[Totals], float] | None = None
    births: Callable[[Totals], float] | None = None

    world: World = field(init=False)
    next: int = field(init=False)  # step
    period: int = field(init=False)
    kept: dict[int, Memory] = field(init=False, default_factory=dict)  # by neuron

    def begin(self, world: World) -> None:
        """The rule acts from now on, at the multiples of its period after its start, and at the start itself."""
        self.world = world
        self.period = max(1, in_steps(self.every, world.dt))
        start = in_steps(self.start, world.dt)
        self.next = start if start > world.now else start + ((world.now - start) // self.period + 1) * self.period
        for population in self.populations():
            for neuron in population.neurons.values():
                self.remember(neuron)

    def is_due(self) -> bool:
        over = math.inf if self.until == math.inf else in_steps(self.until, self.world.dt)
        return self.next == self.world.now < over

    def remember(self, neuron: Neuron) -> None:
        """Begin to keep something of a neuron, if it is one that the rule looks at."""
        if self.memory is not None and neuron.population in self.populations():
            memory = self.memory(SeenNeuron(self, neuron))
            memory.begin(self.world.now)
            self.kept[neuron.id] = memory

    def spike(self, neuron: Neuron) -> None:
        """A neuron has fired now."""
        if neuron.id in self.kept:
            self.kept[neuron.id].spike(self.world.now, self.world.dt)

    def looks(self) -> int:
        """How many looks in a row a condition must have held: the first, and those of the time that it lasts."""
        return -(-in_steps(self.lasting, self.world.dt) // self.period) + 1

    def stream(self, clause: str) -> Generator:
        return stream(self.world.seed, ("structure", self.name, clause), self.world.now)

    @abstractmethod
    def populations(self) -> list[Population]:
        """Those whose neurons the rule looks at."""

    @abstractmethod
    def projections_seen(self) -> list[Projection]:
        """Those in which it counts the synapses of a neuron."""

    @abstractmethod
    def propose(self, changes: Changes) -> None:
        """Look, and say what should change."""


@dataclass
class Changes:
    """What all rules that are due propose."""

    updates: list[tuple[Neuron, str, float]] = field(default_factory=list)
    dying_synapses: list[Synapse] = field(default_factory=list)
    dying_neurons: list[Neuron] = field(default_factory=list)
    births: list[Callable[[World], None]] = field(default_factory=list)

    def carry_out(self, world: World) -> None:
        """Edits, then deaths, then births."""
        for neuron, name, value in self.updates:
            neuron.state[name] = value
        doomed = set(map(id, self.dying_synapses))
        for projection in world.projections.values():
            for synapse in reversed(in_row_order(projection)):  # the last of a row first
                if id(synapse) in doomed:
                    world.remove_synapse(projection.name, synapse.id)
        for population in world.populations.values():
            mine = [neuron.id for neuron in self.dying_neurons if neuron.population is population]
            world.remove_neurons(population.name, mine)
        for birth in self.births:
            birth(world)


def act(world: World) -> None:
    """Let all rules that are due look, then change the world."""
    due = [rule for rule in world.structure.values() if rule.is_due()]
    changes = Changes()
    for rule in due:
        rule.propose(changes)
    changes.carry_out(world)
    for rule in due:
        rule.next += rule.period


def in_row_order(projection: Projection) -> list[Synapse]:
    """All synapses, by source id and along rows."""
    return [synapse for source in sorted(projection.rows) for synapse in projection.rows[source]]


def rounded(number: float, random: Generator) -> int:
    """A whole number, at least 0: a part of one is there with that probability."""
    number = max(number, 0.0) if math.isfinite(number) else 0.0
    whole = int(number)
    return whole + int(random.random() < number - whole)
