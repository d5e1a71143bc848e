"""On the surface of a ball."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.graph.kinds import length, point
from neurosim.graph.placement.base import Placement, Points, directions, moved


@dataclass(frozen=True)
class Sphere(Placement):
    """Evenly on the surface of a ball."""

    radius: float = length("from the centre to the surface")
    centre: tuple[float, ...] = point("centre of the sphere")
    name = "sphere"

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        return moved(self.radius * directions(rng, n, 3), self.centre)


PLACEMENT = Sphere
