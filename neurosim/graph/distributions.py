"""Where weights, delays, initial values and parameters come from: one value, one per element, or draws.

Parameters are quantities in the unit of what is drawn. Plain numbers are taken to be in it, so a
distribution can be made before the unit is known: ``uniform("1 ms", "20 ms")`` is read when it is bound, by
`distribution` or `sample`.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from neurosim.errors import InvalidInput, unknown
from neurosim.units import format_quantity, quantities, quantity

Array = npt.NDArray[np.float64]

_MOST_STEPS = 100_000  # values of a balanced distribution
_LEAST_DELAY = 1e-9  # ms, over no distance: 0 would be an arrival within the step
_ONLY_PAIRS = "a distance is between two neurons: only delays of synapses can depend on it"
_LEAST_ACCEPTED = 0.01  # share of a normal distribution that a truncation must leave; bounds the redrawing


@dataclass(frozen=True)
class Distribution(ABC):
    """Base of all distributions; ``of_pairs`` are those that ask how far two neurons are apart."""

    of_pairs: ClassVar[bool] = False

    def bind(self, unit: str, what: str = "value") -> Self:
        """Return the distribution with its parameters as floats in ``unit``, checked; raises InvalidInput."""
        read = {field.name: self._read(field.name, unit, what) for field in fields(self)}
        bound = replace(self, **read)
        if problem := bound._problem(unit):
            raise InvalidInput(f"{what}: {problem}")
        return bound

    def sample(self, rng: np.random.Generator, n: int, unit: str) -> Array:
        """Draw ``n`` values in ``unit``, shape (n,)."""
        return self.bind(unit)._draw(rng, n)

    @property
    def low(self) -> float | None:
        """The least value possible, once bound; None where there is none."""
        return None

    @property
    def high(self) -> float | None:
        """The greatest value possible, once bound; None where there is none."""
        return None

    @classmethod
    def _written(cls, arguments: Any) -> Self:
        """Make one from what stands after its name: parameters by name, or in order; raises TypeError."""
        if isinstance(arguments, Mapping):
            return cls(**{str(name): value for name, value in arguments.items()})
        return cls(*(arguments if isinstance(arguments, list | tuple) else [arguments]))

    def _read(self, name: str, unit: str, what: str) -> Any:
        value = getattr(self, name)
        bound = type(value) is float and math.isfinite(value)  # already; edits draw often, and reading units takes time
        return value if bound else quantity(value, unit, f"{name} of {what}")

    def _problem(self, unit: str) -> str:
        """Say what is wrong with bound parameters, or nothing."""
        return ""

    @abstractmethod
    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        """Draw from bound parameters."""


@dataclass(frozen=True)
class Constant(Distribution):
    """The same value for all."""

    value: Any

    @property
    def low(self) -> float:
        return float(self.value)

    high = low

    def _read(self, name: str, unit: str, what: str) -> float:
        return quantity(self.value, unit, what)

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        return np.full(n, self.value, np.float64)


@dataclass(frozen=True, eq=False)
class Values(Distribution):
    """One value for each element, in their order; draws nothing."""

    values: Any

    @property
    def low(self) -> float | None:
        return float(self.values.min()) if self.values.size else None

    @property
    def high(self) -> float | None:
        return float(self.values.max()) if self.values.size else None

    def _read(self, name: str, unit: str, what: str) -> Array:
        return quantities(self.values, unit, what)

    def _problem(self, unit: str) -> str:
        return "" if self.values.ndim == 1 else f"needs one value per element, found shape {self.values.shape}"

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        if len(self.values) != n:
            raise InvalidInput(f"{len(self.values)} values were given for {n} elements")
        values: Array = self.values
        return values


@dataclass(frozen=True)
class Uniform(Distribution):
    """Evenly between two values."""

    minimum: Any
    maximum: Any

    @property
    def low(self) -> float:
        return float(self.minimum)

    @property
    def high(self) -> float:
        return float(self.maximum)

    def _problem(self, unit: str) -> str:
        if not math.isfinite(self.maximum - self.minimum):
            return "minimum and maximum are too far apart"
        return _order(self.minimum, self.maximum, unit)

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        return rng.uniform(self.minimum, self.maximum, n)


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal with a mean and a standard deviation; unbounded, so see `TruncatedNormal` for delays."""

    mean: Any
    sd: Any

    def _problem(self, unit: str) -> str:
        return _spread(self.sd, unit)

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        return rng.normal(self.mean, self.sd, n)


@dataclass(frozen=True)
class TruncatedNormal(Distribution):
    """Normal, drawn again until it lies within bounds; ``mean`` and ``sd`` are those before that."""

    mean: Any
    sd: Any
    minimum: Any
    maximum: Any = math.inf

    @property
    def low(self) -> float:
        return float(self.minimum)

    @property
    def high(self) -> float | None:
        return float(self.maximum) if math.isfinite(self.maximum) else None

    def _read(self, name: str, unit: str, what: str) -> float:
        return quantity(getattr(self, name), unit, f"{name} of {what}", infinite=name == "maximum")

    def _problem(self, unit: str) -> str:
        if problem := _order(self.minimum, self.maximum, unit) or _spread(self.sd, unit):
            return problem
        if self.sd == 0:
            inside = float(self.minimum <= self.mean <= self.maximum)
        else:
            ends = ((bound - self.mean) / (self.sd * math.sqrt(2)) for bound in (self.minimum, self.maximum))
            below, above = map(math.erf, ends)
            inside = 0.5 * (above - below)
        return "" if inside >= _LEAST_ACCEPTED else f"only {inside:.2g} of the normal distribution is within bounds"

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        values = rng.normal(self.mean, self.sd, n)
        outside = np.flatnonzero((values < self.minimum) | (values > self.maximum))
        while outside.size:
            drawn = rng.normal(self.mean, self.sd, outside.size)
            values[outside] = drawn
            outside = outside[(drawn < self.minimum) | (drawn > self.maximum)]
        return values


@dataclass(frozen=True)
class Lognormal(Distribution):
    """Lognormal with the mean and standard deviation of the variable itself (not of its logarithm).

    A negative mean gives the mirror image, for inhibitory weights.
    """

    mean: Any
    sd: Any

    @property
    def low(self) -> float | None:
        return 0.0 if self.mean > 0 else None

    @property
    def high(self) -> float | None:
        return 0.0 if self.mean < 0 else None

    def _problem(self, unit: str) -> str:
        if self.mean == 0 or not math.isfinite(self.sd / self.mean):
            return "the mean of a lognormal must not be 0"
        return _spread(self.sd, unit)

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        ratio = self.sd / abs(self.mean)
        variance = math.log1p(ratio**2) if ratio < 1e100 else 2.0 * math.log(ratio)
        location = math.log(abs(self.mean)) - variance / 2
        return math.copysign(1.0, self.mean) * rng.lognormal(location, math.sqrt(variance), n)


@dataclass(frozen=True)
class Exponential(Distribution):
    """Exponential with a mean; a negative mean gives the mirror image."""

    mean: Any

    @property
    def low(self) -> float | None:
        return 0.0 if self.mean >= 0 else None

    @property
    def high(self) -> float | None:
        return 0.0 if self.mean <= 0 else None

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        return float(self.mean) * rng.standard_exponential(n)


@dataclass(frozen=True, eq=False)
class Balanced(Distribution):
    """Each of k values equally often: the first k elements hold each once, in random order, then the next k, and so on.

    So with ``fixed_outdegree`` each source has each value equally often, where its synapses are a multiple of k.
    ``values`` is a list or array of quantities, or ``{"from": a, "to": b, "steps": k}``.
    """

    values: Any

    @property
    def low(self) -> float:
        return float(self.values.min())

    @property
    def high(self) -> float:
        return float(self.values.max())

    @classmethod
    def _written(cls, arguments: Any) -> Self:
        return cls(arguments)

    def _read(self, name: str, unit: str, what: str) -> Array:
        if isinstance(self.values, Mapping):
            return _steps(self.values, unit, what)
        return np.atleast_1d(quantities(self.values, unit, f"{name} of {what}"))

    def _problem(self, unit: str) -> str:
        fits = self.values.ndim == 1 and 1 <= self.values.size <= _MOST_STEPS
        return "" if fits else f"balanced takes a list of 1 to {_MOST_STEPS} values, found shape {self.values.shape}"

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        size = self.values.size
        order = np.tile(np.arange(size), (-(-n // size), 1))
        drawn: Array = self.values[rng.permuted(order, axis=1).ravel()[:n]]
        return drawn


@dataclass(frozen=True)
class Distance(Distribution):
    """A delay that grows with the distance of two neurons: offset + distance/velocity, and more than 0.

    ``velocity`` is in um/ms or has a unit: "0.3 mm/ms", "0.3 m/s".
    """

    velocity: Any
    offset: Any = 0.0
    of_pairs = True

    @property
    def low(self) -> float:
        return float(self.offset)

    def between(self, distances: Array) -> Array:
        """Delays (ms) over distances (um), from bound parameters."""
        delays: Array = np.maximum(self.offset + distances / self.velocity, _LEAST_DELAY)
        return delays

    def _read(self, name: str, unit: str, what: str) -> float:
        if unit != "ms":
            raise InvalidInput(f"{what}: a distance makes delays, in ms; it cannot be in {unit or 'plain numbers'}")
        return quantity(getattr(self, name), "um/ms" if name == "velocity" else "ms", f"{name} of {what}")

    def _problem(self, unit: str) -> str:
        if self.velocity <= 0:
            return f"the velocity must be more than 0, found {self.velocity:g} um/ms"
        return "" if self.offset >= 0 else f"the offset must not be negative, found {self.offset:g} ms"

    def _draw(self, rng: np.random.Generator, n: int) -> Array:
        raise InvalidInput(_ONLY_PAIRS)


def _steps(written: Mapping[Any, Any], unit: str, what: str) -> Array:
    """Read ``{from: a, to: b, steps: n}``: n numbers at equal distances, both ends included."""
    if set(written) != {"from", "to", "steps"}:
        raise InvalidInput(f"{what}: steps are written {{from: a, to: b, steps: n}}, found {dict(written)!r:.60}")
    count = written["steps"]
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _MOST_STEPS:
        raise InvalidInput(f"{what}: steps is a whole number from 1 to {_MOST_STEPS}, found {count!r:.60}")
    first, last = (quantity(written[end], unit, f"{end} of {what}") for end in ("from", "to"))
    return np.linspace(first, last, count)


def _order(minimum: float, maximum: float, unit: str) -> str:
    if minimum <= maximum:
        return ""
    return f"the minimum {format_quantity(minimum, unit)} is above the maximum {format_quantity(maximum, unit)}"


def _spread(sd: float, unit: str) -> str:
    return "" if sd >= 0 else f"the standard deviation must not be negative, found {format_quantity(sd, unit)}"


constant, uniform, normal, truncated_normal = Constant, Uniform, Normal, TruncatedNormal
lognormal, exponential, balanced, distance = Lognormal, Exponential, Balanced, Distance

KINDS: dict[str, type[Distribution]] = {
    "constant": Constant, "uniform": Uniform, "normal": Normal, "truncated_normal": TruncatedNormal,
    "lognormal": Lognormal, "exponential": Exponential, "balanced": Balanced, "distance": Distance,
}  # fmt: skip
"""Distributions by the name that scenarios use."""

_SUGAR = re.compile(r"\s*([^\W\d]\w*)\s*\(([^()]*)\)\s*")


def distribution(spec: Any, unit: str, what: str = "value", *, of_pairs: bool = False) -> Distribution:
    """Read what stands for one or many values, and bind it to ``unit``.

    ``spec`` is a quantity (`neurosim.units.quantity`), an array or list of them, a `Distribution`,
    ``{"uniform": ["1 ms", "5 ms"]}``, ``{"uniform": {"minimum": …, "maximum": …}}`` or ``"uniform(1 ms, 5
    ms)"``. Raises InvalidInput; ``what`` names the quantity in messages. ``of_pairs`` allows what depends on distance.
    """
    drawn = _parsed(spec, what)
    if drawn.of_pairs and not of_pairs:
        raise InvalidInput(f"{what}: {_ONLY_PAIRS}")
    return drawn.bind(unit, what)


def _parsed(spec: Any, what: str) -> Distribution:
    if isinstance(spec, Distribution):
        return spec
    if isinstance(spec, Mapping):
        if len(spec) != 1:
            raise InvalidInput(f"{what}: a distribution is written {{uniform: [a, b]}}, found {len(spec)} keys")
        ((kind, arguments),) = spec.items()
        return _made(str(kind), arguments, what)
    if isinstance(spec, str) and (match := _SUGAR.fullmatch(spec[:1000])):
        return _made(match[1], [part.strip() for part in match[2].split(",")], what)
    if isinstance(spec, str) and spec.strip() in KINDS:
        raise InvalidInput(f"{what}: write {spec.strip()}({_signature(KINDS[spec.strip()])})")
    if isinstance(spec, list | tuple) or getattr(spec, "shape", ()) != ():
        return Values(spec)
    return Constant(spec)


def _made(kind: str, arguments: Any, what: str) -> Distribution:
    if kind not in KINDS:
        raise unknown("distribution", kind, KINDS, f"for {what}")
    made = KINDS[kind]
    try:
        return made._written(arguments)
    except TypeError:
        raise InvalidInput(f"{what}: {kind} takes ({_signature(made)})") from None


def _signature(kind: type[Distribution]) -> str:
    return ", ".join(field.name for field in fields(kind))
