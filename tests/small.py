"""A small network, and all that can be seen of one."""

from __future__ import annotations

from typing import Any

import pytest

import neurosim as ns
from neurosim.graph import population as population_module


def small_network(monkeypatch: pytest.MonkeyPatch, neurons_for_four_shards: int) -> ns.Network:
    """Two populations, 0 … 11 and 12 … 16, with four logical shards if they are large enough."""
    monkeypatch.setattr(population_module, "_NEURONS_FOR_FOUR", neurons_for_four_shards)
    network = ns.Network(seed=3, dt=0.1)
    network.add_population("exc", 12, "lif_delta")
    network.add_population("out", 5, "lif_exp")
    return network


def state_of(net: ns.Network) -> list[Any]:
    """Everything an edit could change, to be compared."""
    graph = net.to_networkx()
    values = [[getattr(p, name).values.tolist() for name in p.variables] for p in net.populations.values()]
    return [sorted(graph.nodes(data=True)), sorted(graph.edges(keys=True, data=True), key=str), values,
            net.history.births, net.history.deaths, list(net.inputs), list(net.groups), net._next_id]  # fmt: skip
