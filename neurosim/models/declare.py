"""What a neuron model declares: its equations, parameters, state and receptors, each with a unit and a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UnitError, UsageError, unknown
from neurosim.units import format_quantity, quantity

if TYPE_CHECKING:
    from neurosim.models.dynamics import Dynamics

_HELD = re.compile(r"^\s*d(\w+)\s*/\s*dt\s*=.*\(\s*unless\s+refractory\s*\)", re.MULTILINE)
_NUMBER = re.compile(r"\s*[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")
_UNITS = ("", "ms", "1/ms", "mV", "pA", "nS", "pF", "mV/ms", "pA/ms", "um")  # that quantities of other libraries have
_SPREAD = re.compile(r"\s*[^\W\d]\w*\s*\(.*\)\s*", re.DOTALL)


@dataclass(frozen=True)
class Parameter:
    """A constant of a model; ``low`` and ``high`` are inclusive."""

    name: str
    default: float
    unit: str
    meaning: str
    low: float | None = None
    high: float | None = None

    def check(self, value: Any, owner: str) -> float:
        """Return ``value`` in this parameter's unit, or raise the error that says what is allowed."""
        number = quantity(value, self.unit, f"{owner}.{self.name}")
        self.check_all(np.array([number]), owner)
        return number

    def check_all(self, values: NDArray[np.float64], owner: str) -> None:
        """Complain of the first of many values, in this parameter's unit, that is not allowed."""
        low, high = (-np.inf if self.low is None else self.low), (np.inf if self.high is None else self.high)
        outside = values[~((values >= low) & (values <= high))]
        if outside.size:
            found = format_quantity(float(outside[0]), self.unit)
            raise UsageError(f"{owner}.{self.name} is {found}; allowed is {self.range}.")

    @property
    def range(self) -> str:
        """The allowed values in words."""
        if self.low is None and self.high is None:
            return "any value"
        if self.high is None:
            return f"{self.low:g} {self.unit}".rstrip() + " or more"
        if self.low is None:
            return f"{self.high:g} {self.unit}".rstrip() + " or less"
        return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()


def parameter_of(name: str, value: Any) -> Parameter:
    """A parameter whose default is ``value``, and whose unit is that of this quantity."""
    what = f"parameter {name}"
    if isinstance(value, str):
        number = _NUMBER.match(value)
        unit = value[number.end() :].strip() if number else ""
        try:
            return Parameter(name, quantity(value, unit, what), unit, "")
        except UnitError as error:
            raise UnitError(str(error) if what in str(error) else f"{what}: {error}") from None
    for unit in _UNITS:
        try:
            return Parameter(name, quantity(value, unit, what), unit, "")
        except UnitError:
            continue
    return Parameter(name, quantity(value, "", what), "", "")


@dataclass(frozen=True)
class StateVariable:
    """A variable that every neuron has its own value of; ``initial`` is a number or an expression of parameters."""

    name: str
    unit: str
    meaning: str
    initial: float | str = 0.0


@dataclass(frozen=True)
class Receptor:
    """Where arriving weights are added.

    Receptors with one ``variable`` share its sums. A ``gated`` receptor loses what arrives while the neuron is
    refractory (jumps of the membrane); the others (synaptic currents) do not. A model finds out by itself: those of
    variables that are held ``(unless refractory)`` are gated.
    """

    variable: str
    unit: str
    gated: bool = False


@dataclass(frozen=True)
class NeuronModel:
    """A neuron model as its file declares it; its kernel is generated from that.

    ``equations`` are described in `neurosim.models.equations`. They, the ``threshold`` (a condition; ``rand()`` draws
    a number from 0 to 1 for each neuron and step) and the ``reset`` (statements) may read parameters, state, ``t``
    and ``dt``, and ``i_stim`` where currents can be injected. ``refractory`` is a time, e.g. ``"t_ref"``. ``method``
    is one of `neurosim.models.dynamics.METHODS`; "" is the exact solution of linear equations.

    ``drive_unit`` is the unit of injected currents (``stimulate``), None where none can be injected.
    A source (``poisson``, ``spike_list``) has no receptors. ``times`` marks models that are given a list of spike
    times per neuron.
    """

    name: str
    summary: str
    source: str
    parameters: tuple[Parameter, ...]
    equations: str = ""
    threshold: str = ""
    reset: str = ""
    state: tuple[StateVariable, ...] = ()
    receptors: Mapping[str, Receptor] = field(default_factory=dict)
    drive_unit: str | None = None
    times: bool = False
    refractory: str = ""
    method: str = ""

    def __post_init__(self) -> None:
        held = set(_HELD.findall(self.equations))
        receptors = {name: replace(r, gated=r.variable in held) for name, r in self.receptors.items()}
        object.__setattr__(self, "receptors", receptors)

    @cached_property
    def dynamics(self) -> Dynamics:
        """The model's mathematics, read and checked; raises InvalidInput for what is wrong in it.

        It is done when first asked for: reading a model takes milliseconds, and the library has many.
        """
        from neurosim.models.check import dynamics_of

        return dynamics_of(self)

    def __call__(self, **parameters: Any) -> ConfiguredModel:
        """The model with parameters set, e.g. ``izhikevich(a=0.02)`` or ``lif_delta(tau_m="20 ms")``."""
        return configure(self, parameters)

    @property
    def input_variables(self) -> tuple[str, ...]:
        """The state variables that receptors add to, in order: one ring of arrivals each."""
        return tuple(dict.fromkeys(receptor.variable for receptor in self.receptors.values()))

    def parameter(self, name: str) -> Parameter:
        """The declaration of parameter ``name``."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise unknown(f"parameter of {self.name}", name, [p.name for p in self.parameters])


@dataclass(frozen=True)
class ConfiguredModel:
    """A model with a value for each of its parameters (and spike times, where it takes them).

    ``spread`` holds those parameters that every neuron has its own value of: arrays or distributions, as written.
    """

    model: NeuronModel
    parameters: Mapping[str, float]
    times: tuple[tuple[float, ...], ...] = ()
    spread: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name


def configure(model: NeuronModel, parameters: Mapping[str, Any]) -> ConfiguredModel:
    """Check ``parameters`` against the declaration and fill in the defaults."""
    given = dict(parameters)
    times = given.pop("times", None)
    if times is not None and not model.times:
        raise unknown(f"parameter of {model.name}", "times", [p.name for p in model.parameters])
    for name in given:
        model.parameter(name)
    spread = {name: value for name, value in given.items() if is_spread(value)}
    values = {
        p.name: p.check(given.get(p.name, p.default), model.name) for p in model.parameters if p.name not in spread
    }
    if not spread:
        model.dynamics.check_start(values, model.name)
    return ConfiguredModel(model, values, _spike_times(times) if model.times else (), spread)


def is_spread(value: Any) -> bool:
    """Whether what is given for a parameter is many values: an array, a distribution or how one is written."""
    if isinstance(value, str):
        return _SPREAD.fullmatch(value) is not None
    return isinstance(value, Mapping | list | tuple) or getattr(value, "ndim", 0) > 0 or hasattr(value, "sample")


def _spike_times(times: Any) -> tuple[tuple[float, ...], ...]:
    """One ascending tuple of times in ms per neuron."""
    if times is None:
        return ()
    if isinstance(times, str) or not isinstance(times, Iterable):
        raise UsageError(f"spike_list.times wants one list of times per neuron; found {times!r}.")
    rows = []
    for i, row in enumerate(times):
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise UsageError(f"spike_list.times wants one list of times per neuron; neuron {i} got {row!r}.")
        values = sorted(quantity(t, "ms", f"spike_list.times[{i}]") for t in row)
        if values and values[0] <= 0.0:
            raise UsageError(
                f"spike_list.times[{i}] holds {values[0]:g} ms; a spike is stamped at the end of a time step, so times "
                "must be later than 0 ms."
            )
        rows.append(tuple(values))
    return tuple(rows)
