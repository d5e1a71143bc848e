"""The hash of a result: every spike, every birth and death, every weight and delay."""

from __future__ import annotations

import hashlib

import numpy as np

from neurosim.graph.network import Network


def network_hash(network: Network, spikes: dict[str, int]) -> str:
    """Hexadecimal digest; ``spikes`` holds each population's running digest of its spikes in (time, id) order."""
    digest = hashlib.sha256()
    for name, population in network.populations.items():
        digest.update(f"{name} {spikes.get(name, 0):016x} ".encode())
        digest.update(population.ids.tobytes())
    for name, projection in network.projections.items():
        digest.update(f"{name} ".encode())
        for edges in projection.parts():
            for column in (edges.id, edges.post, edges.weight, edges.delay):
                digest.update(np.ascontiguousarray(column).tobytes())
    counts = network.history.births, network.history.deaths, network.history.digest
    digest.update(repr(counts).encode())
    return digest.hexdigest()[:32]
