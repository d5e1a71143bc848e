"""Where neurons lie: placements, one per file.

>>> from neurosim import place
>>> place.ball("300 um", centre=["0 um", "0 um", "1 mm"])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim import rng
from neurosim.errors import UsageError
from neurosim.graph import kinds
from neurosim.graph.placement.base import Placement
from neurosim.units import quantities

if TYPE_CHECKING:
    from neurosim.graph.population import Population

__all__ = ["Placement", "placement", "placements", "points"]


def placements() -> dict[str, type[Placement]]:
    """Every placement, by name."""
    return dict(_PLACEMENTS)


def placement(spec: Any) -> Placement:
    """Read ``{"ball": "300 um"}`` or ``{"ball": {"radius": "300 um"}}``.

    Raises ``UnknownName`` for a placement or parameter that does not exist, ``UsageError`` or ``UnitError`` for a value
    that cannot be.
    """
    return kinds.read(spec, Placement, _PLACEMENTS, "placement")


def written(positions: Any) -> bool:
    """Whether ``positions`` are a placement, or one as it is written, not points."""
    return isinstance(positions, (Placement, Mapping, str, type))


def points(population: Population, n: int, positions: Any, event: int) -> dict[str, Any]:
    """Positions (um) of ``n`` newborn neurons by axis; of none where the population has none.

    ``positions`` are points of shape (n, 2) or (n, 3), a placement, or None: wherever the population's placement says.
    ``event`` counts the population's births, the first being 0.
    """
    placed = "x" in population.columns
    if event and not placed and positions is not None:
        raise UsageError(f"population '{population.name}' has no positions; give them when it is made.")
    if positions is None and not placed:
        return {}
    if positions is None:
        positions = population.placement
        if positions is None or not positions.open:
            how = "neuron by neuron" if positions is None else f"as a {positions.name}, whose places are taken"
            raise UsageError(
                f"population '{population.name}' was given positions {how}; give them for newborns, too: "
                "add(…, positions=…)."
            )
    if written(positions):
        chosen = placement(positions)
        chosen.check(n)
        at = chosen.draw(n, rng.generator(population.network.seed, rng.purpose("positions", population.name), event))
    else:
        at = quantities(positions, "um", f"positions of '{population.name}'")
        if at.ndim != 2 or at.shape[0] != n or at.shape[1] not in (2, 3):
            raise UsageError(
                f"positions of {n} neurons of '{population.name}' need shape ({n}, 2) or ({n}, 3); found {at.shape}."
            )
    return {axis: at[:, k] if k < at.shape[1] else np.zeros(n) for k, axis in enumerate("xyz")}


_PLACEMENTS: dict[str, type[Placement]] = kinds.found(__name__, __path__, "PLACEMENT")
globals().update(_PLACEMENTS)  # `place.ball` is the placement, not the file it is in


def __getattr__(name: str) -> type[Placement]:
    raise AttributeError(f"neurosim.place has no placement {name!r}; known: {', '.join(_PLACEMENTS)}")
