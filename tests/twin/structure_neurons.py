"""Structural rules about neurons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.random import Generator

from .parts import Neuron, Population, Projection
from .seen import SeenNeuron, Totals
from .structure import Changes, Structural, rounded

if TYPE_CHECKING:
    from .world import World

OfNeuron = Callable[[SeenNeuron], Any]


@dataclass
class Wire:
    """Synapses that each newborn neuron gets in one projection."""

    projection: str
    incoming: int = 0
    outgoing: int = 0
    weight: float = 1.0
    delay: float = 1.0


@dataclass(eq=False, kw_only=True)
class NeuronRule(Structural):
    """A rule about the neurons of a population. ``update`` gives new values of state variables, by name."""

    population: str
    update: Callable[[SeenNeuron], Mapping[str, float]] | None = None
    die: OfNeuron | None = None
    chance: OfNeuron | None = None
    rank: OfNeuron | None = None
    initial: Mapping[str, float] = field(default_factory=dict)
    wires: Sequence[Wire] = ()

    held: dict[int, int] = field(init=False, default_factory=dict)  # looks in a row, by neuron

    def populations(self) -> list[Population]:
        return [self.world.populations[self.population]]

    def projections_seen(self) -> list[Projection]:
        return list(self.world.projections.values())

    def propose(self, changes: Changes) -> None:
        neurons = self.populations()[0].in_order()
        for neuron in neurons if self.update else ():
            assert self.update is not None
            changes.updates += [(neuron, *item) for item in self.update(SeenNeuron(self, neuron)).items()]
        dying = self._dying(neurons) if self.die or self.rank else []
        changes.dying_neurons += dying
        if self.births is not None:
            n = rounded(self.births(Totals(self, len(neurons), len(dying))), self.stream("births"))
            random = self.stream("wire")
            changes.births += [lambda world: self._bear(world, n, random)] if n else []

    def _dying(self, neurons: list[Neuron]) -> list[Neuron]:
        found = []
        for neuron in neurons:
            holds = self.die is None or bool(self.die(SeenNeuron(self, neuron)))
            self.held[neuron.id] = self.held.get(neuron.id, 0) + 1 if holds else 0
            found.append(self.held[neuron.id] >= (self.looks() if self.lasting else 1))
        if self.chance is not None:
            draws = self.stream("chance").random(len(neurons)).tolist()
            for k, neuron in enumerate(neurons):
                found[k] = found[k] and draws[k] < self.chance(SeenNeuron(self, neuron))
        dying = [neuron for neuron, is_found in zip(neurons, found, strict=True) if is_found]
        if self.surplus is None:
            return dying
        assert self.rank is not None
        rank = self.rank
        number = rounded(self.surplus(Totals(self, len(neurons))), self.stream("surplus"))
        return sorted(dying, key=lambda neuron: (rank(SeenNeuron(self, neuron)), neuron.id))[:number]

    def _bear(self, world: World, n: int, random: Generator) -> None:
        """Neurons are born, and then wired, wire by wire, to partners other than themselves."""
        born = [world.bear_neuron(self.population, **self.initial) for _ in range(n)]
        for wire in self.wires:
            of = world.projections[wire.projection]
            for number, population, incoming in (
                (wire.incoming, of.source, True),
                (wire.outgoing, of.target, False),
            ):
                own = [neuron for neuron in born for _ in range(number)]
                others = [[other for other in population.in_order() if other is not neuron] for neuron in own]
                if not own or not others[0]:
                    continue
                chosen = random.integers(0, [len(partners) for partners in others]).tolist()
                for neuron, partners, k in zip(own, others, chosen, strict=True):
                    pre, post = (partners[k], neuron) if incoming else (neuron, partners[k])
                    world.bear_synapse(of.name, pre.id, post.id, wire.weight, wire.delay)
