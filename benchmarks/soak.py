"""Births and deaths without end: whether memory stays where it is, and what each of them costs."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row, load_note

SUMMARY = "memory over 200 M births and deaths with `history: counts`, without and with learning rules"

RULES: dict[str, Any] = {
    "no learning": (),
    "stdp": "stdp",
    "ds_stdp (delays)": "ds_stdp",
}
WARM = 0.2  # share of the events after which memory is looked at
LOOKS = 20


def run(
    against: Sequence[str],
    progress: Progress,
    events: int = 200_000_000,
    neurons: int = 2_000,
    outdegree: int = 500,
    batch: int = 10_000,
    rules: Sequence[str] = tuple(RULES),
) -> list[Row]:
    """Replace ``batch`` synapses every ms until ``events`` were born or died; ``against`` is ignored."""
    rows = []
    for name in rules:
        progress(f"soak: {name}")
        rows += _soak(name, events, neurons, outdegree, batch)
    return rows


def _soak(name: str, events: int, neurons: int, outdegree: int, batch: int) -> list[Row]:
    net = ns.Network(seed=1, dt=0.1)
    cells = net.add_population("cells", neurons, "lif_delta")
    net.add_input("drive", ns.inputs.poisson("10 kHz"), cells, weight=0.15)
    synapses = net.connect(
        cells, cells, ns.connectors.fixed_outdegree(outdegree), weight=0.001, delay=ns.uniform(1.0, 5.0), name="cc",
        learning=RULES[name], bounds={"weight": (0.0, 0.01), "delay": (0.5, 8.0)},
    )  # fmt: skip
    net.history.mode = "counts"
    simulation = ns.Simulation(net, threads=1)
    random, alive, places = np.random.default_rng(1), synapses.ids.copy(), np.arange(synapses.size)

    def replace(sim: ns.Simulation) -> None:
        chosen = (places[:batch] + random.integers(alive.size)) % alive.size
        synapses.remove(alive[chosen])
        alive[chosen] = synapses.add(*random.choice(cells.ids, (2, chosen.size)))

    simulation.every(1.0, replace)
    milliseconds = events / (2 * batch)
    simulation.run(WARM * milliseconds)
    seen, began, before = [], time.perf_counter(), simulation.timings["sim_s"]
    for _ in range(LOOKS):
        simulation.run((1.0 - WARM) * milliseconds / LOOKS)
        seen.append((sum(net.history.births.values()) + sum(net.history.deaths.values()), _memory()))
    counted, memory = np.array(seen, np.float64).T
    slope = float(np.polyfit(counted / 1e8, memory, 1)[0])
    editing = time.perf_counter() - began - (simulation.timings["sim_s"] - before)
    each = editing / ((1.0 - WARM) * events) * 1e9
    note = f"{memory[0]:.0f} MB became {memory[-1]:.0f} over {counted[-1] - counted[0]:.3g}; {load_note()}"
    growth = 100.0 * slope / float(memory[0])
    return [
        Row("soak", f"{name}: growth of memory per 100 M", "neurosim", 1, growth, "%", note=note, limit=1.0),
        Row("soak", f"{name}: a birth or death", "neurosim", 1, each, "ns"),
    ]


def _memory() -> float:
    """Resident memory now, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
