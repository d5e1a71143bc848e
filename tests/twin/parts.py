"""What the world is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from . import low_bit
from .grid import clip, f32
from .plasticity import Bounds, Rule
from .traces import Axon, Traces


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
    born: int = 0  # step
    stimulus: float = 0.0  # a current added to the model's own i_e
    inbox: dict[str, float] = field(default_factory=dict)  # what arrives in the present step, by variable
    axons: dict[str, Axon] = field(default_factory=dict)  # what its spikes carry, by projection
    history: dict[str, list[Traces]] = field(default_factory=dict)  # postsynaptic traces, by projection and rule
    alive: bool = True


@dataclass(eq=False)
class Synapse:
    """A synapse; a `delay` (ms) that no rule writes is k·dt.

    `traces` and `variables` are by rule. Traces are what the last arrival brought, or what has arrived here so far
    (see ``learning``). Variables are stored as of `at`, the last event for which a rule had code.
    """

    id: int
    projection: Projection
    pre: Neuron
    post: Neuron
    weight: float
    delay: float
    traces: list[Traces] = field(default_factory=list)
    variables: list[dict[str, float]] = field(default_factory=list)
    at: int = 0  # step
    before: list[tuple[int, int, list[dict[str, float]]]] = field(default_factory=list)  # see ``learning``
    brought: int = -1  # the step in which the spike was emitted whose traces the synapse has
    last_arrival: int = 0  # the step at which the latest spike emitted so far arrives
    born: int = 0  # step; where structural rules look at ages, of those alive before: when the first such rule came
    used: int = 0  # the step in which it last carried a spike; its birth as long as it has not
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
    dt: float
    rules: tuple[Rule, ...]
    bounds: Bounds
    precision: str
    rounding: str = "stochastic"  # of weights of few bits
    seed: int = 0
    purpose: int = 0  # of the draws by which they are rounded
    rows: dict[int, list[Synapse]] = field(default_factory=dict)
    synapses: dict[int, Synapse] = field(default_factory=dict)
    births: dict[int, int] = field(default_factory=dict)  # how many synapses each source neuron has ever had
    counts_ages: bool = False  # whether a structural rule has asked for ages
    levels: list[Traces] = field(default_factory=list)  # traces of modulators, by rule

    @property
    def learns_delay(self) -> bool:
        """Whether a rule of this projection writes the delay. Presynaptic traces are then the synapse's own."""
        return any(rule.writes_delay for rule in self.rules)

    @property
    def variable_names(self) -> dict[str, tuple[int, str]]:
        """What users call the synapses' variables -> rule, and its own name; a later rule's gets its number."""
        names: dict[str, tuple[int, str]] = {}
        for index, rule in enumerate(self.rules):
            for own in rule.variables():
                names[f"{own}_{index + 1}" if own in names else own] = index, own
        return names

    def stored(self, x: float) -> float:
        """`x` in the precision in which variables and delays that learn are kept: that of weights, 32 bits at least."""
        return x if self.precision == "float64" else f32(x)

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest weight that it can learn."""
        return low_bit.within(self.precision, self.bounds.weight)

    def stored_weight(self, x: float) -> float:
        """A weight that somebody gives, as it is kept: the nearest of those that can be."""
        if low_bit.is_low(self.precision):
            return low_bit.rounded(x, self.precision, self.bounds.weight, low_bit.NEAREST)
        return self.stored(x)

    def learned_weight(self, x: float, synapse: int, step: int, hook: str) -> float:
        """A weight that has come out of an event, inside its bounds and as it is kept.

        One of few bits may be rounded at random, with odds that make it right on average.
        """
        if low_bit.is_low(self.precision) and self.rounding == "stochastic":
            share = low_bit.share(self.seed, self.purpose, synapse, step, hook)
            return low_bit.rounded(x, self.precision, self.bounds.weight, share)
        return self.stored_weight(clip(x, self.bounds.weight))


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
    traces: list[dict[str, float]]  # of the source neuron, by rule, after this spike's own jump
