"""On a circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.graph.kinds import flag, length, point
from neurosim.graph.placement.base import Placement, Points, moved


@dataclass(frozen=True)
class Ring(Placement):
    """On a circle in the x-y plane, evenly around it or at equal distances."""

    radius: float = length("of the circle")
    regular: bool = flag("at equal distances, in the order of ids, from the x axis on", default=False)
    centre: tuple[float, ...] = point("centre of the circle")
    name = "ring"

    @property
    def open(self) -> bool:
        """Not where all places are taken."""
        return not self.regular

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        turns = np.arange(n) / n if self.regular else rng.random(n)
        angles = 2.0 * np.pi * turns
        return moved(self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), self.centre)


PLACEMENT = Ring
