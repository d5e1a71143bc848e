"""How long it takes to make ten million synapses and to hand them to the engine."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "10 M synapses built by each connection rule"


SHEET, SIGMA = 3000.0, 150.0  # um: a square sheet of neurons, and how far they reach


def _by_distance(progress: Progress, neurons: int, degree: int) -> list[Row]:
    """Connectors that look at distance, beside one that does not, on the same neurons in a sheet and in a block."""
    rows = []
    for where, size in (("sheet", [SHEET, SHEET]), ("block", [SHEET / 2] * 3)):
        network = ns.Network(seed=1, dt=0.1)
        cells = network.add_population("cells", neurons, "lif_delta", positions=ns.place.box(size))
        kernel = ns.kernels.gaussian(SIGMA)
        content = (2 * math.pi) ** (len(size) / 2) * SIGMA ** len(size) / math.prod(size)  # of the kernel, over all
        rules = {
            "fixed_indegree": ns.connectors.fixed_indegree(degree),
            "distance_probability": ns.connectors.distance_probability(
                kernel, p=min(1.0, degree / (content * neurons))
            ),
            "distance_indegree": ns.connectors.distance_indegree(degree, kernel),
            "distance_outdegree": ns.connectors.distance_outdegree(degree, kernel),
        }
        seconds: dict[str, float] = {}
        for name, rule in rules.items():
            progress(f"build: {name}, in a {where}")
            start = time.process_time()
            made = network.connect(cells, cells, rule, weight=0.1, delay=1.0).size
            seconds[name] = time.process_time() - start
            what = f"{made / 1e6:.3g} M in a {where}, {name}"
            note = f"processor time; {seconds[name] / seconds['fixed_indegree']:.2g}× that of fixed_indegree"
            rows.append(Row("build", what, "neurosim", 1, seconds[name], "s", note=note))
    return rows


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
    rows += _by_distance(progress, 10 * neurons, max(1, indegree // 10))
    simulation = ns.Simulation(network, dt=0.1, threads=1)
    simulation.run(0.1)
    handed = simulation.timings["build_s"]
    return [*rows, Row("build", "handed to the engine", "neurosim", 1, handed, "s")]
