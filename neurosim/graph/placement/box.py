"""Evenly in a box or a rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.graph.kinds import lengths, point
from neurosim.graph.placement.base import Placement, Points, moved


@dataclass(frozen=True)
class Box(Placement):
    """Evenly in a box, or in a rectangle where two sides are given."""

    size: tuple[float, ...] = lengths("its sides along x, y and z; one length for a cube")
    centre: tuple[float, ...] = point("centre of the box")
    name = "box"

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        return moved(rng.uniform(-0.5, 0.5, (n, len(self.size))) * self.size, self.centre)


PLACEMENT = Box
