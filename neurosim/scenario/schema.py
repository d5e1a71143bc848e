"""The shape of a scenario: which keys there are and what each may hold.

What depends on other parts of the scenario (names, units of weights, expressions) is checked in
`neurosim.scenario.checks`. Every entry of a section is read by itself, so one mistake hides no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from neurosim.scenario.fields import (
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
from neurosim.scenario.schema_network import Group, Input, Population, Projection, Selection


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
    """What a protocol entry does. ``stop`` and ``resume`` name structural rules; ``caption`` is for those who watch."""

    set: dict[str, Any] | None = None
    stimulate: Stimulate | None = None
    lesion: Lesion | None = None
    modulate: dict[str, Any] | None = None
    stop: Names | None = None
    resume: Names | None = None
    caption: Text | None = None
    on: Names | None = None

    @model_validator(mode="after")
    def _acts(self) -> Self:
        if not any((*(getattr(self, way) for way in WAYS), getattr(self, "do", None))):
            ways = ", ".join(f"`{way}`" for way in WAYS)
            raise refuse(f"does nothing: give one of {ways}, or a list of them under `do`")
        if self.on is not None and self.set is None:
            raise refuse("`on` says where `set` acts; there is no `set` here")
        return self


WAYS = ("set", "stimulate", "lesion", "modulate", "stop", "resume", "caption")


class Modulator(Section):
    """A signal that a population or group (key ``from``) sends by its spikes, summed up over each period."""

    source: Name = Field(alias="from")
    amount: Any = 1.0
    every: Duration = 10.0


class Entry(Action):
    """One line of the protocol: when, and what."""

    at: Time | None = None
    every: Duration | None = None
    when: Text | None = None
    start: Time | None = Field(None, alias="from")
    until: Time | None = None
    after: Any = None
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
        own = {way: value for way in WAYS if (value := getattr(self, way)) is not None}
        return [*([Action(**own, on=self.on)] if own else []), *self.do]


def _not_all(value: Any) -> Any:
    return None if value == "all" else value


class StateRecord(Section):
    """State variables of one population or group, sampled at a period; ``select`` None means all, newborns too."""

    variables: Names
    select: Annotated[Selection | None, BeforeValidator(_not_all)] = None
    every: Duration = 1.0


class SynapseRecord(Section):
    """Weights, delays and variables of rules of one projection, sampled; ``sample`` bounds how many synapses."""

    variables: Names = Field(default_factory=lambda: ["weight", "delay"])
    every: Duration
    sample: Count | None = None


class Record(Section):
    """What goes into the result file; without ``spikes`` every population's spikes do.

    ``history``: every birth and death, their numbers over time, or neither.
    """

    spikes: Names | None = None
    state: dict[str, StateRecord] = Field(default_factory=dict)
    synapses: dict[str, SynapseRecord] = Field(default_factory=dict)
    graph: Flag | None = None
    history: Literal["full", "counts", "off"] = "full"


class Pair(Section):
    """From one population or group to another."""

    source: Name = Field(alias="from")
    target: Name = Field(alias="to")


class Degree(Section):
    """Synapses of a neuron, on average or at most and so on: those that come in, or those that go out.

    ``of`` is a population or group; ``projection`` restricts them to the synapses of one.
    """

    of: Name
    side: Literal["in", "out"] = "in"
    projection: Name | None = None
    statistic: Literal["mean", "sd", "median", "min", "max"] = "mean"


class SynapseValues(Section):
    """Values of the synapses of a projection: the share of them between two bounds, or a statistic of them.

    ``source`` and ``target`` (keys ``from`` and ``to``) restrict them to synapses between these neurons.
    """

    projection: Name
    variable: Name | None = None
    source: Name | None = Field(None, alias="from")
    target: Name | None = Field(None, alias="to")
    above: Any = None
    below: Any = None
    statistic: Literal["mean", "sd", "median", "min", "max", "bimodality"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        share = self.above is not None or self.below is not None
        if share == (self.statistic is not None):
            raise refuse("needs either `above` and/or `below` (the share of values there) or a `statistic`")
        return self


class Expectation(Section):
    """A statement about the run that it checks itself.

    ``relative_to`` is something else of the same kind: what is measured is divided by what is measured of it.
    """

    rate: Name | None = None
    cv: Name | None = None
    correlation: Name | None = None
    spikes: Name | None = None
    neurons: Name | None = None
    synapses: Name | None = None
    connectivity: Pair | None = None
    degree: Degree | None = None
    births: Name | None = None
    deaths: Name | None = None
    weights: SynapseValues | None = None
    delays: SynapseValues | None = None
    variables: SynapseValues | None = None
    relative_to: Any = None
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
        values = getattr(self, given[0])
        if given[0] in VALUES and (values.variable is None) == (given[0] == "variables"):
            raise refuse("`variable` says which of `variables`; `weights` and `delays` take none")
        if self.relative_to is not None:
            try:
                _ = self.reference
            except ValidationError as error:
                wrong = error.errors(include_url=False)[0]
                place = "".join(f" {part}:" for part in wrong["loc"][1:])
                message = f"`relative_to` is written as what stands after `{given[0]}`;{place} {wrong['msg']}"
                raise refuse(message) from None
        return self

    @property
    def kind(self) -> str:
        """What it is about, e.g. ``rate``."""
        return next(kind for kind in EXPECTATIONS if getattr(self, kind) is not None)

    @property
    def reference(self) -> Expectation | None:
        """The same of what it is relative to."""
        if self.relative_to is None:
            return None
        when = {"over": self.over} if self.kind in OVER else {"at": self.at}
        return Expectation.model_validate({self.kind: self.relative_to, "between": (None, None), **when})


SPIKING = ("rate", "cv", "correlation", "spikes")
COUNTED = ("births", "deaths")
OVER = (*SPIKING, *COUNTED)
VALUES = ("weights", "delays", "variables")
EXPECTATIONS = (*OVER, "neurons", "synapses", "connectivity", "degree", *VALUES)


class Header(Section):
    """The top-level keys that are not sections."""

    name: Text = ""
    about: Text = ""
    source: Text = ""
    seed: Seed = 1
    dt: Duration = 0.1
    duration: Duration
    threads: Count | None = None
    checkpoint: NotYet = None


@dataclass
class Spec:
    """A scenario whose parts have the right shape."""

    header: Header
    populations: dict[str, Population] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    inputs: dict[str, Input] = field(default_factory=dict)
    projections: dict[str, Projection] = field(default_factory=dict)
    structure: dict[int, Any] = field(default_factory=dict)  # as written; `neurosim.scenario.structure` reads it
    modulators: dict[str, Modulator] = field(default_factory=dict)
    protocol: dict[int, Entry] = field(default_factory=dict)
    record: Record = field(default_factory=Record)
    expect: dict[int, Expectation] = field(default_factory=dict)


NAMED: dict[str, type[Section]] = {
    "populations": Population,
    "groups": Group,
    "inputs": Input,
    "projections": Projection,
    "modulators": Modulator,
}
LISTED: dict[str, type[Section]] = {"protocol": Entry, "expect": Expectation}
