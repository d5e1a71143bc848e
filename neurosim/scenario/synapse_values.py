"""Expectations about the values of synapses: ``weights``, ``delays`` and the ``variables`` of learning rules.

Either the share of synapses whose value lies above one bound and below another, or a statistic of all values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neurosim.scenario.checker import Checker
from neurosim.scenario.reader import Location
from neurosim.scenario.schema import Expectation, SynapseValues
from neurosim.units import quantity

if TYPE_CHECKING:
    from neurosim.scenario.protocol import Cast

Values = npt.NDArray[np.float64]


def bimodality(values: Values) -> float:
    """Return Sarle's coefficient, (skewness² + 1)/kurtosis: 1/3 for a normal distribution, 5/9 for a uniform one, 1 for
    two values. Doi:10.3389/fpsyg.2013.00700.
    """
    centred = values - values.mean()
    second, third, fourth = (float(np.mean(centred**power)) for power in (2, 3, 4))
    return (third**2 / second**3 + 1.0) / (fourth / second**2) if second > 0 else float("nan")


STATISTICS: dict[str, Callable[[Values], float]] = {
    "mean": np.mean,
    "sd": np.std,
    "median": np.median,
    "min": np.min,
    "max": np.max,
    "bimodality": bimodality,
}


def measure(about: SynapseValues, variable: str, cast: Cast) -> float:
    """Return the share or statistic as it is now; nan where there is no synapse."""
    parts, unit = [], ""
    for projection in cast.synapses(about.projection):
        column, edges = getattr(projection, variable), projection.edges()
        values, unit = column.values.astype(np.float64), column.unit
        chosen = np.ones(values.size, bool)
        for name, ends in ((about.source, edges.pre), (about.target, edges.post)):
            if name is not None:
                chosen &= np.isin(ends, cast.neurons(name).ids)
        parts.append(values[chosen])
    values = np.concatenate(parts)
    if values.size == 0:
        return float("nan")
    if about.statistic is not None:
        return float(STATISTICS[about.statistic](values))
    above, below = _limits(about, unit)
    return float(np.mean((values > above) & (values < below)))


def variable_of(expectation: Expectation) -> str:
    """Return the synapse variable that an expectation is about."""
    about: SynapseValues = getattr(expectation, expectation.kind)
    return about.variable or expectation.kind.removesuffix("s")


def unit_of(expectation: Expectation, units: Mapping[str, str]) -> str:
    """Return the unit of what is measured; ``units`` are those of the projection's variables."""
    about: SynapseValues = getattr(expectation, expectation.kind)
    return "" if about.statistic in (None, "bimodality") else units.get(variable_of(expectation), "")


def describe(expectation: Expectation) -> str:
    """Return what is measured in words: ``share of weights of ee above 9 mV``."""
    about: SynapseValues = getattr(expectation, expectation.kind)
    values = expectation.kind if expectation.kind != "variables" else about.variable
    limits = "".join(
        f" {side} {limit}" for side, limit in (("above", about.above), ("below", about.below)) if limit is not None
    )
    ends = "".join(f" {side} {name}" for side, name in (("from", about.source), ("to", about.target)) if name)
    what = f"{about.statistic} of {values}" if about.statistic else f"share of {values}"
    return f"{what} of {about.projection}{ends}{limits}"


def check(expectation: Expectation, location: Location, checker: Checker) -> None:
    """Check names and bounds."""
    about: SynapseValues = getattr(expectation, expectation.kind)
    for key, name in (("from", about.source), ("to", about.target)):
        if name is not None:
            checker.refer_neurons(name, (*location, key))
    if not checker.refer("projection", about.projection, (*location, "projection"), ["projections"]):
        return
    variable, known = variable_of(expectation), checker.synapse_variables(about.projection)
    if expectation.kind == "variables":
        checker.synapse_variable(about.projection, [variable], (*location, "variable"))
    if variable in known:
        for key in ("above", "below"):
            if getattr(about, key) is not None:
                checker.attempt((*location, key), quantity, getattr(about, key), known[variable], "")


def _limits(about: SynapseValues, unit: str) -> tuple[float, float]:
    above = float("-inf") if about.above is None else quantity(about.above, unit, "above")
    below = float("inf") if about.below is None else quantity(about.below, unit, "below")
    return above, below
