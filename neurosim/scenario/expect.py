"""Statements about a run that it checks itself: ``expect:``.

Spikes are measured while the run goes on, so a long run costs no memory. A window ``over: [a, b]`` holds the spikes
stamped later than a and not later than b: those of the steps between them. Without ``over`` the window is the whole
run. Neurons, synapses, connectivity and degrees are measured ``at`` a time, after its edits; without it at the end.
What is measured ``relative_to`` something else of its kind is a ratio.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neurosim.scenario import synapse_values
from neurosim.scenario.checker import Checker
from neurosim.scenario.measures import MEASURES, Lifetime
from neurosim.scenario.reader import Location
from neurosim.scenario.schema import COUNTED, SPIKING, VALUES, Expectation
from neurosim.scenario.structure_values import Counts, connectivity, degree
from neurosim.units import format_quantity, quantity

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
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


class _Single(Protocol):
    """One thing that is measured: of which expectation, when it is known (ms), and in which unit."""

    expectation: Expectation
    end: float
    unit: str

    def observe(self) -> None:
        """Take what happened since the last call."""

    def value(self) -> float:
        """Return the measured value."""


class Expectations:
    """All expectations of a run: they listen to it, and say at its end what became of them."""

    def __init__(self, expected: Sequence[Expectation], simulation: Simulation, cast: Cast, duration: float) -> None:
        self._all = [_measured(expectation, simulation, cast, duration) for expectation in expected]

    def observe(self) -> None:
        """Take what happened since the last call."""
        for one in self._all:
            one.observe()

    def outcomes(self, reached: float) -> list[Outcome]:
        """Return what became of each, in the order of the file, when the run has reached ``reached`` ms."""
        return [_judge(one.expectation, one.end, reached, one) for one in self._all]


def _measured(expectation: Expectation, *run: Any) -> _Single | _Ratio:
    reference = expectation.reference
    measured = _single(expectation, *run)
    return measured if reference is None else _Ratio(measured, _single(reference, *run))


def _single(expectation: Expectation, simulation: Simulation, cast: Cast, duration: float) -> _Single:
    kind = _Window if expectation.kind in SPIKING else Counts if expectation.kind in COUNTED else _Moment
    return kind(expectation, simulation, cast, duration)


class _Ratio:
    """What is measured, relative to something else of its kind; nan where that is 0."""

    def __init__(self, measured: _Single, reference: _Single) -> None:
        self.expectation, self.end, self.unit = measured.expectation, measured.end, ""
        self._parts = measured, reference

    def observe(self) -> None:
        """Take what happened since the last call."""
        for part in self._parts:
            part.observe()

    def value(self) -> float:
        """Return the ratio."""
        measured, reference = (part.value() for part in self._parts)
        return measured / reference if reference else float("nan")


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
        if expectation.degree is not None:
            return degree(expectation.degree, self.cast)
        assert expectation.connectivity is not None
        return connectivity(expectation.connectivity.source, expectation.connectivity.target, self.cast)


def _judge(expectation: Expectation, end: float, reached: float, one: _Single | _Ratio) -> Outcome:
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
    reference = expectation.reference
    said = _about(expectation) + ("" if reference is None else f" relative to that {_about(reference, of=True)}")
    when = ""
    if expectation.over is not None:
        begin, end = (format_quantity(t, "ms") for t in expectation.over)
        when = f" over {begin} to {end}"
    elif expectation.at is not None:
        when = f" at {format_quantity(expectation.at, 'ms')}"
    return f"{said}{when}"


def _about(expectation: Expectation, of: bool = False) -> str:
    """Return what an expectation is about; with ``of``, without saying what is measured of it."""
    about, kind = getattr(expectation, expectation.kind), expectation.kind
    names = {"cv": "CV of the interspike intervals"}
    if kind == "connectivity":
        said = f"connectivity from {about.source} to {about.target}"
    elif kind == "degree":
        through = f" in {about.projection}" if about.projection else ""
        said = f"{about.statistic} {about.side}-degree of {about.of}{through}"
    elif kind in VALUES:
        said = synapse_values.describe(expectation)
    else:
        said = f"{names.get(kind, kind)} of {about}"
    return said[re.search(r"\b(of|from)\b", said).start() :] if of else said  # type: ignore[union-attr]


# -- before it runs ---------------------------------------------------------------------------------------


def check(checker: Checker) -> None:
    """Check every expectation against the rest of the scenario."""
    for index, expectation in checker.spec.expect.items():
        location: Location = ("expect", index)
        reference = expectation.reference
        unit = _check_about(expectation, (*location, expectation.kind), checker)
        if reference is not None:
            other = _check_about(reference, (*location, "relative_to"), checker)
            if unit is not None and other not in (None, unit):
                checker.add((*location, "relative_to"), f"is in {other or 'plain numbers'}, not in {unit}")
            unit = None if unit is None else ""
        if unit is None:  # complained about already
            continue
        low, high = checker.attempt((*location, "between"), bounds, expectation, unit) or (None, None)
        if low is not None and high is not None and low > high:
            checker.add((*location, "between"), f"the lower bound {low:g} is above the upper {high:g}")


def _check_about(expectation: Expectation, location: Location, checker: Checker) -> str | None:
    """Check what an expectation is about; return the unit of what is measured, None where that is not known."""
    kind, about = expectation.kind, getattr(expectation, expectation.kind)
    if kind == "connectivity":
        checker.refer_neurons(about.source, (*location, "from"))
        checker.refer_neurons(about.target, (*location, "to"))
    elif kind in VALUES:
        synapse_values.check(expectation, location, checker)
        known = checker.synapse_variables(about.projection)
        return synapse_values.unit_of(expectation, known) if synapse_values.variable_of(expectation) in known else None
    elif kind == "degree":
        checker.refer_neurons(about.of, (*location, "of"))
        if about.projection is not None:
            checker.refer("projection", about.projection, (*location, "projection"), ["projections"])
    elif kind == "synapses":
        checker.refer("projection", about, location, ["projections"])
    elif kind in COUNTED:
        checker.refer("population or projection", about, location, ["populations", "projections"])
    else:
        checker.refer_neurons(about, location)
    return UNITS.get(kind, "")
