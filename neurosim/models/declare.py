"""What a neuron model declares: its equations, parameters, state and receptors, each with a unit and a meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from neurosim.errors import UsageError, unknown
from neurosim.units import format_quantity, quantity


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
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise UsageError(f"{owner}.{self.name} is {format_quantity(number, self.unit)}; allowed is {self.range}.")
        return number

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


@dataclass(frozen=True)
class StateVariable:
    """A variable that every neuron has its own value of; ``initial`` is a number or a parameter's name."""

    name: str
    unit: str
    meaning: str
    initial: float | str = 0.0


@dataclass(frozen=True)
class Receptor:
    """Where arriving weights are added.

    Receptors with one ``variable`` share its sums. A ``gated`` receptor loses what arrives while the neuron is
    refractory (jumps of the membrane); the others (synaptic currents) do not.
    """

    variable: str
    unit: str
    gated: bool = False


@dataclass(frozen=True)
class NeuronModel:
    """A neuron model as its file declares it.

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
    """A model with a value for each of its parameters (and spike times, where it takes them)."""

    model: NeuronModel
    parameters: Mapping[str, float]
    times: tuple[tuple[float, ...], ...] = ()

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
    values = {p.name: p.check(given.get(p.name, p.default), model.name) for p in model.parameters}
    return ConfiguredModel(model, values, _spike_times(times) if model.times else ())


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
