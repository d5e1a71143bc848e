"""What a structural rule sees of the world, and what it keeps of neurons."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .parts import Neuron, Projection, Synapse
from .plasticity import Moment

if TYPE_CHECKING:
    from .structure import Structural

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


class Fading(NamedTuple):
    """A trace: d/dt = (target - x)/tau (ms), and every spike adds ``jump``."""

    tau: float
    jump: float
    target: float = 0.0

    def after(self, time: float, value: float) -> float:
        return self.target + (value - self.target) * math.exp(-time / self.tau)


@dataclass
class Memory:
    """Traces of one neuron, and integrals of them: ``growth`` gives d/dt (per ms) of each, given the traces.

    An integral never falls below 0. All is stored as of the neuron's last spike.
    """

    traces: Mapping[str, Fading] = field(default_factory=dict)
    growth: Mapping[str, Callable[[Mapping[str, float]], float]] = field(default_factory=dict)
    initial: Mapping[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(init=False)
    last: int = field(init=False)

    def begin(self, step: int) -> None:
        self.values = {name: self.initial.get(name, 0.0) for name in (*self.traces, *self.growth)}
        self.last = step

    def at(self, step: int, dt: float) -> dict[str, float]:
        """All values at ``step``. Reading writes nothing."""
        time = (step - self.last) * dt
        return self._traces(time) | {
            name: max(0.0, self.values[name] + self._grown(growth, time)) for name, growth in self.growth.items()
        }

    def spike(self, step: int, dt: float) -> None:
        self.values, self.last = self.at(step, dt), step
        for name, trace in self.traces.items():
            self.values[name] += trace.jump

    def _traces(self, time: float) -> dict[str, float]:
        return {name: trace.after(time, self.values[name]) for name, trace in self.traces.items()}

    def _grown(self, growth: Callable[[Mapping[str, float]], float], time: float) -> float:
        """The integral of ``growth``, by Gauss's rule in pieces of half the shortest time constant."""
        shortest = min((trace.tau for trace in self.traces.values()), default=math.inf)
        pieces = max(1, math.ceil(2 * time / shortest))
        width = time / pieces
        return sum(
            0.5 * width * weight * growth(self._traces((piece + 0.5 + 0.5 * node) * width))
            for piece in range(pieces)
            for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True)
        )


class SeenNeuron:
    """A neuron as a rule sees it: ``neuron["v"]`` is its state, or what the rule keeps of it."""

    def __init__(self, rule: Structural, neuron: Neuron) -> None:
        self._rule, self._neuron = rule, neuron
        self.id = neuron.id
        self.age = (rule.world.now - neuron.born) * rule.world.dt

    def __getitem__(self, name: str) -> float:
        if self._neuron.id in self._rule.kept:
            known = self._rule.kept[self._neuron.id].at(self._rule.world.now, self._rule.world.dt)
            if name in known:
                return known[name]
        return self._neuron.state[name]

    @property
    def in_degree(self) -> int:
        return self._degree("post")

    @property
    def out_degree(self) -> int:
        return self._degree("pre")

    def _degree(self, side: str) -> int:
        seen = self._rule.projections_seen()
        return sum(getattr(s, side) is self._neuron for projection in seen for s in projection.synapses.values())


class SeenPair:
    """Two neurons of a projection, joined or not."""

    def __init__(self, rule: Structural, projection: Projection, pre: Neuron, post: Neuron) -> None:
        self.pre, self.post = SeenNeuron(rule, pre), SeenNeuron(rule, post)
        self.size = len(projection.synapses)


class SeenSynapse(SeenPair):
    """A synapse; ``synapse["x"]`` is a variable of its learning rules."""

    def __init__(self, rule: Structural, synapse: Synapse) -> None:
        super().__init__(rule, synapse.projection, synapse.pre, synapse.post)
        self._synapse, self._world = synapse, rule.world
        self.weight, self.delay = synapse.weight, synapse.delay
        self.age = (rule.world.now - synapse.born) * rule.world.dt
        self.last_use = min(self.age, (rule.world.now - synapse.used) * rule.world.dt)

    def __getitem__(self, name: str) -> float:
        rule, own = self._synapse.projection.variable_names[name]
        return Moment(self._synapse, self._world.now).all_variables[rule][own]


@dataclass
class Totals:
    """What is said of all together."""

    rule: Structural
    size: int
    deaths: int = 0
    n_pre: int = 0
    n_post: int = 0

    def mean(self, name: str) -> float:
        """Of a number of the neurons of the rule's population."""
        values = [SeenNeuron(self.rule, neuron)[name] for neuron in self.rule.populations()[0].in_order()]
        return sum(values) / len(values) if values else 0.0
