"""Injected current pulses: each begins, and ends to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import UsageError
from neurosim.graph.groups import Group
from neurosim.graph.population import Population
from neurosim.units import quantity


class Pulses:
    """The pulses that are on. A neuron's ``i_stim`` is their sum, taken anew whenever one begins or ends, so that
    nothing of a pulse remains when it is over."""

    def __init__(self) -> None:
        self._on: dict[int, tuple[Population, NDArray[Any], float]] = {}
        self._begun = 0

    def begin(self, target: Group | Population, current: Any, only: ArrayLike | None = None) -> Callable[[], None]:
        """Switch a pulse on for all of ``target`` or ``only`` for some ids of it; returns what switches it off."""
        population = target.population if isinstance(target, Group) else target
        ids = target.ids if only is None else np.unique(np.atleast_1d(np.asarray(only)))
        unit = population.model.drive_unit
        if unit is None:
            raise UsageError(f"no current can be injected into '{population.name}' ({population.model.name}).")
        amplitude = quantity(current, unit, "current")
        population.slots(ids)
        self._begun += 1
        number = self._begun
        self._on[number] = population, ids, amplitude
        self._apply(population)

        def end() -> None:
            self._on.pop(number, None)
            self._apply(population)

        return end

    def end_all(self) -> None:
        """Switch every pulse off."""
        populations = {population.name: population for population, _, _ in self._on.values()}
        self._on.clear()
        for population in populations.values():
            self._apply(population)

    def state(self) -> dict[str, NDArray[Any]]:
        """The pulses that are on, as arrays by name: ``number/population`` -> amplitude, then ids."""
        return {
            f"{number}/{population.name}": np.concatenate([[amplitude], ids])
            for number, (population, ids, amplitude) in self._on.items()
        }

    def _apply(self, population: Population) -> None:
        column = population.columns["i_stim"]
        column[:] = 0.0
        for on, ids, amplitude in self._on.values():
            if on is population:
                slots = population.network._slots_of(population, ids) if ids.size else np.zeros(0, np.int64)
                column[slots[slots >= 0]] += amplitude
        population.network._touch()
