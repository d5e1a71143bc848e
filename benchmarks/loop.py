"""What the run loop itself costs: many rooms, nobody in them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "the loop alone: 8 populations, 64 projections, epochs of one step"

EPOCHS = 100_000
REPEATS = 7


def run(against: Sequence[str], progress: Progress, epochs: int = EPOCHS, populations: int = 8) -> list[Row]:
    """Time per epoch; the peers are no measure of it, so ``against`` is ignored."""
    progress("loop")
    network = ns.Network(seed=1)
    cells = [network.add_population(f"p{k}", 1, "lif_delta") for k in range(populations)]
    for source in cells:
        for target in cells:
            network.connect(source, target, "none", weight=0.1, delay=0.1)
    simulation = ns.Simulation(network, dt=0.1, threads=1, epoch_steps=1)
    simulation.run(1.0)
    seconds = []
    for _ in range(REPEATS):
        before = simulation.timings["sim_s"]
        simulation.run(epochs * 0.1)
        seconds.append(simulation.timings["sim_s"] - before)
    value = statistics.median(seconds) / epochs * 1e6
    what = f"{populations} populations, {populations**2} projections"
    return [Row("loop", what, "neurosim", 1, value, "µs/epoch", limit=2.0)]
