"""On the sites of a lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.checks import whole
from neurosim.graph.kinds import length, parameter, point
from neurosim.graph.placement.base import Placement, Points, moved


def _shape(given: Any, what: str) -> tuple[int, ...] | None:
    if given is None:
        return None
    if not isinstance(given, (list, tuple, np.ndarray)) or len(given) not in (2, 3):
        raise UsageError(f"{what} is two or three numbers of sites; found {given!r:.60}.")
    return tuple(whole(sites, what, 1) for sites in given)


@dataclass(frozen=True)
class Grid(Placement):
    """On the sites of a square or cubic lattice, in the order of ids: z runs fastest, x slowest."""

    spacing: float = length("from site to site")
    shape: tuple[int, ...] | None = parameter(
        "sites along x, y and z; left out, the smallest square that holds all", _shape, default=None
    )
    jitter: float = length("standard deviation, along each axis, about the sites", zero=True, default=0.0)
    centre: tuple[float, ...] = point("centre of the lattice")
    name = "grid"

    @property
    def open(self) -> bool:
        """The sites are taken."""
        return False

    def check(self, n: int) -> None:
        """There must be a site for everybody."""
        if self.shape is not None and n > math.prod(self.shape):
            sites = " × ".join(map(str, self.shape))
            raise UsageError(f"a grid of {sites} sites has no room for {n} neurons.")

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        side = math.ceil(math.sqrt(n))
        shape = self.shape or (side, side)
        sites = np.stack(np.unravel_index(np.arange(n), shape), axis=1) if n else np.zeros((0, len(shape)))
        points = (sites - (np.array(shape) - 1) / 2.0) * self.spacing
        if self.jitter:
            points += rng.normal(0.0, self.jitter, points.shape)
        return moved(points, self.centre)


PLACEMENT = Grid
