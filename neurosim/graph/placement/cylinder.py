"""Evenly in an upright cylinder: a cortical column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.graph.kinds import length, point
from neurosim.graph.placement.base import Placement, Points, directions, moved


@dataclass(frozen=True)
class Cylinder(Placement):
    """Evenly in a cylinder along z, such as a cortical column."""

    radius: float = length("of its base")
    height: float = length("along z")
    centre: tuple[float, ...] = point("centre of the cylinder")
    name = "cylinder"

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        flat = self.radius * np.sqrt(rng.random((n, 1))) * directions(rng, n, 2)
        return moved(np.hstack([flat, self.height * rng.uniform(-0.5, 0.5, (n, 1))]), self.centre)


PLACEMENT = Cylinder
