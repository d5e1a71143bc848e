"""What can be said of a structural rule besides its parameters, and who keeps what it follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from neurosim.errors import InvalidInput, UsageError, unknown
from neurosim.graph.distributions import Distribution, Values, distribution
from neurosim.graph.population import Population
from neurosim.graph.projection import Projection
from neurosim.units import format_quantity


class Keeper(Protocol):
    """Whoever works out what a rule keeps of neurons."""

    def settle(self) -> None:
        """Bring what is kept up to now."""

    def renew(self) -> None:
        """Go on with the parameters as they are now."""


class Times(Protocol):
    """When a rule acts, and how long what it dies of must have held (ms)."""

    every: float
    start: float
    until: float
    lasting: float


def check_times(times: Times, dt: float | None, owner: str) -> None:
    """Raise UsageError for times at which a rule could not act, with steps of ``dt`` where that is known."""
    if dt is not None and times.every < dt / 2:
        every, step = format_quantity(times.every, "ms"), format_quantity(dt, "ms")
        raise UsageError(f"{owner} acts every {every}, which is less than a time step ({step}).")
    if times.start < 0.0:
        raise UsageError(f"{owner} cannot act from {format_quantity(times.start, 'ms')} on; times are 0 or more.")
    if times.until <= times.start:
        raise UsageError(f"{owner} ends (until) before it begins (from).")
    if not times.lasting >= 0.0:
        raise UsageError(f"{owner}: for is {format_quantity(times.lasting, 'ms')}; times are 0 or more.")


def truth(options: Mapping[str, Any], key: str, default: bool, owner: str) -> bool:
    """Return an option that is true or false; raises InvalidInput."""
    value = options.get(key, default)
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{key} of {owner} must be true or false; found {value!r:.60}.")
    return bool(value)


def check_newborns(
    projections: Iterable[Projection], options: Mapping[str, Any], unit: str, owner: str
) -> None:
    """Check ``weight`` and ``delay`` of synapses to be born: units, and the bounds of their projections."""
    for key, of in (("weight", unit), ("delay", "ms")):
        if options.get(key) is None:
            continue
        drawn = distribution(options[key], of, f"{key} of {owner}", of_pairs=key == "delay")
        _check_number(drawn, f"{key} of {owner}")
        ends = np.array([end for end in (drawn.low, drawn.high) if end is not None])
        for projection in projections:
            (projection.values.check_weights if key == "weight" else projection.grid.check)(ends)


def check_neurons(population: Population | None, initial: Any, owner: str) -> None:
    """Check that neurons can be born (in no population: nothing), with the values of ``initial``."""
    if population is None:
        return
    if population.model.times:
        name, model = population.name, population.model.name
        raise UsageError(f"{owner}: '{name}' is a {model}: its neurons come with their times.")
    given = {} if initial is None else initial
    if not isinstance(given, Mapping):
        raise InvalidInput(f"initial of {owner} is written as {{variable: value}}; found {initial!r:.60}.")
    units = {variable.name: variable.unit for variable in population.model.state}
    units |= {name: population.model.parameter(name).unit for name in population.spread}
    for name, value in given.items():
        if name not in units:
            raise unknown("state variable", str(name), units, f"of {population.model.name}")
        what = f"initial {name} of {owner}"
        _check_number(distribution(value, units[name], what), what)
    for name, before in population.spread.items():
        if name not in given and isinstance(before, Values):
            raise UsageError(
                f"{owner}: {name} of '{population.name}' was given neuron by neuron; say what newborns have: "
                f"initial: {{{name}: …}}."
            )


def _check_number(drawn: Distribution, what: str) -> None:
    """Refuse a list: nobody knows how many will be born."""
    if isinstance(drawn, Values):
        raise InvalidInput(f"{what} is a list; newborns need one value for all, or a distribution.")
