"""Everything the engine would need to go on from where it stands, in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.rings import Rings
from neurosim.graph.network import Network


def engine_state(network: Network, rings: Rings, step: int) -> dict[str, NDArray[Any]]:
    """State arrays by name: views, not copies."""
    state: dict[str, NDArray[Any]] = {"step": np.array([step])}
    for name, population in network.populations.items():
        state |= {f"populations/{name}/{key}": column for key, column in population.columns.items()}
        state[f"populations/{name}/used"] = population.used
    for kind, arrivals in (("rings", rings.sums), ("tallies", rings.tallies)):
        state |= {f"{kind}/{name}/{variable}": ring for (name, variable), ring in arrivals.items()}
    for name, projection in network.projections.items():
        store = projection.store
        state |= {f"projections/{name}/{key}": column for key, column in store.columns.items()}
        for key in ("start", "ends", "size_class", "next_serial"):
            state[f"projections/{name}/{key}"] = getattr(store, key)
    return state
