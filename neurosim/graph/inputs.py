"""Inputs from outside the network: independent Poisson trains and injected currents, one value per target neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.graph.checks import no_such
from neurosim.graph.groups import Group
from neurosim.graph.population import Population, Slots
from neurosim.graph.receptors import choose_receptor
from neurosim.units import quantity

if TYPE_CHECKING:
    from neurosim.graph.network import Network


@dataclass(frozen=True)
class Source:
    """Declaration of an input: its one parameter, which every target neuron has its own value of."""

    kind: str
    parameter: str
    value: Any

    def read(self, value: Any, unit: str) -> float:
        """``value`` of the parameter as a float in ``unit``."""
        number = quantity(value, unit, f"{self.kind}.{self.parameter}")
        if self.kind == "poisson" and number < 0.0:
            raise UsageError(f"poisson.rate is {number:g} Hz; a rate is 0 Hz or more.")
        return number


def poisson(rate: Any) -> Source:
    """Poisson events at ``rate`` (Hz), independent for every target neuron."""
    return Source("poisson", "rate", rate)


def current(amplitude: Any) -> Source:
    """A constant current of ``amplitude``, in the unit of the target model's drive (pA for the LIF models)."""
    return Source("current", "amplitude", amplitude)


SOURCES = {"poisson": poisson, "current": current}


def read_source(spec: Any) -> Source:
    """Read ``ns.inputs.poisson(…)`` or ``{"poisson": {"rate": "15 kHz"}}``."""
    if isinstance(spec, Source):
        return spec
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise InvalidInput(
            f"an input is written as {{poisson: {{rate: …}}}} or {{current: {{amplitude: …}}}}; found {spec!r}."
        )
    ((kind, parameters),) = spec.items()
    if kind not in SOURCES:
        raise unknown("input", str(kind), SOURCES)
    expected = "rate" if kind == "poisson" else "amplitude"
    if not isinstance(parameters, Mapping):
        parameters = {expected: parameters}
    for key in parameters:
        if key != expected:
            raise unknown("parameter", str(key), [expected], f"of input {kind}")
    if expected not in parameters:
        raise InvalidInput(f"input {kind} needs its {expected}.")
    return SOURCES[kind](parameters[expected])


class Input:
    """An input and its targets. Made by :meth:`Network.add_input`.

    The parameter (``rate`` in Hz, ``amplitude`` in the target's drive unit) is kept per neuron in the population's
    column ``column``; neurons born into a targeted population get the input's value.
    """

    def __init__(
        self,
        network: Network,
        name: str,
        source: Source,
        targets: Sequence[Population | Group],
        weight: Any,
        receptor: str | None,
    ) -> None:
        self.network = network
        self.name = name
        self.source = source
        self.column = f"input:{name}"
        self.weights: dict[str, float] = {}
        self.receptors: dict[str, str] = {}
        self.populations: list[Population] = []
        ids = [(population, target.ids) for population, target in ((_population_of(t), t) for t in targets)]
        for population, _ in ids:
            self._admit(population, weight, receptor)
        values = {population.name: source.read(source.value, self.unit(population)) for population in self.populations}
        for population in self.populations:  # nothing can go wrong from here on
            population.columns[self.column] = np.zeros(population.n_slots)
            if population in targets:
                population.defaults[self.column] = values[population.name]
        for population, members in ids:
            population.columns[self.column][population.slots(members)] = values[population.name]

    def _admit(self, population: Population, weight: Any, receptor: str | None) -> None:
        """Check that a population can be driven, and how."""
        if population in self.populations:
            return
        model = population.model
        if self.source.kind == "current":
            if model.drive_unit is None:
                raise UsageError(
                    f"input '{self.name}': no current can be injected into '{population.name}' ({model.name})."
                )
        else:
            chosen = choose_receptor(population, receptor, weight, self.name)
            unit = model.receptors[chosen].unit
            self.receptors[population.name] = chosen
            self.weights[population.name] = _stored(quantity(weight, unit, f"weight of input '{self.name}'"), self.name)
        self.populations.append(population)

    def unit(self, population: Population) -> str:
        """Unit of the parameter for a target population."""
        return "Hz" if self.source.kind == "poisson" else population.model.drive_unit or ""

    def set(self, parameter: str, value: Any, on: Group | Population | ArrayLike | None = None) -> None:
        """Change the parameter from now on, for all targets or for those in ``on`` (a group, population or ids)."""
        if parameter != self.source.parameter:
            raise unknown("parameter", parameter, [self.source.parameter], f"of input '{self.name}'")
        self.network._check_editable()
        values = [self.source.read(value, self.unit(population)) for population in self.populations]
        slots = self._slots(on)
        for population, number, chosen in zip(self.populations, values, slots, strict=True):
            population.columns[self.column][chosen] = number
            if on is None and self.column in population.defaults:
                population.defaults[self.column] = number
        self.network._touch()

    def _slots(self, on: Group | Population | ArrayLike | None) -> list[Slots]:
        """Slots of what ``on`` means, for each of the populations."""
        if on is None:
            return [population.slots(population.ids) for population in self.populations]
        if isinstance(on, (Group, Population)):
            if _population_of(on) not in self.populations:
                raise UsageError(f"input '{self.name}' does not drive '{on.name}'.")
            on_population, ids = _population_of(on), on.ids
            none = np.empty(0, np.int64)
            return [population.slots(ids) if population is on_population else none for population in self.populations]
        found = [self.network._slots_of(population, on) for population in self.populations]
        nowhere = np.all([slots < 0 for slots in found], axis=0)
        if nowhere.any():
            raise no_such("neuron", on, nowhere, f"the populations of input '{self.name}'")
        return [slots[slots >= 0] for slots in found]

    def __repr__(self) -> str:
        targets = ", ".join(population.name for population in self.populations)
        return f"<input '{self.name}': {self.source.kind} → {targets}>"


def _stored(weight: float, name: str) -> float:
    """A weight as it is kept: float32."""
    if abs(weight) > np.finfo(np.float32).max:
        raise UsageError(f"input '{name}': a weight of {weight:g} is too large to be kept.")
    return float(np.float32(weight))


def _population_of(target: Population | Group) -> Population:
    return target.population if isinstance(target, Group) else target
