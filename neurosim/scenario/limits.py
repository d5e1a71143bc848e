"""What the time step, the sizes and the number formats allow. Nothing is built for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from neurosim.errors import NeurosimError
from neurosim.graph.connectors import Connector, connector
from neurosim.graph.delays import MAX_STEPS
from neurosim.graph.distributions import Distribution, Values, distribution
from neurosim.rng import MAX_POISSON_MEAN
from neurosim.scenario.checker import Checker
from neurosim.scenario.reader import Location
from neurosim.scenario.schema_network import Population, Projection
from neurosim.units import format_quantity, quantity

_GREATEST = float(np.finfo(np.float32).max)
_MOST_STEPS = 2.0**62


def check(checker: Checker) -> None:
    """Check what has been understood so far against these limits; what has not has been complained about."""
    limits = _Limits(checker)
    header = checker.spec.header
    if not math.isfinite(header.duration):  # the header could not be understood
        return
    if header.duration / header.dt > _MOST_STEPS:
        checker.add(("duration",), f"is more time steps of {limits.step} than can be counted")
    for location, period in _periods(checker):
        if period < 0.5 * header.dt:
            checker.add(location, f"is less than a time step ({limits.step})")
    for name, population in checker.spec.populations.items():
        limits.sources(name)
        units = checker.variables(name)
        for variable, value in population.each_initial.items():
            limits.list_length(name, value, units.get(variable), ("populations", name, "initial", variable))
        limits.spread(name, population)
    for name, drive in checker.spec.inputs.items():
        if drive.kind == "poisson":
            limits.input_rate(drive.arguments.get("rate"), ("inputs", name, "poisson", "rate"))
            for target in drive.to:
                limits.weight(drive.weight, _weight_unit(checker, target), ("inputs", name, "weight"))
    for name, projection in checker.spec.projections.items():
        limits.projection(name, projection)
    for index, entry in checker.spec.protocol.items():
        for location, action in (
            (("protocol", index), entry), *((("protocol", index, "do", k), inner) for k, inner in enumerate(entry.do))
        ):  # fmt: skip
            for path, value in (action.set or {}).items():
                limits.setting(path, value, (*location, "set", path))


def _periods(checker: Checker) -> Iterator[tuple[Location, float]]:
    record = checker.spec.record
    for index, entry in checker.spec.protocol.items():
        if entry.every is not None:
            yield ("protocol", index, "every"), entry.every
    for section, samplers in (("state", record.state), ("synapses", record.synapses)):
        for name, sampler in samplers.items():
            yield ("record", section, name, "every"), sampler.every


def _weight_unit(checker: Checker, target: str) -> str | None:
    configured = checker.model_of(target)
    units = [receptor.unit for receptor in configured.model.receptors.values()] if configured else []
    return units[0] if units else None


def _read(value: Any, unit: str | None) -> Distribution | None:
    """A distribution, or None where it could not be understood."""
    try:
        return None if unit is None or value is None else distribution(value, unit, of_pairs=True)
    except NeurosimError:
        return None


def _ends(drawn: Distribution) -> list[float]:
    return [end for end in (drawn.low, drawn.high) if end is not None]


class _Limits:
    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.dt = checker.spec.header.dt
        self.step = format_quantity(self.dt, "ms")

    def sources(self, name: str) -> None:
        configured = self.checker.models.get(name)
        if configured is not None and configured.name == "poisson":
            each = _read(configured.spread.get("rate", configured.parameters.get("rate")), "Hz")
            rate = 0.0 if each is None else max(_ends(each), default=0.0)
            if rate * self.dt > 1000.0:
                most = format_quantity(1000.0 / self.dt, "Hz")
                message = f"{format_quantity(rate, 'Hz')} is more than one spike per time step; allowed is up to {most}"
                self.checker.add(("populations", name, "model", "poisson", "rate"), message)

    def input_rate(self, value: Any, location: Location) -> None:
        try:
            rate = quantity(value, "Hz", "")
        except NeurosimError:
            return
        if rate * self.dt / 1000.0 > MAX_POISSON_MEAN:
            message = f"is {rate * self.dt / 1000.0:g} events per time step; allowed are up to {MAX_POISSON_MEAN:g}"
            self.checker.add(location, message)

    def weight(self, value: Any, unit: str | None, location: Location) -> None:
        drawn = _read(value, unit)
        if drawn is not None and any(abs(end) > _GREATEST for end in _ends(drawn)):
            self.checker.add(location, f"is too large to be kept (at most {_GREATEST:.3g})")

    def delay(self, value: Any, location: Location) -> None:
        drawn = _read(value, "ms")
        if drawn is not None and any(end / self.dt > MAX_STEPS for end in _ends(drawn)):
            longest = format_quantity(MAX_STEPS * self.dt, "ms")
            self.checker.add(location, f"is more than {MAX_STEPS} time steps ({longest})")

    def list_length(self, population: str, value: Any, unit: str | None, location: Location) -> None:
        drawn, size = _read(value, unit), self.checker.sizes.get(population)
        if isinstance(drawn, Values) and size is not None and drawn.values.size != size:
            self.checker.add(location, f"has {drawn.values.size} values for {size} neurons")

    def spread(self, name: str, population: Population) -> None:
        """Check that parameters given as lists have a value for each neuron."""
        configured = self.checker.models.get(name)
        if configured is None:
            return
        place = ("parameters",) if population.model is None else ("model", population.model.name)
        for key, value in configured.spread.items():
            unit = configured.model.parameter(key).unit
            self.list_length(name, value, unit, ("populations", name, *place, key))

    def setting(self, path: str, value: Any, location: Location) -> None:
        parts = path.split(".")
        if parts[0] == "inputs" and parts[-1] == "rate":
            self.input_rate(value, location)
        elif parts[0] == "projections" and parts[-1] == "delay":
            self.delay(value, location)
        elif parts[0] == "projections" and parts[-1] == "weight":
            self.weight(value, self.checker.weight_unit(parts[1]), location)

    def projection(self, name: str, projection: Projection) -> None:
        location = ("projections", name)
        unit = self.checker.weight_unit(name)
        self.weight(projection.weight, unit, (*location, "weight"))
        self.delay(projection.delay, (*location, "delay"))
        for key, given in projection.bounds.items():
            of = "ms" if key == "delay" else unit
            low, high = (_read(end, of) for end in given)
            drawn = _read(getattr(projection, key), of)
            if key == "delay":
                self.delay(list(given), (*location, "bounds", key))
            if low is None or high is None or drawn is None:
                continue
            least, most = _ends(low)[0], _ends(high)[0]
            if any(not least <= end <= most for end in _ends(drawn)):
                self.checker.add((*location, key), f"lies outside its bounds [{least:g}, {most:g}] {of}".rstrip())
        if projection.connect.name != "graph":
            for target in projection.to:
                self.partners(projection, target, (*location, "connect"))

    def partners(self, projection: Projection, target: str, location: Location) -> None:
        """Check that there are enough neurons to connect to."""
        try:
            rule: Connector = connector(projection.connect.spec)
        except (NeurosimError, TypeError, ValueError, OverflowError):
            return
        sizes = [self.checker.sizes.get(side) for side in (projection.source, target)]
        if sizes[0] is None or sizes[1] is None:
            return
        if rule.name == "one_to_one" and sizes[0] != sizes[1]:
            self.checker.add(location, f"needs populations of equal size, found {sizes[0]} and {sizes[1]} neurons")
        side = {"indegree": 0, "outdegree": 1}.get(rule.name.rpartition("_")[2])
        if side is None or getattr(rule, "multapses", True):
            return
        others = int(sizes[side] or 0) - (projection.source == target and not getattr(rule, "autapses", True))
        wanted = getattr(rule, "n", 0)
        if wanted > others:
            self.checker.add(location, f"asks for {wanted} different partners; there are {others}")
