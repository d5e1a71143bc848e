"""Evenly in a disc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.graph.kinds import length, point
from neurosim.graph.placement.base import Placement, Points, directions, moved


@dataclass(frozen=True)
class Disc(Placement):
    """Evenly in a disc in the x-y plane."""

    radius: float = length("from the centre to the rim")
    centre: tuple[float, ...] = point("centre of the disc")
    name = "disc"

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        radii = self.radius * np.sqrt(rng.random((n, 1)))  # area grows with the square of the radius
        return moved(radii * directions(rng, n, 2), self.centre)


PLACEMENT = Disc
