"""Evenly in a ball."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.kinds import length, point
from neurosim.graph.placement.base import Placement, Points, directions, moved


@dataclass(frozen=True)
class Ball(Placement):
    """Evenly in a ball, or in the shell between two radii."""

    radius: float = length("from the centre to the outside")
    inner: float = length("radius of the hollow in it", zero=True, default=0.0)
    centre: tuple[float, ...] = point("centre of the ball")
    name = "ball"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner >= self.radius:
            raise UsageError(f"ball.inner ({self.inner:g} um) must be less than its radius ({self.radius:g} um).")

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        cubes = rng.uniform(self.inner**3, self.radius**3, (n, 1))  # volume grows with the cube of the radius
        return moved(np.cbrt(cubes) * directions(rng, n, 3), self.centre)


PLACEMENT = Ball
