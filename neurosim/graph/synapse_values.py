"""Weights, delays and variables of a projection's synapses: drawing, checking, reading and writing them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError
from neurosim.graph.checks import extremes, finite_floats
from neurosim.graph.distributions import Distance, Distribution, distribution
from neurosim.graph.plasticity import Plasticity
from neurosim.graph.precision import Precision
from neurosim.graph.rows import Array, Index
from neurosim.graph.space import distances, points_at

if TYPE_CHECKING:
    from neurosim.graph.projection import Projection

Values = NDArray[np.float64]


class SynapseValues:
    """The values of one projection's synapses, stored in its rows; ``plasticity`` where they learn."""

    def __init__(self, projection: Projection, precision: Precision) -> None:
        self.projection = projection
        self.store = projection.store
        self.precision = precision
        self.plasticity: Plasticity | None = None
        #: Further columns that structural rules keep: name -> what a newborn synapse has there.
        self.kept: dict[str, Callable[[], int]] = {}

    @property
    def units(self) -> dict[str, str]:
        """Names and units of what every synapse has its own value of."""
        units = {"weight": self.projection.weight_unit, "delay": "ms"}
        if self.plasticity is not None:
            units |= {name: variable.unit for name, variable in self.plasticity.variables.items()}
        return units

    # -- drawing and checking ---------------------------------------------------------------------------------

    def drawn(self, name: str, value: Any, pre: Index, post: Index) -> Values:
        """Values for synapses between slots; one value where it is a plain number for all."""
        n = pre.size
        if type(value) in (float, int) and math.isfinite(value):
            return np.array([value], np.float64)
        if finite_floats(value, n):
            return np.asarray(value)
        drawn = self.distribution(name, value)
        return self.sample(drawn, self.projection.network._stream("edit", self.projection.name, name), name, pre, post)

    def distribution(self, name: str, value: Any) -> Distribution:
        """Read what values of one variable are; raises InvalidInput."""
        what = f"{name} of projection '{self.projection.name}'"
        return distribution(value, self.units[name], what, of_pairs=name == "delay")

    def sample(self, drawn: Distribution, stream: np.random.Generator, name: str, pre: Array, post: Array) -> Values:
        """Draw values of one variable for synapses between slots."""
        if isinstance(drawn, Distance):
            source, target = self.projection.source, self.projection.target
            return drawn.between(distances(points_at(source, pre), points_at(target, post)))
        return drawn.sample(stream, pre.size, self.units[name])

    def newborn(self, weights: Values, stored: Array, posts: Index) -> dict[str, Array]:
        """Values of new synapses onto slots ``posts`` for the variables that have a column, or need one now."""
        projection = self.projection
        if projection.grid.widen(stored):
            projection.network._touch()
        values: dict[str, Array] = {}
        kept = self.precision.stored(weights)
        kinds = ("weight", kept, self.precision.column), ("delay", stored, projection.grid.dtype)
        for name, new, dtype in kinds:
            if self.plasticity is not None or not self.store.admits(name, new, dtype):
                values[name] = new
        if self.plasticity is not None:
            values |= self.plasticity.initial(self.precision.shown(kept), projection.grid.shown(stored), posts.size)
        for name, newborn in self.kept.items():
            values[name] = np.full(1, newborn(), self.store.columns[name].dtype)
        return values

    def keep(self, name: str, dtype: Any, newborn: Callable[[], int]) -> None:
        """Keep one more number of every synapse; those alive begin with what a newborn has now."""
        if name not in self.kept:
            self.kept[name] = newborn
            self.store.uniform.setdefault(name, newborn())
            self.store.spread(name, np.dtype(dtype))

    def forget(self, name: str) -> None:
        """Keep that number no longer."""
        if self.kept.pop(name, None) is not None:
            self.store.drop(name)

    def check_weights(self, weights: Values) -> None:
        """Raise ``UsageError`` for a weight that cannot be kept or lies outside the bounds."""
        if weights.size == 0:
            return
        projection = self.projection
        low, high = extremes(weights)
        if max(-low, high) > self.precision.greatest:
            most = max(-low, high)
            raise UsageError(f"projection '{projection.name}': a weight of {most:g} is too large to be kept.")
        if projection.weight_bounds is None:
            return
        kept = self.precision.real.type  # what reads back from a bound may be set again
        least, most = projection.weight_bounds
        if kept(low) < kept(least) or kept(high) > kept(most):
            outside = low if kept(low) < kept(least) else high
            raise UsageError(
                f"projection '{projection.name}': a weight of {outside:g} lies outside the bounds "
                f"[{least:g}, {most:g}] {projection.weight_unit}."
            )

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self, name: str, rows: Index, places: Index) -> Values:
        """Values of one variable as they are now; writes nothing."""
        return self.read_all((name,), rows, places)[name]

    def read_all(self, names: Sequence[str], rows: Index, places: Index) -> dict[str, Values]:
        """Values of several variables as they are now."""
        known: dict[str, Values] = {}
        if self.plasticity is not None and self.plasticity.runner is not None and places.size:
            known = self.plasticity.runner.peek(self.projection, rows, places)
        return {name: known[name] if name in known else self._stored(name, places) for name in names}

    def _stored(self, name: str, places: Index) -> Values:
        values = self.store.values_at(name, places)
        if name == "delay":
            return self.projection.grid.shown(values)
        return self.precision.shown(values) if name == "weight" else values.astype(np.float64)

    # -- writing ------------------------------------------------------------------------------------------------

    def write(self, name: str, rows: Index, places: Index, values: Values) -> None:
        """Set one variable from now on."""
        projection = self.projection
        if name == "weight":
            self.check_weights(values)
        elif name == "delay":
            projection.grid.check(values)
            if self.plasticity is not None:
                self.plasticity.check_silent(rows)
        if places.size == 0:
            return
        if self.plasticity is not None and self.plasticity.runner is not None:
            self.plasticity.runner.settle(projection, np.unique(rows))
        if name == "delay":
            self._write_delays(places, projection.grid.stored(values))
            if self.plasticity is not None:
                self.plasticity.delays_edited(rows)
            return
        if name == "weight":
            self.store.spread("weight", self.precision.column)
        if self.plasticity is not None and (name != "weight" or self.plasticity.drives_weight):
            self.plasticity.bring_up(rows, places)
        self.store.columns[name][places] = self.precision.stored(values) if name == "weight" else values

    def _write_delays(self, places: Index, stored: Array) -> None:
        projection = self.projection
        if projection.network.time > 0.0 and self.plasticity is None:
            self._keep_order(places, stored)
        projection.grid.widen(stored)
        self.store.spread("delay", projection.grid.dtype)
        self.store.columns["delay"][places] = stored
        projection.network._touch()

    def _keep_order(self, places: Index, new: Array) -> None:
        """Delays are about to change: what is under way at these synapses must not be overtaken."""
        projection = self.projection
        old = self.store.values_at("delay", places)
        changed = np.zeros(self.store.capacity, bool)
        changed[places[old != new]] = True
        rows, places = self.store.places()
        rows, places = rows[changed[places]], places[changed[places]]
        emitted = projection.source.columns["last_spike"][rows]
        old = self.store.values_at("delay", places)
        projection.order.delays_change(projection._now(), projection._ids_at(rows, places), emitted, old)
