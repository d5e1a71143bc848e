"""The shape of a scenario: which keys there are and what each may hold.

What depends on other parts of the scenario (names, units of weights, expressions) is checked in
`neurosim.scenario.checks`. Every entry of a section is read by itself, so one mistake hides no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictInt, model_validator

from neurosim.scenario.fields import (
    AnyKind,
    Count,
    Duration,
    Flag,
    Name,
    Names,
    NotYet,
    Section,
    Seed,
    Text,
    Time,
    refuse,
)


class Selection(Section):
    """Neurons of a population: ``first: n``, ``last: n``, ``slice: [a, b]``, ``random: n`` or ``where: condition``."""

    first: Count | None = None
    last: Count | None = None
    slice: tuple[StrictInt, StrictInt] | None = None
    random: Count | None = None
    where: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        ways = ["first", "last", "slice", "random", "where"]
        given = [way for way in ways if getattr(self, way) is not None]
        if len(given) != 1:
            raise refuse(f"must say which neurons in one way ({', '.join(ways)}), found {', '.join(given) or 'none'}")
        if self.slice and not 0 <= self.slice[0] < self.slice[1]:
            raise refuse(f"`slice: [a, b]` takes neurons a to b-1 with 0 <= a < b, found {list(self.slice)}")
        return self


class Group(Selection):
    """A named selection of one population."""

    population: Name


class Population(Section):
    """A population of one model. ``file`` (key ``from``) reads its neurons from the nodes of a graph file."""

    size: Count | None = None
    file: Text | None = Field(None, alias="from")
    nodes: dict[str, Any] = Field(default_factory=dict)
    model: AnyKind | None = None
    initial: dict[str, Any] = Field(default_factory=dict)
    positions: Any = None
    equations: NotYet = None
    threshold: NotYet = None
    reset: NotYet = None

    @model_validator(mode="after")
    def _sized(self) -> Self:
        if self.model is None:
            raise refuse("`model` is missing")
        if (self.size is None) == (self.file is None):
            raise refuse("needs either `size` or `from` (a graph file)")
        if self.nodes and self.file is None:
            raise refuse("`nodes` selects nodes of a graph file and needs `from`")
        return self


class Input(Section):
    """Independent input to every target neuron; exactly one of the kinds."""

    poisson: dict[str, Any] | None = None
    current: dict[str, Any] | None = None
    to: Names
    weight: Any = None
    receptor: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.poisson is None) == (self.current is None):
            raise refuse("needs one kind of input: `poisson: {rate: …}` or `current: {amplitude: …}`")
        if self.poisson is not None and self.weight is None:
            raise refuse("`weight` is missing")
        if self.current is not None and (self.weight is not None or self.receptor is not None):
            raise refuse("a current takes no `weight` and no `receptor`")
        return self

    @property
    def kind(self) -> str:
        """``poisson`` or ``current``."""
        return "poisson" if self.poisson is not None else "current"

    @property
    def arguments(self) -> dict[str, Any]:
        """The parameters of the kind, as written."""
        return self.poisson if self.poisson is not None else self.current or {}


class Projection(Section):
    """Synapses from one population to others; ``to`` lists expand to one projection each."""

    source: Name = Field(alias="from")
    to: Names
    connect: AnyKind
    weight: Any = None
    delay: Any = None
    receptor: Name | None = None
    bounds: dict[Literal["weight", "delay"], tuple[Any, Any]] = Field(default_factory=dict)
    learning: NotYet = None
    on_arrival: NotYet = None
    on_post: NotYet = None
    on_emission: NotYet = None
    transmit: NotYet = None

    def expand(self, name: str) -> list[tuple[str, str]]:
        """Return the projections that the entry stands for, each with its target.

        One target keeps the entry's name; of several, each is called ``NAME_TARGET``.
        """
        several = len(self.to) > 1
        return [(f"{name}_{target}" if several else name, target) for target in self.to]


class Stimulate(Section):
    """A current of constant amplitude into a group (or population) for some time."""

    group: Name | None = None
    population: Name | None = None
    current: Any
    duration: Duration = Field(alias="for")

    @model_validator(mode="after")
    def _target(self) -> Self:
        if (self.group is None) == (self.population is None):
            raise refuse("needs one target: `group: NAME` or `population: NAME`")
        return self

    @property
    def target(self) -> str:
        """The name of the group or population."""
        return self.group or self.population or ""


class Lesion(Section):
    """Remove neurons of a population or group, or synapses of a projection; all, or those that ``where`` holds for."""

    population: Name | None = None
    group: Name | None = None
    projection: Name | None = None
    where: Text | None = None

    @model_validator(mode="after")
    def _target(self) -> Self:
        given = [name for name in (self.population, self.group, self.projection) if name is not None]
        if len(given) != 1:
            raise refuse("needs one target: `population: NAME`, `group: NAME` or `projection: NAME`")
        return self


class Action(Section):
    """What a protocol entry does."""

    set: dict[str, Any] | None = None
    stimulate: Stimulate | None = None
    lesion: Lesion | None = None
    on: Names | None = None

    @model_validator(mode="after")
    def _acts(self) -> Self:
        if not any((self.set, self.stimulate, self.lesion, getattr(self, "do", None))):
            raise refuse("does nothing: give `set`, `stimulate` or `lesion`, or a list of them under `do`")
        if self.on is not None and self.set is None:
            raise refuse("`on` says where `set` acts; there is no `set` here")
        return self


class Entry(Action):
    """One line of the protocol: when, and what."""

    at: Time | None = None
    every: Duration | None = None
    when: Text | None = None
    start: Time | None = Field(None, alias="from")
    until: Time | None = None
    do: list[Action] = Field(default_factory=list)

    @model_validator(mode="after")
    def _timed(self) -> Self:
        if self.at is not None and (self.every, self.when, self.start, self.until) != (None,) * 4:
            raise refuse("`at` stands alone; `every`, `when`, `from` and `until` go together")
        if self.at is None and self.every is None and self.when is None:
            raise refuse("needs a time: `at: TIME`, `every: TIME` or `when: EXPRESSION`")
        if self.until is not None and self.until <= (self.start or 0.0):
            raise refuse("`until` must be later than `from`")
        return self

    @property
    def actions(self) -> list[Action]:
        """Everything the entry does, in order."""
        own = [Action(set=self.set, stimulate=self.stimulate, lesion=self.lesion, on=self.on)] if self._own else []
        return own + self.do

    @property
    def _own(self) -> bool:
        return any((self.set, self.stimulate, self.lesion))


def _not_all(value: Any) -> Any:
    return None if value == "all" else value


class StateRecord(Section):
    """State variables of one population or group, sampled at a period; ``select`` None means all, newborns too."""

    variables: Names
    select: Annotated[Selection | None, BeforeValidator(_not_all)] = None
    every: Duration = 1.0


class SynapseRecord(Section):
    """Weights and delays of one projection, sampled at a period; ``sample`` bounds how many synapses."""

    variables: tuple[Literal["weight", "delay"], ...] = ("weight", "delay")
    every: Duration
    sample: Count | None = None


class Record(Section):
    """What goes into the result file; without ``spikes`` every population's spikes do."""

    spikes: Names | None = None
    state: dict[str, StateRecord] = Field(default_factory=dict)
    synapses: dict[str, SynapseRecord] = Field(default_factory=dict)
    graph: Flag | None = None


class Pair(Section):
    """From one population or group to another."""

    source: Name = Field(alias="from")
    target: Name = Field(alias="to")


class Expectation(Section):
    """A statement about the run that it checks itself."""

    rate: Name | None = None
    cv: Name | None = None
    correlation: Name | None = None
    spikes: Name | None = None
    neurons: Name | None = None
    synapses: Name | None = None
    connectivity: Pair | None = None
    over: tuple[Time, Time] | None = None
    at: Time | None = None
    between: tuple[Any, Any]

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [kind for kind in EXPECTATIONS if getattr(self, kind) is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            raise refuse(f"must be about one thing ({', '.join(EXPECTATIONS)}), found {found}")
        if self.at is not None and given[0] in OVER:
            raise refuse(f"`{given[0]}` is measured over a time: `over: [begin, end]`, not `at`")
        if self.over is not None and given[0] not in OVER:
            raise refuse(f"`{given[0]}` is measured at a time: `at: TIME`, not `over`")
        if self.over is not None and self.over[0] >= self.over[1]:
            raise refuse("`over: [begin, end]` must end after it begins")
        return self

    @property
    def kind(self) -> str:
        """What it is about, e.g. ``rate``."""
        return next(kind for kind in EXPECTATIONS if getattr(self, kind) is not None)


OVER = ("rate", "cv", "correlation", "spikes")
EXPECTATIONS = (*OVER, "neurons", "synapses", "connectivity")


class Header(Section):
    """The top-level keys that are not sections."""

    name: Text = ""
    about: Text = ""
    source: Text = ""
    seed: Seed = 1
    dt: Duration = 0.1
    duration: Duration
    threads: Count | None = None
    structure: NotYet = None
    checkpoint: NotYet = None
    modulators: NotYet = None


@dataclass
class Spec:
    """A scenario whose parts have the right shape."""

    header: Header
    populations: dict[str, Population] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    inputs: dict[str, Input] = field(default_factory=dict)
    projections: dict[str, Projection] = field(default_factory=dict)
    protocol: dict[int, Entry] = field(default_factory=dict)
    record: Record = field(default_factory=Record)
    expect: dict[int, Expectation] = field(default_factory=dict)


NAMED: dict[str, type[Section]] = {
    "populations": Population,
    "groups": Group,
    "inputs": Input,
    "projections": Projection,
}
LISTED: dict[str, type[Section]] = {"protocol": Entry, "expect": Expectation}
