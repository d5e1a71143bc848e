"""What a placement is: a rule that says where neurons lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurosim.errors import UsageError
from neurosim.graph.kinds import Kind

Points = NDArray[np.float64]  # (n, 3), um


@dataclass(frozen=True)
class Placement(Kind):
    """Where neurons lie; subclasses say how points come about."""

    @property
    def open(self) -> bool:
        """Whether neurons that are born later can be placed by it, too."""
        return True

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        """Positions of ``n`` neurons in um, shape (n, 3); the same for the same generator."""
        raise UsageError(f"placement {self.name} places nobody.")

    def check(self, n: int) -> None:
        """Raise ``UsageError`` where ``n`` neurons cannot be placed."""


def moved(points: Points, centre: tuple[float, ...]) -> Points:
    """Points about the origin, of two coordinates or three, about ``centre`` instead; shape (n, 3)."""
    placed = np.tile(np.array(centre), (len(points), 1))
    placed[:, : points.shape[1]] += points
    return placed


def directions(rng: np.random.Generator, n: int, dimensions: int) -> Points:
    """Unit vectors, evenly over all directions; shape (n, dimensions)."""
    vectors = rng.normal(size=(n, dimensions))
    unit: Points = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
