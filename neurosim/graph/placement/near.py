"""Near parents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.kinds import flag, length, parameter
from neurosim.graph.placement.base import Placement, Points
from neurosim.units import quantities


def _points(given: Any, what: str) -> Points:
    at = quantities(given, "um", what)
    if at.ndim != 2 or at.shape[0] < 1 or at.shape[1] not in (2, 3):
        raise UsageError(f"{what} are points [x, y] or [x, y, z], at least one; found an array of shape {at.shape}.")
    return np.pad(at, ((0, 0), (0, 3 - at.shape[1])))


@dataclass(frozen=True, eq=False)
class Near(Placement):
    """Around parents: each neuron about one, normally distributed.

    Where there are as many parents as neurons, the k-th lies near the k-th; otherwise each draws a parent.
    """

    parents: Any = parameter("points [x, y, z] to lie around", _points, unit="um")
    spread: float = length("standard deviation along each axis", zero=True)
    flat: bool = flag("keep the z of the parent", default=False)
    name = "near"

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        parents = self.parents if len(self.parents) == n else self.parents[rng.integers(len(self.parents), size=n)]
        points: Points = parents + rng.normal(0.0, self.spread, (n, 3)) * ([1, 1, 0] if self.flat else 1)
        return points


PLACEMENT = Near
