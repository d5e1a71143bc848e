"""A network whose synapses are replaced while it runs, beside the same one that keeps them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import numpy as np

import neurosim as ns
from neurosim.benchmarks import brunel
from neurosim.benchmarks.rows import Progress, Row, load_note

SUMMARY = "Brunel 2500 that replaces 1 % of its synapses every 100 ms, beside the one that keeps them"

EVERY = 100.0  # ms
SHARE = 0.01
SIZES = ((1_000, 100), (10_000, 100), (10_000, 1_000))  # neurons, outdegree
BATCHES = (1, 100, 10_000)


def run(
    against: Sequence[str],
    progress: Progress,
    parameters: dict[str, float] | None = None,
    duration: float = 1000.0,
    repeats: int = 5,
    sizes: Sequence[tuple[int, int]] = SIZES,
) -> list[Row]:
    """Measure with one thread and with two; no peer can do it, so ``against`` is ignored."""
    p = {**brunel.PARAMETERS, **(parameters or {})}
    rows = []
    for threads in (1, 2):
        rows += _beside(p, threads, duration, repeats, progress)
    for neurons, outdegree in sizes:
        progress(f"turnover: rules that edit {neurons} × {outdegree}")
        rows += [_rule(neurons, outdegree, batch) for batch in BATCHES if batch <= neurons * outdegree // 10]
    return rows


def _beside(p: dict[str, float], threads: int, duration: float, repeats: int, progress: Progress) -> list[Row]:
    """Run both networks in turn, so that a busy minute hits both alike."""
    progress(f"turnover: builds Brunel's network twice, {threads} threads")
    sims = {"static": _made(p, threads, lively=False), "replaced": _made(p, threads, lively=True)}
    seconds: dict[str, list[float]] = {name: [] for name in sims}
    for sim in sims.values():
        sim.run(EVERY)
    edited = -_edits(sims["replaced"])
    for repeat in range(repeats):
        progress(f"turnover: {threads} threads, repeat {repeat + 1} of {repeats}")
        for name, sim in sims.items():
            began = time.perf_counter()
            sim.run(duration)
            seconds[name].append(time.perf_counter() - began)
    edited += _edits(sims["replaced"])
    ratios = [a / b for a, b in zip(seconds["static"], seconds["replaced"], strict=True)]
    extra = (min(seconds["replaced"]) - min(seconds["static"])) * repeats / edited

    def row(what: str, value: float, unit: str, note: str = "") -> Row:
        return Row("turnover", what, "neurosim", threads, value, unit, None, note)

    spread = f"{min(ratios):.2f} to {max(ratios):.2f}, fastest against fastest "
    spread += f"{min(seconds['static']) / min(seconds['replaced']):.2f}; {load_note()}"
    return [
        row(f"{duration / 1000:g} s, static", statistics.median(seconds["static"]), "s"),
        row(f"{duration / 1000:g} s, 1 % replaced every 100 ms", statistics.median(seconds["replaced"]), "s"),
        row("speed of the one that replaces, of the static one's", statistics.median(ratios), "", spread),
        row("what a birth or death costs", extra * 1e6, "µs", f"{edited} births and deaths, `history: counts`"),
    ]


def _made(p: dict[str, float], threads: int, lively: bool) -> ns.Simulation:
    network = brunel.build(p, 1)
    network.history.mode = "counts"
    for projection in network.projections.values() if lively else ():
        code = {"die": True, "chance": SHARE, "births": "deaths", "every": EVERY, "autapses": True}
        network.add_rule({**code, "name": f"turnover_{projection.name}"}, projection)
    return ns.Simulation(network, dt=p["dt"], threads=threads)


def _edits(simulation: ns.Simulation) -> int:
    history = simulation.network.history
    return int(history.births["synapses"] + history.deaths["synapses"])


def _rule(neurons: int, outdegree: int, batch: int) -> Row:
    """Cost of one birth or death by a rule that replaces about ``batch`` synapses each time, in a silent network."""
    network = ns.Network(seed=1, dt=0.1)
    network.history.mode = "counts"
    cells = network.add_population("cells", neurons, "lif_delta")
    weight, delay = ns.uniform(0.05, 0.15), ns.uniform(1.0, 5.0)
    synapses = network.connect(cells, cells, ns.connectors.fixed_outdegree(outdegree), weight=weight, delay=delay)
    chance = batch / (neurons * outdegree)
    network.add_rule({"die": True, "chance": chance, "births": "deaths", "every": 1.0, "autapses": True}, synapses)
    simulation = ns.Simulation(network, dt=0.1, threads=1)
    simulation.run(3.0)  # the first edit writes down all birth numbers
    costs = []
    for _ in range(max(5, min(200, 200_000 // batch))):
        before, began = _edits(simulation), simulation.timings["structure_s"]
        simulation.run(1.0)
        costs.append((simulation.timings["structure_s"] - began) / max(_edits(simulation) - before, 1))
    cost = float(np.median(costs)) * 1e6
    note = f"fastest {min(costs) * 1e6:.3f}; births and deaths, choosing included; weights and delays differ"
    what = f"{neurons} × {outdegree}: a rule's edit, {batch} at a time"
    return Row("turnover", what, "neurosim", 1, cost, "µs/synapse", None, note, 0.1 if batch == BATCHES[-1] else None)
