"""How long it takes to make ten million synapses and to hand them to the engine."""

from __future__ import annotations

import time
from collections.abc import Sequence

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "10 M synapses built by each connection rule"


def run(against: Sequence[str], progress: Progress, neurons: int = 10_000, indegree: int = 1_000) -> list[Row]:
    """Time of ``connect`` per rule, and of the first step; ``against`` is ignored."""
    rules = {
        "fixed_indegree": ns.connectors.fixed_indegree(indegree),
        "fixed_outdegree": ns.connectors.fixed_outdegree(indegree),
        "fixed_probability": ns.connectors.fixed_probability(indegree / neurons),
        "fixed_total": ns.connectors.fixed_total(neurons * indegree),
    }
    rows = []
    for name, rule in rules.items():
        progress(f"build: {name}")
        network = ns.Network(seed=1, dt=0.1)
        cells = network.add_population("cells", neurons, "lif_delta")
        start = time.perf_counter()
        projection = network.connect(cells, cells, rule, weight=0.1, delay=ns.uniform(1.0, 5.0))
        seconds = time.perf_counter() - start
        note = f"{projection.size / seconds / 1e6:.1f} M synapses/s, delays uniform"
        rows.append(Row("build", f"{projection.size / 1e6:.3g} M, {name}", "neurosim", 1, seconds, "s", note=note))
    simulation = ns.Simulation(network, dt=0.1, threads=1)
    simulation.run(0.1)
    handed = simulation.timings["build_s"]
    return [*rows, Row("build", "handed to the engine", "neurosim", 1, handed, "s")]
