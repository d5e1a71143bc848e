"""Numbers that look random and depend on an id only: the same for everybody who draws it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mixed(ids: ArrayLike, salt: int = 0) -> NDArray[np.uint64]:
    """Well-mixed words of ids: the finaliser of SplitMix64 (doi:10.1145/2714064.2660195)."""
    with np.errstate(over="ignore"):
        z = np.atleast_1d(np.asarray(ids)).astype(np.uint64) + _GOLDEN * np.uint64(salt + 1)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def uniform(ids: ArrayLike, salt: int = 0) -> NDArray[np.float64]:
    """Numbers in (0, 1) of ids."""
    return np.asarray(((mixed(ids, salt) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)
