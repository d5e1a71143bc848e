"""What each learning rule costs: the same spikes over synapses that learn by it, beside synapses that do not learn."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from typing import Any

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row
from neurosim.models.declare import NeuronModel
from neurosim.models.rules import LearningRule

SUMMARY = "learning: synaptic events per second of every learning rule, beside the same without learning"

NEURONS, OUTDEGREE = 2_000, 200
RATES = 50.0, 20.0  # Hz, of the sources and of the targets
DURATION = 2_000.0
REPEATS = 3
BOUNDS = {"weight": (0.0, 2.0), "delay": (1.0, 20.0)}  # mV, ms
STATIC = "no learning"
_NEURON_VARIABLE = re.compile(r"\b([A-Za-z]\w*)_(?:pre|post)\b")


def run(
    against: Sequence[str],
    progress: Progress,
    rules: Sequence[str] | None = None,
    neurons: int = NEURONS,
    outdegree: int = OUTDEGREE,
    duration: float = DURATION,
    repeats: int = REPEATS,
) -> list[Row]:
    """Measure every rule of the library in turn, ``repeats`` times; ``against`` is ignored."""
    library = ns.learning.learning_rules()
    chosen = {name: library[name] for name in (library if rules is None else rules)}
    speeds: dict[str, list[float]] = {name: [] for name in (STATIC, *chosen)}
    for repeat in range(1, repeats + 1):
        for name in speeds:
            progress(f"learning: {name}, repeat {repeat} of {repeats}")
            speeds[name].append(_speed(chosen.get(name), neurons, outdegree, duration, repeat))
    static = statistics.median(speeds[STATIC])
    rows = []
    for name, measured in speeds.items():
        speed = statistics.median(measured)
        note = "" if name == STATIC else f"an event costs {static / speed:.1f}× one without learning"
        rows.append(Row("learning", name, "neurosim", 1, speed, "M/s", note=note))
    return rows


def _speed(rule: LearningRule | None, neurons: int, outdegree: int, duration: float, seed: int) -> float:
    """Millions of synaptic events per second."""
    network = ns.Network(seed=seed, dt=1.0)
    source, target = (
        network.add_population(name, neurons, cell(rule)(rate=f"{rate} Hz"))
        for name, rate in zip(("source", "target"), RATES, strict=True)
    )
    learning: dict[str, Any] = {} if rule is None else {"learning": [rule()]}
    network.connect(
        source, target, ns.connectors.fixed_outdegree(outdegree), weight=ns.uniform(0.5, 1.5),
        delay=ns.uniform(*BOUNDS["delay"]), bounds=BOUNDS, **learning,
    )  # fmt: skip
    simulation = ns.Simulation(network, dt=1.0, threads=1)
    if rule is not None and rule.modulator:
        simulation.every("100 ms", lambda sim: sim.modulate(rule.modulator, 0.01))
    simulation.run(duration)
    return float(simulation.events / simulation.timings["sim_s"] / 1e6)


def cell(rule: LearningRule | None) -> NeuronModel:
    """A neuron that fires at random, whatever arrives, and holds what the rule wants to see of a neuron."""
    text = "" if rule is None else f"{rule.equations}\n{rule.clocked}"
    seen = sorted({*_NEURON_VARIABLE.findall(text)} - {"i_syn"})
    return ns.models.from_equations(
        "\n".join(["i_syn : mV", *(f"{name} : mV" for name in seen)]),
        threshold="rand() < rate*dt",
        parameters={"rate": "10 Hz"},
        receptors={"exc": "i_syn"},
        name="random",
    )
