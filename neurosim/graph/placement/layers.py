"""In horizontal layers, as in cortex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.graph.kinds import lengths, parameter, point
from neurosim.graph.placement.base import Placement, Points, moved
from neurosim.units import quantities


def _borders(given: Any, what: str) -> tuple[float, ...]:
    borders = quantities(given, "um", what)
    if borders.ndim != 1 or borders.size < 2 or not np.all(borders[1:] > borders[:-1]):
        raise UsageError(f"{what} are two or more heights, ascending; found {given!r:.60}.")
    return tuple(borders.tolist())


def _shares(given: Any, what: str) -> tuple[float, ...] | None:
    if given is None:
        return None
    shares = quantities(given, "", what)
    if shares.ndim != 1 or not shares.size or shares.min() < 0.0 or shares.sum() <= 0.0:
        raise UsageError(f"{what} are numbers, 0 or more, one for each layer; found {given!r:.60}.")
    return tuple((shares / shares.sum()).tolist())


@dataclass(frozen=True)
class Layers(Placement):
    """In layers one above the other, evenly within each; which layer a neuron lies in is drawn by ``shares``."""

    borders: tuple[float, ...] = parameter("heights (z) of the layers' borders, ascending", _borders, unit="um")
    size: tuple[float, ...] = lengths("sides along x and y; one length for a square", most=2)
    shares: tuple[float, ...] | None = parameter(
        "share of neurons in each layer, from below; left out, by thickness", _shares, default=None
    )
    centre: tuple[float, ...] = point("what x, y and z are counted from")
    name = "layers"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shares is not None and len(self.shares) != len(self.borders) - 1:
            raise UsageError(f"layers: {len(self.borders) - 1} layers need as many shares; found {len(self.shares)}.")

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        borders = np.array(self.borders)
        thickness = np.diff(borders)
        layer = rng.choice(thickness.size, n, p=self.shares or thickness / thickness.sum())
        heights = borders[layer] + rng.random(n) * thickness[layer]
        flat = rng.uniform(-0.5, 0.5, (n, 2)) * self.size
        return moved(np.column_stack([flat, heights]), self.centre)


PLACEMENT = Layers
