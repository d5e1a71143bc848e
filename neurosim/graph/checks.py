"""Checks of numbers that users give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurosim.errors import UnknownName, UsageError


def whole(value: Any, what: str, low: int = 0) -> int:
    """``value`` as a whole number of at least ``low``; ``UsageError`` otherwise."""
    if not _is_number(value) or int(value) != value or value < low:
        raise UsageError(f"{what} must be a whole number, {low} or more; found {value!r}.")
    return int(value)


def probability(value: Any, what: str) -> float:
    """``value`` as a probability; ``UsageError`` otherwise."""
    if not _is_number(value) or not 0.0 <= value <= 1.0:
        raise UsageError(f"{what} is 0 to 1; found {value!r}.")
    return float(value)


def no_such(kind: str, ids: ArrayLike, missing: NDArray[np.bool_], where: str) -> UnknownName:
    """The error for neurons or synapses that do not exist, or no longer."""
    bad = [str(i) for i in np.ravel(ids)[missing].tolist()]
    listed = ", ".join(bad[:3]) + (f", … ({len(bad)} in all)" if len(bad) > 3 else "")
    return UnknownName(f"no {kind} {listed} in {where}: never born, or dead.")


def extremes(values: NDArray[Any]) -> tuple[float, float]:
    """Least and greatest of some values, at least one."""
    if values.size == 1:
        return float(values[0]), float(values[0])
    return float(values.min()), float(values.max())


def finite_floats(value: Any, n: int) -> bool:
    """Whether ``value`` is an array of ``n`` finite float64, which needs no reading."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == np.float64
        and value.shape == (n,)
        and bool(np.isfinite(value).all())
    )


def _is_number(value: Any) -> bool:
    plain = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return plain and math.isfinite(value)
