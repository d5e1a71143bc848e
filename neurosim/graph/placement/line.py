"""On a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurosim.graph.kinds import choice, flag, length, point
from neurosim.graph.placement.base import Placement, Points, moved


@dataclass(frozen=True)
class Line(Placement):
    """On a straight line, evenly along it or at equal distances."""

    length: float = length("from end to end")
    axis: str = choice("the axis that it is parallel to", "xyz", default="x")
    regular: bool = flag("at equal distances, in the order of ids, both ends taken", default=False)
    centre: tuple[float, ...] = point("its middle")
    name = "line"

    @property
    def open(self) -> bool:
        """Not where all places are taken."""
        return not self.regular

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        ends = 0.5 if n > 1 else 0.0  # one alone stands in the middle
        along = np.linspace(-ends, ends, n) if self.regular else rng.uniform(-0.5, 0.5, n)
        points = np.zeros((n, 3))
        points[:, "xyz".index(self.axis)] = self.length * along
        return moved(points, self.centre)


PLACEMENT = Line
