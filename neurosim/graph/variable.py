"""Views of what neurons and synapses have their own values of, read and written by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.graph.distributions import distribution

if TYPE_CHECKING:
    from neurosim.graph.population import Population
    from neurosim.graph.projection import Projection

Values = NDArray[np.float64]


class NeuronVariable:
    """One variable of a population, e.g. ``pop.v``; values are float64 in ``unit``."""

    def __init__(self, population: Population, name: str, unit: str) -> None:
        self._population = population
        self.name = name
        self.unit = unit

    @property
    def values(self) -> Values:
        """All values, in the order of ``population.ids``."""
        return self[self._population.ids]

    def __getitem__(self, ids: ArrayLike) -> Values:
        slots = self._population.slots(ids)
        values: Values = self._population.columns[self.name][slots]
        return values

    def __setitem__(self, ids: ArrayLike, value: Any) -> None:
        population = self._population
        population.network._check_editable()
        slots = population.slots(ids)
        drawn = distribution(value, self.unit, f"{population.name}.{self.name}")
        stream = population.network._stream("set", population.name, self.name)
        values = drawn.sample(stream, slots.size, self.unit)
        population._check_values(self.name, values)
        population.columns[self.name][slots] = values
        population.network._touch()

    def set(self, value: Any) -> None:
        """Set all neurons: a number, a quantity, an array in the order of ``ids`` or a distribution."""
        self[self._population.ids] = value

    def __repr__(self) -> str:
        return f"<{self._population.name}.{self.name} in {self.unit or '1'}: {self.values!r}>"


class SynapseVariable:
    """``projection.weight`` or ``projection.delay``, by synapse id; weights in the receptor's unit, delays in ms."""

    def __init__(self, projection: Projection, name: str, unit: str) -> None:
        self._projection = projection
        self.name = name
        self.unit = unit

    @property
    def values(self) -> Values:
        """All values, in the order of ``projection.ids``."""
        return self._projection.values.read(self.name, *self._projection._rows_and_places(None))

    def __getitem__(self, ids: ArrayLike) -> Values:
        return self._projection.values.read(self.name, *self._projection._rows_and_places(ids))

    def __setitem__(self, ids: ArrayLike, value: Any) -> None:
        self._write(*self._projection._rows_and_places(ids), value)

    def set(self, value: Any) -> None:
        """Set all synapses: a number, a quantity, an array in the order of ``ids`` or a distribution."""
        self._write(*self._projection._rows_and_places(None), value)

    def _write(self, rows: NDArray[np.int64], places: NDArray[np.int64], value: Any) -> None:
        projection = self._projection
        projection.network._check_editable()
        drawn = projection.values.distribution(self.name, value)
        stream = projection.network._stream("set", projection.name, self.name)
        values = projection.values.sample(drawn, stream, self.name, rows, projection.store.columns["post"][places])
        projection.values.write(self.name, rows, places, values)

    def __repr__(self) -> str:
        return f"<{self._projection.name}.{self.name} in {self.unit or '1'}: {self.values!r}>"

