"""Everything the engine would need to go on from where it stands, in one place.

What is not in it is either derived (records, plans, addresses), or belongs to whoever asked for it: callbacks on the
schedule, and what recorders hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.engine.lowering import SpikeLog
from neurosim.engine.pulses import Pulses
from neurosim.engine.rings import Rings
from neurosim.graph.network import Network


def engine_state(
    network: Network, rings: Rings, logs: Mapping[str, SpikeLog], pulses: Pulses, step: int
) -> dict[str, NDArray[Any]]:
    """State arrays by name: views where possible, not copies."""
    state: dict[str, NDArray[Any]] = {"step": np.array([step]), "dropped": np.array([rings.dropped])}
    state |= network.state()
    for kind, arrivals in (("rings", rings.sums), ("tallies", rings.tallies)):
        state |= {f"{kind}/{name}/{variable}": ring for (name, variable), ring in arrivals.items()}
    state |= {f"populations/{name}/digest": log.digest for name, log in logs.items()}
    state |= {f"pulses/{name}": pulse for name, pulse in pulses.state().items()}
    return state
