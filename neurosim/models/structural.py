"""What a structural rule declares: what it looks at, and which births and deaths it proposes.

`StructuralRule` (a rule as its file writes it) → `ConfiguredStructure` (with parameters, and where and when it acts)
→ `neurosim.graph.structure.BoundStructure` (checked against a network, by `Network.add_rule`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from neurosim.errors import ExpressionError, InvalidInput, UsageError, unknown
from neurosim.models.declare import Parameter
from neurosim.models.rule_equations import Equation, check_name, read_equations
from neurosim.units import quantity

#: What can be said of synapses, and of neurons. Each is an expression, except ``update`` (statements).
OF_SYNAPSES = (
    "die", "lasting", "chance", "rank", "surplus", "most_pre", "most_post",
    "births", "candidates", "accept", "offers_pre", "offers_post",
)  # fmt: skip
OF_NEURONS = ("update", "die", "lasting", "chance", "rank", "surplus", "births")
CLAUSES = tuple(dict.fromkeys((*OF_SYNAPSES, *OF_NEURONS)))

#: Where and when a rule acts, and what newborns are like; by whom it can be said.
EVERYWHERE = ("every", "start", "until", "name")
FOR_SYNAPSES = (*EVERYWHERE, "weight", "delay", "autapses", "multapses", "distance")
FOR_NEURONS = (*EVERYWHERE, "initial", "place", "wire")
#: Names that other languages keep for themselves -> ours.
ALIASES = {"for": "lasting", "from": "start"}

_ONLY_SYNAPSES = frozenset(OF_SYNAPSES) - frozenset(OF_NEURONS)
_ONLY_NEURONS = frozenset(OF_NEURONS) - frozenset(OF_SYNAPSES)
_PAIRS = (("rank", "surplus"), ("candidates", "accept"), ("offers_pre", "offers_post"))


@dataclass(frozen=True)
class StructuralRule:
    """A structural rule as its file declares it.

    It is about the synapses of projections or about the neurons of a population. All rules that are due at one time
    look at the same network; then everything that is to die dies, and everything that is to be born is born.

    ``equations`` say what the rule keeps of every neuron: traces of its spikes, and integrals of those (see
    `neurosim.graph.structure_equations`). The other texts are expressions. They read parameters, ``time``, ``every``
    and

    * of a neuron: its variables and parameters, the rule's variables, ``age`` (ms), ``in_degree``, ``out_degree`` and
      ``id``;
    * of a pair: those of both neurons (``rate_pre``, ``x_post``) and their ``distance`` (um);
    * of a synapse: those of its pair, ``weight``, ``delay``, the variables of learning rules, ``age`` and ``last_use``
      (ms since a spike was last sent through it);
    * of all together: ``size`` (synapses, or neurons), ``deaths`` (of the rule, now), ``n_pre`` and ``n_post``.

    Attributes
    ----------
    die : what a synapse (neuron) dies of, a condition; ``lasting``: how long it must have held (ms);
        ``chance``: the probability that one for which it holds dies at a time.
    rank, surplus : of those for which ``die`` holds (or all), so many die that have the smallest rank.
    most_pre, most_post : synapses that a neuron may have at the most; random ones above that die.
    births : how many are born, in all projections together. Synapses join random pairs, of all sources and all
        targets; a part of one is born with that probability.
    candidates, accept : so many random pairs are looked at, and each is joined with this probability.
    offers_pre, offers_post : synaptic elements of each neuron. Synapses above their number break, and vacant elements
        of both sides join at random.
    update : statements that change variables and parameters of neurons, such as maturation with ``age``.
    initial : what the variables of ``equations`` begin with: numbers, or expressions that may read parameters and the
        neuron's degrees, which are 0 in newborns; 0 where nothing is said.
    about_neurons : whether the rule is about neurons; found out where that is not said.
    autapses, multapses : whether newborn synapses may join a neuron to itself, and a pair that is joined already,
        unless the scenario says otherwise.
    """

    name: str
    summary: str = ""
    source: str = ""
    parameters: tuple[Parameter, ...] = ()
    equations: str = ""
    initial: Mapping[str, float | str] = field(default_factory=dict)
    die: str = ""
    lasting: str = ""
    chance: str = ""
    rank: str = ""
    surplus: str = ""
    most_pre: str = ""
    most_post: str = ""
    births: str = ""
    candidates: str = ""
    accept: str = ""
    offers_pre: str = ""
    offers_post: str = ""
    update: str = ""
    about_neurons: bool | None = None
    autapses: bool = False
    multapses: bool = True

    def __post_init__(self) -> None:
        for part in ("name", "equations", *CLAUSES):
            if not isinstance(getattr(self, part), str):
                raise InvalidInput(f"structural rule: {part} must be a text; found {getattr(self, part)!r:.60}.")
        self._check_names()
        self._check_clauses()

    def __call__(self, *where: Any, **given: Any) -> ConfiguredStructure:
        """The rule with parameters, and where it acts: ``prune_weak(ee, below=0.1, every="1 s")``."""
        return self.configure(where, given)

    def configure(self, where: tuple[Any, ...], given: Mapping[str, Any]) -> ConfiguredStructure:
        """Sort what is ``given`` into parameters and what is said of when and how."""
        arguments = {ALIASES.get(str(name), str(name)): value for name, value in given.items()}
        common = FOR_NEURONS if self.of_neurons else FOR_SYNAPSES
        declared = {parameter.name for parameter in self.parameters}
        for name in arguments:
            if name not in declared and name not in common:
                raise unknown(f"parameter of {self.name}", name, [*declared, *common])
        if "every" not in arguments:
            raise UsageError(f"{self.name}: say how often it acts: every=…")
        every = quantity(arguments["every"], "ms", f"{self.name}.every")
        if not every > 0.0:
            raise UsageError(f"{self.name}.every must be more than 0 ms; found {arguments['every']!r}.")
        parameters = {p.name: checked(p, arguments, self.name) for p in self.parameters}
        options = {name: arguments[name] for name in common if name in arguments and name not in declared}
        return ConfiguredStructure(self, parameters, where, every, options)

    @cached_property
    def lines(self) -> tuple[Equation, ...]:
        """The equations, read."""
        try:
            return read_equations(self.equations)
        except ExpressionError as error:
            message = f"structural rule '{self.name}', equations: {error.message}"
            raise ExpressionError(message, error.text, error.position) from None

    @cached_property
    def clauses(self) -> tuple[str, ...]:
        """Those that the rule has."""
        return tuple(clause for clause in CLAUSES if getattr(self, clause).strip())

    @property
    def of_neurons(self) -> bool:
        """Whether the rule is about the neurons of a population, not the synapses of projections."""
        if self.about_neurons is not None:
            return self.about_neurons
        return not _ONLY_SYNAPSES & set(self.clauses) and bool(_ONLY_NEURONS & set(self.clauses))

    def parameter(self, name: str) -> Parameter:
        """The declaration of parameter ``name``; raises UnknownName."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise unknown(f"parameter of {self.name}", name, [p.name for p in self.parameters])

    def _check_names(self) -> None:
        check_name(self.name)
        taken: set[str] = set()
        for name in [p.name for p in self.parameters] + [line.name for line in self.lines]:
            check_name(name)
            if name in taken:
                raise InvalidInput(f"structural rule '{self.name}': '{name}' stands for two things.")
            taken.add(name)
        for line in self.lines:
            if line.kind in ("constant", "captured") or line.nearest:
                raise line.error("a structural rule keeps dNAME/dt = … of its neurons, nothing else")
        for name in self.initial:
            if name not in {line.name for line in self.lines}:
                raise unknown(f"variable of {self.name}", name, [line.name for line in self.lines])

    def _check_clauses(self) -> None:
        where, said = f"structural rule '{self.name}'", set(self.clauses)
        if not said:
            raise InvalidInput(f"{where} does nothing: give it one of {', '.join(CLAUSES)}.")
        wrong = said & (_ONLY_SYNAPSES if self.of_neurons else _ONLY_NEURONS)
        if wrong:
            kinds = ("neurons", "synapses") if self.of_neurons else ("synapses", "neurons")
            raise InvalidInput(f"{where} is about {kinds[0]}; `{min(wrong)}` is said of {kinds[1]}.")
        for one, other in _PAIRS:
            if (one in said) != (other in said):
                missing = other if one in said else one
                raise InvalidInput(f"{where}: {one} and {other} go together; {missing} is missing.")
        if said & {"lasting", "chance"} and "die" not in said:
            lonely = "chance" if "chance" in said else "lasting"
            raise InvalidInput(f"{where}: {lonely} belongs to `die`, which is missing (`die: true` is for all).")
        if {"births", "candidates"} <= said:
            raise InvalidInput(f"{where}: births says how many are born, candidates how many are tried; give one.")


@dataclass(frozen=True)
class ConfiguredStructure:
    """A structural rule with its parameters, where it acts (projections, or a population), how often, and how else.

    ``parameters`` are numbers in their declared units, or mappings from population to number; those in units of the
    weight are as they were written until the rule is bound. ``every`` is in ms.
    """

    rule: StructuralRule
    parameters: Mapping[str, Any]
    where: tuple[Any, ...]
    every: float
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the rule is called in the network: its own name, or the one it was given."""
        return str(self.options.get("name", self.rule.name))


def checked(parameter: Parameter, arguments: Mapping[str, Any], owner: str) -> Any:
    """The value of a parameter, from ``arguments`` if it is there, in its unit unless that is one of weights."""
    value = arguments.get(parameter.name, parameter.default)
    if "weight" in parameter.unit or parameter.name not in arguments:  # a default may be infinite
        return value
    if isinstance(value, Mapping):  # one for each population
        return {str(name): parameter.check(one, owner) for name, one in value.items()}
    return parameter.check(value, owner)
