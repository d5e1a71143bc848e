"""Groups: named, fixed sets of neurons of one population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neurosim.graph.population import Ids, Population


@dataclass(frozen=True, eq=False)
class Group:
    """A fixed set of neurons; those that have died since are left out of ``ids``."""

    name: str
    population: Population
    members: Ids

    @property
    def ids(self) -> Ids:
        """Ids of the living members, ascending."""
        return np.intersect1d(self.members, self.population.ids)

    @property
    def size(self) -> int:
        """Number of living members."""
        return int(self.ids.size)

    def __repr__(self) -> str:
        return f"<group '{self.name}': {self.size} of '{self.population.name}'>"
