"""The shape of a scenario's network: which keys populations, groups, inputs and projections have."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictInt, model_validator

from neurosim.graph.distributions import KINDS
from neurosim.scenario.fields import AnyKind, Count, Name, Names, Section, Text, refuse


def _several(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


def _in_ms(value: Any) -> Any:
    return f"{value} ms" if isinstance(value, (int, float)) and not isinstance(value, bool) else value


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
    """A population of one model, named or written in place (``equations`` and what follows it).

    ``file`` (key ``from``) reads its neurons from the nodes of a graph file.
    """

    size: Count | None = None
    file: Text | None = Field(None, alias="from")
    nodes: dict[str, Any] = Field(default_factory=dict)
    model: AnyKind | None = None
    initial: dict[str, Any] = Field(default_factory=dict)
    positions: Any = None
    equations: Text | None = None
    threshold: Text | None = None
    reset: Text | None = None
    refractory: Annotated[Text | None, BeforeValidator(_in_ms)] = None
    method: Text | None = None
    parameters: dict[str, Any] | None = None
    receptors: dict[str, Name] | None = None

    @model_validator(mode="after")
    def _modelled(self) -> Self:
        own = [key for key in MODEL_KEYS if getattr(self, key) is not None]
        if self.model is None and self.equations is None:
            raise refuse(f"`equations` is missing, to which `{own[0]}` belongs" if own else "`model` is missing")
        if self.model is not None and own:
            raise refuse(f"`{own[0]}` belongs to a model that is written in place; there is a `model` here")
        return self

    @model_validator(mode="after")
    def _sized(self) -> Self:
        if (self.size is None) == (self.file is None):
            raise refuse("needs either `size` or `from` (a graph file)")
        if self.nodes and self.file is None:
            raise refuse("`nodes` selects nodes of a graph file and needs `from`")
        return self

    def spec(self, name: str) -> dict[str, Any]:
        """Return the model as `neurosim.models.neuron` reads it.

        One written in place is called ``name``, and knows those initial values that are the same for all neurons.
        """
        if self.model is not None:
            return self.model.spec
        written = {key: value for key in MODEL_KEYS if (value := getattr(self, key)) is not None}
        initial = {key: value for key, value in self.initial.items() if not drawn(value)}
        return {"name": name, **written, **({"initial": initial} if initial else {})}

    @property
    def each_initial(self) -> dict[str, Any]:
        """Initial values beyond those that the model knows."""
        return {key: value for key, value in self.initial.items() if self.model is not None or drawn(value)}


MODEL_KEYS = ("equations", "threshold", "reset", "refractory", "method", "parameters", "receptors")


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


class Rule(Section):
    """A learning rule that is written in place; ``name`` is what messages call it."""

    name: Name | None = None
    equations: Text | None = None
    parameters: dict[str, Any] | None = None
    initial: dict[str, Any] | None = None
    on_emission: Text | None = None
    on_arrival: Text | None = None
    on_post: Text | None = None
    on_modulator: Text | None = None
    modulator: Name | None = None
    every: Text | None = None
    period: Any = None
    clocked: Text | None = None
    transmit: Text | None = None


def drawn(value: Any) -> bool:
    """Return whether a value as written is one for each neuron or synapse: a list, a column or a distribution."""
    if isinstance(value, str):
        return value.split("(")[0].strip() in KINDS and "(" in value
    return isinstance(value, (list, dict))


def in_place(rule: Any) -> bool:
    """Return whether an entry of `learning` is a rule that is written there, not the name of one."""
    return isinstance(rule, dict) and bool(Rule.model_fields.keys() & rule.keys())


class Projection(Section):
    """Synapses from one population to others; ``to`` lists expand to one projection each.

    ``learning`` lists rules: a name, ``{name: {parameters}}``, or the keys of a `Rule`.
    """

    source: Name = Field(alias="from")
    to: Names
    connect: AnyKind
    weight: Any = None
    delay: Any = None
    receptor: Name | None = None
    bounds: dict[Literal["weight", "delay"], tuple[Any, Any]] = Field(default_factory=dict)
    learning: Annotated[list[Any], BeforeValidator(_several)] = Field(default_factory=list)
    precision: Literal["float32", "float64", "float16", "int8", "ternary"] = "float32"
    rounding: Literal["stochastic", "nearest"] | None = None

    def expand(self, name: str) -> list[tuple[str, str]]:
        """Return the projections that the entry stands for, each with its target.

        One target keeps the entry's name; of several, each is called ``NAME_TARGET``.
        """
        several = len(self.to) > 1
        return [(f"{name}_{target}" if several else name, target) for target in self.to]
