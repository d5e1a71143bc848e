"""Statements about a run that it checks itself: ``expect:``.

Spikes are measured while the run goes on, so a long run costs no memory. A window ``over: [a, b]`` holds the spikes
stamped later than a and not later than b: those of the steps between them. Without ``over`` the window is the whole
run. Neurons, synapses and connectivity are measured ``at`` a time, after its edits; without it at the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.scenario import synapse_values
from neurosim.scenario.checker import Checker
from neurosim.scenario.measures import MEASURES, Lifetime
from neurosim.scenario.reader import Location
from neurosim.scenario.schema import OVER, VALUES, Expectation
from neurosim.units import format_quantity, quantity

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.graph.population import Population
    from neurosim.scenario.protocol import Cast

UNITS = {"rate": "Hz"}  # of what is measured; the rest are plain numbers


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation.

    ``status`` is ``held``, ``failed`` or ``not evaluated`` (the run ended before); ``value`` is then None.
    """

    text: str
    status: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome for JSON."""
        bounds = [self.low, self.high]
        keys = {
            "text": self.text,
            "status": self.status,
            "value": self.value,
            "between": bounds,
            "unit": self.unit,
        }
        return keys | ({"note": self.note} if self.note else {})

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.text}: not evaluated{f' ({self.note})' if self.note else ''}"
        low = "…" if self.low is None else f"{self.low:g}"
        high = "…" if self.high is None else f"{self.high:g}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.text}: {self.value:.4g}{unit}, expected {low} to {high}{unit}: {self.status}"


class Expectations:
    """All expectations of a run: they listen to it, and say at its end what became of them."""

    def __init__(self, expected: Sequence[Expectation], simulation: Simulation, cast: Cast, duration: float) -> None:
        kinds = [_Window if expectation.kind in OVER else _Moment for expectation in expected]
        self._all = [kind(expectation, simulation, cast, duration) for kind, expectation in zip(kinds, expected)]

    def observe(self) -> None:
        """Take what happened since the last call."""
        for one in self._all:
            one.observe()

    def outcomes(self, reached: float) -> list[Outcome]:
        """Return what became of each, in the order of the file, when the run has reached ``reached`` ms."""
        return [_judge(one.expectation, one.end, reached, one) for one in self._all]


class _Window:
    """An expectation about the spikes between two times."""

    def __init__(self, expectation: Expectation, simulation: Simulation, cast: Cast, duration: float) -> None:
        self.expectation, self.unit = expectation, UNITS.get(expectation.kind, "")
        self.begin, self.end = expectation.over or (0.0, duration)
        self.measure = MEASURES[expectation.kind]()
        self.neurons = cast.neurons(getattr(expectation, expectation.kind))
        self.dt = simulation.dt
        self.steps = simulation.steps(self.begin), simulation.steps(self.end)
        self.lifetime = Lifetime(self.neurons, 0.0)
        simulation.network.history.observers.append(lambda *event: self.lifetime.observe(*event))
        self.recorder = simulation.record_spikes(self.neurons)
        if self.begin > 0:
            simulation.at(self.begin, self._begin)

    def _begin(self, simulation: Simulation) -> None:
        self.lifetime = Lifetime(self.neurons, simulation.time)

    def observe(self) -> None:
        """Take the spikes since the last call that fall into the window."""
        steps, ids = self.recorder.drain()
        inside = (steps > self.steps[0]) & (steps <= self.steps[1])
        self.measure.observe(np.multiply(steps[inside], self.dt, dtype=np.float64), ids[inside])

    def value(self) -> float:
        """Return the measured value."""
        window = self.end - self.begin
        return self.measure.value(self.lifetime.until(self.end) / window, window)


class _Moment:
    """An expectation about the network at one time."""

    def __init__(self, expectation: Expectation, simulation: Simulation, cast: Cast, duration: float) -> None:
        self.expectation, self.unit = expectation, ""
        if expectation.kind in VALUES:
            (projection, *_) = cast.synapses(getattr(expectation, expectation.kind).projection)
            self.unit = synapse_values.unit_of(expectation, projection.variables)
        self.end = duration if expectation.at is None else expectation.at
        self.cast = cast
        self.found: float | None = None
        if expectation.at is not None and 0 < self.end <= duration:
            simulation.at(self.end, self._measure)
        elif expectation.at == 0:
            self._measure(simulation)

    def _measure(self, simulation: Simulation) -> None:
        self.found = self._now()

    def observe(self) -> None:
        """Nothing happens between."""

    def value(self) -> float:
        """Return what was found; what is asked of the end is looked up now."""
        return self._now() if self.found is None else self.found

    def _now(self) -> float:
        expectation = self.expectation
        if expectation.neurons is not None:
            return float(self.cast.neurons(expectation.neurons).size)
        if expectation.synapses is not None:
            return float(sum(projection.size for projection in self.cast.synapses(expectation.synapses)))
        if expectation.kind in VALUES:
            about = getattr(expectation, expectation.kind)
            return synapse_values.measure(about, synapse_values.variable_of(expectation), self.cast)
        assert expectation.connectivity is not None
        return _connectivity(expectation.connectivity.source, expectation.connectivity.target, self.cast)


def _connectivity(source: str, target: str, cast: Cast) -> float:
    """Return the share of all pairs (without autapses) that are connected by at least one synapse."""
    sources, targets = cast.neurons(source), cast.neurons(target)
    pairs: set[tuple[int, int]] = set()
    for projection in cast.network.projections.values():
        if projection.source is _population(sources) and projection.target is _population(targets):
            edges = projection.edges()
            inside = np.isin(edges.pre, sources.ids) & np.isin(edges.post, targets.ids) & (edges.pre != edges.post)
            pairs.update(zip(edges.pre[inside].tolist(), edges.post[inside].tolist()))
    possible = sources.size * targets.size - np.intersect1d(sources.ids, targets.ids).size
    return len(pairs) / possible if possible else 0.0


def _population(neurons: Any) -> Population:
    population: Population = getattr(neurons, "population", neurons)
    return population


def _judge(expectation: Expectation, end: float, reached: float, one: _Window | _Moment) -> Outcome:
    unit = one.unit
    low, high = bounds(expectation, unit)
    said = describe(expectation)
    if end > reached * (1 + 1e-12):
        return Outcome(
            said, "not evaluated", None, low, high, unit, f"the run ended at {format_quantity(reached, 'ms')}"
        )
    value = one.value()
    if math.isnan(value):
        return Outcome(said, "failed", None, low, high, unit, "there is too little to measure it by")
    held = (low is None or value >= low) and (high is None or value <= high)
    return Outcome(said, "held" if held else "failed", value, low, high, unit)


def bounds(expectation: Expectation, unit: str) -> tuple[float | None, float | None]:
    """Return ``between`` as numbers in the unit of what is measured; None is an open end."""
    low, high = (None if bound is None else quantity(bound, unit, "") for bound in expectation.between)
    return low, high


def needed(expectation: Expectation) -> float:
    """Return the time (ms) that a run must reach for an expectation to be evaluated; 0 where any will do."""
    return expectation.over[1] if expectation.over is not None else expectation.at or 0.0


def describe(expectation: Expectation) -> str:
    """Return an expectation in words, e.g. ``rate of exc over 200 ms to 1 s``."""
    about = getattr(expectation, expectation.kind)
    names = {"cv": "CV of the interspike intervals"}
    said = f"{names.get(expectation.kind, expectation.kind)} of {about}"
    if expectation.kind == "connectivity":
        said = f"connectivity from {about.source} to {about.target}"
    elif expectation.kind in VALUES:
        said = synapse_values.describe(expectation)
    when = ""
    if expectation.over is not None:
        begin, end = (format_quantity(t, "ms") for t in expectation.over)
        when = f" over {begin} to {end}"
    elif expectation.at is not None:
        when = f" at {format_quantity(expectation.at, 'ms')}"
    return f"{said}{when}"


# -- before it runs ---------------------------------------------------------------------------------------


def check(checker: Checker) -> None:
    """Check every expectation against the rest of the scenario."""
    for index, expectation in checker.spec.expect.items():
        location: Location = ("expect", index)
        kind, about = expectation.kind, getattr(expectation, expectation.kind)
        unit = UNITS.get(kind, "")
        if kind == "connectivity":
            checker.refer_neurons(about.source, (*location, kind, "from"))
            checker.refer_neurons(about.target, (*location, kind, "to"))
        elif kind in VALUES:
            synapse_values.check(expectation, (*location, kind), checker)
            known = checker.synapse_variables(about.projection)
            unit = synapse_values.unit_of(expectation, known)
            if synapse_values.variable_of(expectation) not in known:  # complained about already
                continue
        elif kind == "synapses":
            checker.refer("projection", about, (*location, kind), ["projections"])
        else:
            checker.refer_neurons(about, (*location, kind))
        low, high = checker.attempt((*location, "between"), bounds, expectation, unit) or (None, None)
        if low is not None and high is not None and low > high:
            checker.add((*location, "between"), f"the lower bound {low:g} is above the upper {high:g}")
