"""Makes ``ring_of_communities.graphml``, the graph that ``from_graph.yaml`` runs.

``python -m neurosim.scenarios.ring_of_communities FILE`` writes it again, byte for byte.
"""

from __future__ import annotations

import math
import random
import sys
from typing import Any

import networkx as nx

COMMUNITIES = 8
EXCITATORY, INHIBITORY = 20, 5  # neurons of each community
RADIUS = 300.0  # um, of the ring
SPREAD = 45.0  # um, of a community
SPEED = 25.0  # um/ms, at which spikes travel


def ring_of_communities(seed: int = 7) -> nx.DiGraph[str]:
    """Return a directed graph of small communities on a ring.

    Inside a community synapses are dense; from each, a bundle leads to the next one clockwise. Nodes carry ``kind``
    (exc, inh), ``community`` and a position ``x, y, z`` (um), edges ``weight`` (mV) and ``delay`` (ms), which grows
    with their length.
    """
    rng = random.Random(seed)
    graph: nx.DiGraph[str] = nx.DiGraph()
    for community in range(COMMUNITIES):
        angle = -2 * math.pi * community / COMMUNITIES
        for member in range(EXCITATORY + INHIBITORY):
            graph.add_node(
                f"c{community}n{member:02d}",
                kind="exc" if member < EXCITATORY else "inh",
                community=community,
                x=round(RADIUS * math.cos(angle) + rng.gauss(0, SPREAD), 1),
                y=round(RADIUS * math.sin(angle) + rng.gauss(0, SPREAD), 1),
                z=round(rng.gauss(0, SPREAD), 1),
            )
    nodes: dict[str, dict[str, Any]] = {node: graph.nodes[node] for node in graph}
    for source, a in nodes.items():
        for target, b in nodes.items():
            step = (b["community"] - a["community"]) % COMMUNITIES
            if source == target or step > 1 or rng.random() > PROBABILITY[a["kind"]][step]:
                continue
            length = math.dist((a["x"], a["y"], a["z"]), (b["x"], b["y"], b["z"]))
            weight = WEIGHT[a["kind"]] * rng.uniform(0.7, 1.3)
            graph.add_edge(source, target, weight=round(weight, 3), delay=round(0.5 + length / SPEED, 1))
    return graph


PROBABILITY = {"exc": (0.4, 0.3), "inh": (0.6, 0.0)}  # within a community, to the next
WEIGHT = {"exc": 3.5, "inh": -6.0}  # mV, means


if __name__ == "__main__":
    nx.write_graphml(ring_of_communities(), sys.argv[1])
