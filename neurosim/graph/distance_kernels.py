"""How the chance of a synapse falls off with distance.

A kernel is 1 at distance 0, never rises, and counts as 0 beyond its ``cutoff``: left out, that is where it has fallen
to 1/1000. What is cut off is little for a Gaussian (0.1 % of its content in a plane, 0.3 % in space), more for an
exponential (0.8 % and 3 %); a power law needs a cutoff of your own.

>>> from neurosim import kernels
>>> kernels.exponential("100 um")
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import UsageError
from neurosim.graph import kinds
from neurosim.graph.kinds import Kind, length, parameter
from neurosim.units import quantity

ACCURACY = 1e-3  # share of its maximum below which a kernel is cut off

Values = NDArray[np.float64]


@dataclass(frozen=True)
class DistanceKernel(Kind):
    """A number from 1 (at distance 0) down to 0, as a function of distance."""

    @property
    def reach(self) -> float:
        """The distance (um) beyond which the kernel is 0."""
        own: float | None = getattr(self, "cutoff", None)
        return self._falls_to(ACCURACY) if own is None else own

    def __call__(self, distance: ArrayLike) -> Values:
        """Values at distances in um."""
        r = np.asarray(distance, np.float64)
        return np.where(r <= self.reach, self._at(r), 0.0)

    @abstractmethod
    def _at(self, r: Values) -> Values:
        """Values where nothing is cut off."""

    @abstractmethod
    def _falls_to(self, share: float) -> float:
        """The distance at which the kernel has fallen to ``share``."""


def _cutoff() -> Any:
    def read(given: Any, what: str) -> float | None:
        if given is None:
            return None
        value = quantity(given, "um", what)
        if value <= 0.0:
            raise UsageError(f"{what} must be more than 0; found {value:g} um.")
        return value

    meaning = "distance beyond which it is 0; left out, where it has fallen to 1/1000"
    return parameter(meaning, read, unit="um", default=None)


@dataclass(frozen=True)
class Exponential(DistanceKernel):
    """exp(-r/scale): falls to 1/e at ``scale``."""

    scale: float = length("length constant")
    cutoff: float | None = _cutoff()
    name = "exponential"

    def _at(self, r: Values) -> Values:
        return np.exp(-r / self.scale)

    def _falls_to(self, share: float) -> float:
        return -self.scale * math.log(share)


@dataclass(frozen=True)
class Gaussian(DistanceKernel):
    """exp(-r²/(2 sigma²)): ``sigma`` is the standard deviation along each axis."""

    sigma: float = length("standard deviation")
    cutoff: float | None = _cutoff()
    name = "gaussian"

    def _at(self, r: Values) -> Values:
        return np.exp(-0.5 * (r / self.sigma) ** 2)

    def _falls_to(self, share: float) -> float:
        return self.sigma * math.sqrt(-2.0 * math.log(share))


@dataclass(frozen=True)
class Linear(DistanceKernel):
    """1 - r/radius: falls in a straight line to 0 at ``radius``."""

    radius: float = length("where it ends")
    name = "linear"

    def _at(self, r: Values) -> Values:
        return np.maximum(1.0 - r / self.radius, 0.0)

    def _falls_to(self, share: float) -> float:
        return self.radius


@dataclass(frozen=True)
class Step(DistanceKernel):
    """1 as far as ``radius`` (included), and 0 beyond."""

    radius: float = length("where it ends")
    name = "step"

    def _at(self, r: Values) -> Values:
        return np.ones_like(r)

    def _falls_to(self, share: float) -> float:
        return self.radius


@dataclass(frozen=True)
class PowerLaw(DistanceKernel):
    """(1 + r/scale)^-exponent: falls off slowly, with a few long connections."""

    scale: float = length("where it begins to fall")
    exponent: float = parameter("how steeply it falls", lambda given, what: _exponent(given, what))
    cutoff: float | None = _cutoff()
    name = "power_law"

    def _at(self, r: Values) -> Values:
        return np.asarray((1.0 + r / self.scale) ** -self.exponent)

    def _falls_to(self, share: float) -> float:
        return self.scale * math.expm1(-math.log(share) / self.exponent)


def _exponent(given: Any, what: str) -> float:
    value = quantity(given, "", what)
    if not 0.1 <= value <= 100.0:
        raise UsageError(f"{what} is 0.1 to 100; found {value:g}.")
    return value


exponential = Exponential
gaussian = Gaussian
linear = Linear
step = Step
power_law = PowerLaw

_KERNELS: dict[str, type[DistanceKernel]] = {
    kind.name: kind for kind in (Exponential, Gaussian, Linear, PowerLaw, Step)
}


def distance_kernels() -> dict[str, type[DistanceKernel]]:
    """Every distance kernel, by name."""
    return dict(_KERNELS)


def distance_kernel(spec: Any) -> DistanceKernel:
    """Read ``{"exponential": "100 um"}`` or ``{"exponential": {"scale": "100 um", "cutoff": "1 mm"}}``.

    Raises ``UnknownName`` for a kernel or parameter that does not exist, ``UsageError`` or ``UnitError`` for a value
    that cannot be.
    """
    return kinds.read(spec, DistanceKernel, _KERNELS, "distance kernel")  # type: ignore[type-abstract]
