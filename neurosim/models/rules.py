"""What a learning rule declares, and what the engine gets to see of it.

`LearningRule` (a rule as its file writes it) → `ConfiguredRule` (with values for its parameters) → `BoundRule`
(checked trees with all units settled, for one projection). Units are checked when the rule is made, as far as they
do not depend on the projection, and completely when it is bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from neurosim.errors import ExpressionError, InvalidInput, UsageError, unknown
from neurosim.models.declare import Parameter
from neurosim.models.rule_binding import Binder, BoundDrive, BoundRule, Bounds, BoundTrace, BoundVariable
from neurosim.models.rule_equations import Equation, check_name, read_equations, resolved
from neurosim.units import format_quantity, parse_unit

__all__ = [
    "EVENTS", "BoundDrive", "BoundRule", "BoundTrace", "BoundVariable", "ConfiguredRule", "LearningRule",
    "SynapseVariable", "check_delays", "check_together",
]  # fmt: skip

#: What can happen to a synapse, in the order in which it happens at one time. ``transmit`` is read before on_emission.
EVENTS = ("on_arrival", "on_post", "on_modulator", "every", "clocked", "on_emission")
_STAND_INS = ("mV", "pA", "nS", "mV/ms", "")  # for the unit of weights, until the projection is known
_WRITES = r"(?:^|[;\n])\s*{}\s*[-+*/]?=(?!=)"


@dataclass(frozen=True)
class SynapseVariable:
    """The meaning of a name in a rule's equations.

    ``unit`` may be in terms of ``weight``. ``initial`` is what a synapse is born with: a number in ``unit``, or an
    expression of parameters, bounds, ``weight`` and ``delay``. Traces begin at 0.
    """

    name: str
    unit: str
    meaning: str
    initial: float | str = 0.0


@dataclass(frozen=True)
class LearningRule:
    """A learning rule as its file declares it.

    ``equations`` are described in `neurosim.models.rule_equations`. The code of events is statements
    (`neurosim.expressions.statements`): they read parameters, ``weight``, ``delay`` (ms), variables, traces, ``dt``
    and the projection's bounds ``w_min w_max d_min d_max``, and write ``weight``, ``delay`` and synapse variables.

    Attributes
    ----------
    on_emission : right after the source has fired and ``transmit`` was evaluated.
    on_arrival : a spike of this synapse arrives; the traces are those before it.
    on_post : the target fires; its trace is that before the spike.
    on_modulator : ``sim.modulate(modulator, amount)``; reads ``amount``, and traces as they were before it.
    modulator : the signal's name, for on_modulator and for traces of it; may be set like a parameter.
    every, period : code, and how often: a time, or the name of the parameter that holds it.
    clocked : code for every time step; reads ``VARIABLE_pre`` and ``VARIABLE_post`` of the neurons. It costs.
    transmit : what a spike carries, in the unit of weights; "" for the weight.
    source : where it is published (a DOI).

    Raises ExpressionError, which points at the place, or InvalidInput for what does not fit together.
    """

    name: str
    summary: str = ""
    source: str = ""
    parameters: tuple[Parameter, ...] = ()
    equations: str = ""
    on_emission: str = ""
    on_arrival: str = ""
    on_post: str = ""
    on_modulator: str = ""
    modulator: str = ""
    every: str = ""
    period: str | float = ""
    clocked: str = ""
    transmit: str = ""
    variables: tuple[SynapseVariable, ...] = ()

    def __post_init__(self) -> None:
        self._check_parts()
        self._check_names()
        self._check_units()

    def __call__(self, **parameters: Any) -> ConfiguredRule:
        """The rule with parameters set, e.g. ``stdp(tau_plus="20 ms")``."""
        return self.configure(parameters)

    def configure(self, parameters: Mapping[str, Any]) -> ConfiguredRule:
        """Check ``parameters`` and fill in the defaults; those in units of the weight are checked when bound.

        A rule that listens to a modulator may be told to which: ``reward_stdp(modulator="left")``.
        """
        if self.modulator and "modulator" in parameters:
            others = {name: value for name, value in parameters.items() if name != "modulator"}
            return replace(self, modulator=parameters["modulator"]).configure(others)
        for name in parameters:
            self.parameter(str(name))
        given = {p.name: parameters.get(p.name, p.default) for p in self.parameters}
        return ConfiguredRule(
            self, {p.name: given[p.name] if "weight" in p.unit else p.check(given[p.name], self.name)
                   for p in self.parameters}
        )  # fmt: skip

    @cached_property
    def lines(self) -> tuple[Equation, ...]:
        """The equations, read."""
        try:
            return read_equations(self.equations)
        except ExpressionError as error:
            message = f"learning rule '{self.name}', equations: {error.message}"
            raise ExpressionError(message, error.text, error.position) from None

    @property
    def events(self) -> tuple[str, ...]:
        """The events that have code, in the order in which they happen at one time."""
        return tuple(event for event in EVENTS if getattr(self, event).strip())

    @property
    def writes_delay(self) -> bool:
        """Whether delays learn."""
        return self._writes("delay")

    @property
    def writes_weight(self) -> bool:
        """Whether weights learn."""
        return self._writes("weight") or any(line.name == "weight" for line in self.lines)

    def _writes(self, variable: str) -> bool:
        return any(re.search(_WRITES.format(variable), getattr(self, event)) for event in EVENTS)

    @property
    def has_dynamics(self) -> bool:
        """Whether synapse variables change between events."""
        return any(line.kind in ("dynamic", "driven") for line in self.lines)

    def parameter(self, name: str) -> Parameter:
        """The declaration of parameter ``name``; raises UnknownName."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise unknown(f"parameter of {self.name}", name, [p.name for p in self.parameters])

    def variable(self, name: str) -> SynapseVariable:
        """The meaning of a name in the equations; raises UnknownName."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        for line in self.lines:
            if line.name == name:
                return SynapseVariable(name, line.unit, "")
        raise unknown(f"variable of {self.name}", name, [line.name for line in self.lines])

    def _check_parts(self) -> None:
        """Refuse what is no text, and parts that do not go together."""
        for part in ("name", "equations", *EVENTS, "modulator", "transmit"):
            if not isinstance(getattr(self, part), str):
                raise InvalidInput(f"learning rule: {part} must be a text; found {getattr(self, part)!r:.60}.")
        check_name(self.name)
        where = f"learning rule '{self.name}'"
        listens = bool(self.on_modulator.strip()) or any(line.kind == "modulator" for line in self.lines)
        if not self.events and not self.transmit.strip() and not any(line.kind == "driven" for line in self.lines):
            raise InvalidInput(f"{where} does nothing: give it {', '.join(EVENTS)} or transmit.")
        if listens != bool(self.modulator):
            missing = "modulator, the signal's name," if listens else "on_modulator (or a trace with (modulator))"
            raise InvalidInput(f"{where}: on_modulator and modulator go together; {missing} is missing.")
        if self.modulator:
            check_name(self.modulator)
        if bool(self.every.strip()) != (self.period != ""):
            missing = "period, how often it is done," if self.every.strip() else "every, what is done then,"
            raise InvalidInput(f"{where}: every and period go together; {missing} is missing.")

    def _check_names(self) -> None:
        """Refuse names that could not be read in code or mean two things."""
        taken: dict[str, str] = {}
        for name, kind in [(p.name, "parameter") for p in self.parameters] + [(e.name, e.kind) for e in self.lines]:
            if (name, kind) != ("weight", "driven"):
                check_name(name)
            if name in taken:
                raise InvalidInput(f"learning rule '{self.name}': '{name}' is a parameter and a variable.")
            taken[name] = kind
        for variable in self.variables:
            line = next((line for line in self.lines if line.name == variable.name), None)
            if line is None:
                raise unknown(f"variable of {self.name}", variable.name, [line.name for line in self.lines])
            if parse_unit(resolved(variable.unit, "mV")) != parse_unit(resolved(line.unit, "mV")):
                raise InvalidInput(
                    f"learning rule '{self.name}': the unit of '{variable.name}' is '{line.unit}' in the equations and "
                    f"'{variable.unit}' in its description."
                )
            if not line.is_variable and variable.initial != 0.0:
                raise InvalidInput(f"{self.name}: '{variable.name}' is no synapse variable; it begins at 0.")

    def _check_units(self) -> None:
        """Bind with stand-ins for what only the projection knows; one unit of weights has to fit."""
        defaults = {p.name: p.default for p in self.parameters}
        furthest: tuple[tuple[int, int], ExpressionError] | None = None
        for unit in dict.fromkeys((*_STAND_INS, *filter(_may_weigh, (p.unit for p in self.parameters)))):
            binder = Binder(self, defaults, unit, None, None, None)
            try:
                binder.bind()
            except ExpressionError as error:
                place = (binder.place, error.position or 0)
                if furthest is None or place > furthest[0]:
                    furthest = (place, error)
            else:
                return
        if furthest is not None:
            raise furthest[1]


def _may_weigh(unit: str) -> bool:
    """Whether a parameter's unit could be that of weights: one with voltages or currents in it."""
    return "weight" not in unit and any(parse_unit(unit).dimension[1:3])


@dataclass(frozen=True)
class ConfiguredRule:
    """A learning rule with a value for each of its parameters (as written, where the unit is that of weights)."""

    rule: LearningRule
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.rule.name

    @property
    def writes_delay(self) -> bool:
        """Whether delays learn."""
        return self.rule.writes_delay

    def bind(
        self,
        weight_unit: str,
        bounds: Bounds | None = None,
        pre_variables: Mapping[str, str] | None = None,
        post_variables: Mapping[str, str] | None = None,
    ) -> BoundRule:
        """Settle everything for one projection.

        Parameters
        ----------
        weight_unit : the unit of its weights.
        bounds : ``{"weight": (low, high), "delay": (low, high)}`` in that unit and ms, as far as declared.
        pre_variables, post_variables : unit of each state variable of the source and the target neurons.

        Raises ExpressionError, which names the rule and points at the place; UsageError or UnitError for a parameter.
        """
        values = (self.parameters, weight_unit, bounds or {}, pre_variables or {}, post_variables or {})
        return Binder(self.rule, *values).bind()


def check_together(rules: Iterable[ConfiguredRule]) -> None:
    """Refuse rules that cannot act on one projection: a spike has one amplitude, so one rule may ``transmit``."""
    names = [rule.name for rule in rules if rule.rule.transmit.strip()]
    if len(names) > 1:
        raise InvalidInput(
            f"learning rules '{names[0]}' and '{names[1]}' both say what a spike transmits; only one rule of a "
            "projection can."
        )


def check_delays(
    rules: Iterable[ConfiguredRule | BoundRule],
    bounds: tuple[float, float] | None,
    dt: float,
    where: str = "projection",
) -> None:
    """Refuse rules that write delays where their ``bounds`` (ms) are missing, or begin below one step ``dt`` (ms)."""
    writer = next((rule for rule in rules if rule.writes_delay), None)
    if writer is None:
        return
    if bounds is None:
        raise UsageError(
            f"{where}: learning rule '{writer.name}' writes delays, which need bounds={{'delay': (low, high)}}."
        )
    if bounds[0] < dt:
        raise UsageError(
            f"{where}: delays that learn ('{writer.name}') are bounded by at least one time step of "
            f"{format_quantity(dt, 'ms')}; found {format_quantity(bounds[0], 'ms')}."
        )
