"""What the world is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .plasticity import Bounds, DelayShiftedStdp, Trace


class Model(Protocol):
    """What a population's neurons do; see ``models``."""

    @property
    def receives(self) -> tuple[str, ...]:
        """The state variables that arrivals may be added to."""

    def newborn(self) -> dict[str, float]:
        """The state that a neuron is born with."""

    def advance(self, neuron: Neuron, step: int) -> bool:
        """One step: propagate, add what has arrived, test the threshold, reset. True if the neuron fired."""

    def arrive_at_once(self, neuron: Neuron, variable: str, amplitude: float) -> None:
        """Add an arrival without delay, after this step's threshold test."""


@dataclass(eq=False)
class Neuron:
    """A neuron; `id` is network-wide and never used again."""

    id: int
    population: Population
    state: dict[str, float]
    refractory: int = 0  # while this is above 0 after the count-down at a step's start, the membrane is held
    stimulus: float = 0.0  # a current added to the model's own i_e
    inbox: dict[str, float] = field(default_factory=dict)  # what arrives in the present step, by variable
    traces: dict[str, list[Trace]] = field(default_factory=dict)  # postsynaptic: projection -> one per rule
    alive: bool = True


@dataclass(eq=False)
class Synapse:
    """A synapse; `weight` and a delay that is learned are float32 values, any other delay is k·dt (ms)."""

    id: int
    projection: Projection
    pre: Neuron
    post: Neuron
    weight: float
    delay: float
    traces: list[Trace]  # presynaptic, one per rule: it knows the arrivals of this synapse only
    last_arrival: int = 0  # the step at which the latest spike emitted so far arrives
    alive: bool = True


@dataclass(eq=False)
class Population:
    """Neurons of one model."""

    name: str
    model: Model
    neurons: dict[int, Neuron] = field(default_factory=dict)

    def in_order(self) -> list[Neuron]:
        """The living neurons by ascending id."""
        return [self.neurons[id] for id in sorted(self.neurons)]


@dataclass(eq=False)
class Projection:
    """Synapses from one population to one variable of another, and what they learn.

    `rows` holds each source neuron's synapses in row order. A birth appends; a death moves the last synapse
    of the row into the hole.
    """

    name: str
    index: int  # order of declaration
    source: Population
    target: Population
    variable: str
    rules: tuple[DelayShiftedStdp, ...]
    bounds: Bounds
    rows: dict[int, list[Synapse]] = field(default_factory=dict)
    synapses: dict[int, Synapse] = field(default_factory=dict)

    @property
    def learns_delay(self) -> bool:
        """Whether a rule of this projection writes the delay."""
        return any(rule.writes_delay for rule in self.rules)


@dataclass(eq=False)
class PoissonInput:
    """Independent Poisson arrivals at every target neuron; `thresholds` may be changed between steps.

    The count in a step is the number of thresholds at or below the neuron's random word of that step.
    """

    target: Population
    ids: Collection[int] | None  # None: all neurons, newborns too
    variable: str
    weight: float
    thresholds: Sequence[int]
    purpose: int


class Arrival(NamedTuple):
    """One spike on its way along one synapse.

    Time and amplitude were fixed at emission; nothing alters them any more (law 5). Arrivals compare by their
    leading fields, so that sorting those due at one time gives the order in which they are added (law 13).
    """

    emitted: int  # step
    projection: int  # order of declaration
    source: int  # neuron id
    place: int  # in the row, at emission
    synapse: Synapse
    amplitude: float
