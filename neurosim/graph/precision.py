"""How a projection keeps its weights: as floating-point numbers, or as one of a few levels between their bounds.

Whatever is kept, weights are read and written as float64 in their unit. Rules compute in double precision, too; what
comes out of an event is rounded to what can be kept. Weights of few bits are rounded *stochastically*, up or down with
odds that make the mean right, so that steps much smaller than the spacing of levels are not lost (Gupta, Agrawal,
Gopalakrishnan & Narayanan 2015, arXiv:1502.02551); or to the *nearest*.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError, unknown

Array = NDArray[Any]
Values = NDArray[np.float64]
Bounds = tuple[float, float] | None

PRECISIONS = ("float32", "float64", "float16", "int8", "ternary")
ROUNDINGS = ("stochastic", "nearest")

_NARROWEST = 1e-3  # of bounds, as a fraction of the larger one: levels must be apart by much more than a rounding


class Precision:
    """Floating-point numbers of 32 or 64 bits: weights, and what rules keep of every synapse.

    ``column`` is the type in which weights are stored, ``real`` that of the other variables and of weights that are
    handed out; ``rounding`` is what is done with a weight that has learned.
    """

    coarse = False

    def __init__(self, name: str, rounding: str = "nearest") -> None:
        self.name, self.rounding = name, rounding
        self.real = np.dtype("float64" if name == "float64" else "float32")
        self.column: np.dtype[Any] = self.real
        self.greatest = float(np.finfo(np.float32).max)
        self.limits: Bounds = None  # what rules may reach; None: as the projection says

    @property
    def is_stochastic(self) -> bool:
        """Whether weights are rounded at random."""
        return self.rounding == "stochastic"

    def stored(self, weights: Values) -> Array:
        """Weights as they are kept."""
        return weights.astype(self.column)

    def shown(self, stored: Array) -> Values:
        """Kept weights in their unit."""
        return stored.astype(np.float64)

    def kept(self, weight: float) -> float:
        """What a weight reads back as."""
        return float(self.real.type(weight))

    @property
    def levels(self) -> dict[str, float]:
        """What kernels want to know of levels, where weights are kept as such."""
        return {}


#: What weights are kept in unless more or less is asked for.
SINGLE = Precision("float32")


class Half(Precision):
    """Floating-point numbers of 16 bits (IEEE 754 binary16): eleven significant bits, up to 65504."""

    coarse = True

    def __init__(self, name: str, rounding: str, bounds: Bounds) -> None:
        super().__init__(name, rounding)
        self.column = np.dtype(np.float16)
        self.greatest = 65504.0
        low, high = bounds if bounds is not None else (-self.greatest, self.greatest)
        self.limits: tuple[float, float] = -self._below(-low), self._below(high)

    def _below(self, weight: float) -> float:
        """The greatest number of 16 bits that does not exceed a weight."""
        near = np.float16(min(max(weight, -self.greatest), self.greatest))
        return float(near if float(near) <= weight else np.nextafter(near, np.float16(-np.inf)))

    def stored(self, weights: Values) -> Array:
        """The nearest numbers inside the bounds; halves are rounded up."""
        weights = np.clip(weights, *self.limits)
        spacing = np.ldexp(1.0, np.maximum(np.frexp(weights)[1] - 1, -14) - 10)
        stored: Array = (np.floor(weights / spacing + 0.5) * spacing).astype(np.float16)
        return stored

    def kept(self, weight: float) -> float:
        """What a weight reads back as."""
        return float(self.stored(np.array([weight]))[0]) if abs(weight) <= self.greatest else weight


class Levels(Precision):
    """Whole numbers 0 … ``last`` that stand for equal steps from the lower bound to the upper one, both included.

    256 levels make "int8", three "ternary". Where the bounds are -w and w, int8 has 255, so that 0 is one of them.
    """

    coarse = True

    def __init__(self, name: str, rounding: str, bounds: tuple[float, float]) -> None:
        super().__init__(name, rounding)
        self.column = np.dtype(np.uint8)
        self.low, self.high = self.limits = bounds
        self.last = 2 if name == "ternary" else 254 if self.low == -self.high else 255
        self.step = (self.high - self.low) / self.last

    def stored(self, weights: Values) -> Array:
        """Numbers of the nearest levels; halves are rounded up."""
        levels: Array = np.clip((weights - self.low) * (1.0 / self.step) + 0.5, 0, self.last).astype(np.uint8)
        return levels

    def shown(self, stored: Array) -> Values:
        """Levels in the unit of weights."""
        return np.minimum(self.low + stored.astype(np.float64) * self.step, self.high)

    def kept(self, weight: float) -> float:
        """What a weight reads back as; one outside the bounds stays what it is."""
        if not self.low <= weight <= self.high:
            return super().kept(weight)
        return float(self.shown(self.stored(np.array([weight])))[0])

    @property
    def levels(self) -> dict[str, float]:
        """The lowest and the highest level, and how far they are apart."""
        return {"least_weight": self.low, "most_weight": self.high, "weight_step": self.step}


def read_precision(name: str, rounding: str | None, bounds: Bounds, projection: str) -> Precision:
    """Read what a user asks for; raises ``UnknownName``, and ``UsageError`` where bounds are missing or too close."""
    if name not in PRECISIONS:
        raise unknown("precision", str(name), PRECISIONS)
    if rounding is not None and rounding not in ROUNDINGS:
        raise unknown("rounding", str(rounding), ROUNDINGS)
    if name in ("float32", "float64"):
        if rounding == "stochastic":
            raise UsageError(
                f"projection '{projection}': weights of precision {name} are rounded to the nearest; "
                "stochastic rounding is for float16, int8 and ternary."
            )
        return Precision(name)
    rounding = rounding or "stochastic"
    if bounds is not None and bounds[1] - bounds[0] <= _NARROWEST * max(map(abs, bounds)):
        raise UsageError(
            f"projection '{projection}': weights of precision {name} need bounds that are apart by more than a "
            f"thousandth of the larger one; found [{bounds[0]:g}, {bounds[1]:g}]."
        )
    if name == "float16":
        half = Half(name, rounding, bounds)
        if half.limits[0] >= half.limits[1]:
            raise UsageError(f"projection '{projection}': hardly any number of 16 bits lies within its bounds.")
        return half
    if bounds is None:
        levels = "three levels" if name == "ternary" else "256 levels"
        raise UsageError(
            f"projection '{projection}': precision {name} keeps weights as {levels} between bounds; "
            "say which: bounds={'weight': (low, high)}."
        )
    return Levels(name, rounding, bounds)
