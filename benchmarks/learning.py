"""What each learning rule costs: the same spikes over synapses that learn by it, beside synapses that do not learn."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row
from neurosim.models.declare import NeuronModel
from neurosim.models.rules import LearningRule

SUMMARY = "learning: synaptic events per second of every learning rule, beside the same without learning"

NEURONS, OUTDEGREE = 2_000, 200
RATE = 25.0  # Hz, of sources and targets
DURATION = 2_000.0
REPEATS = 3
BOUNDS = {"weight": (0.0, 2.0), "delay": (1.0, 5.0)}  # mV, ms
NOBODY, STATIC = "no synapses", "no learning"
_NEURON_VARIABLE = re.compile(r"\b([A-Za-z]\w*)_(?:pre|post)\b")


@dataclass
class _Measured:
    seconds: list[float] = field(default_factory=list)
    events: int = 0


def run(
    against: Sequence[str],
    progress: Progress,
    rules: Sequence[str] | None = None,
    neurons: int = NEURONS,
    outdegree: int = OUTDEGREE,
    duration: float = DURATION,
    repeats: int = REPEATS,
) -> list[Row]:
    """Measure every rule of the library in turn, ``repeats`` times; ``against`` is ignored.

    The time that the neurons take without synapses is taken away: it is the same for all.
    """
    names = [NOBODY, STATIC, *(ns.learning.learning_rules() if rules is None else rules)]
    found = {name: _Measured() for name in names}
    for repeat in range(1, repeats + 1):
        for name, measured in found.items():
            progress(f"learning: {name}, repeat {repeat} of {repeats}")
            simulation = build(name, neurons, outdegree, repeat)
            simulation.run(duration)
            measured.seconds.append(simulation.timings["sim_s"])
            measured.events = simulation.events
    alone = statistics.median(found[NOBODY].seconds)
    costs = {name: max(statistics.median(found[name].seconds) - alone, 1e-9) / found[name].events for name in names[1:]}
    rows = []
    for name, cost in costs.items():
        note = "" if name == STATIC else f"an event costs {cost / costs[STATIC]:.1f}× one without learning"
        rows.append(Row("learning", name, "neurosim", 1, 1e-6 / cost, "M/s", note=note))
    return rows


def build(name: str, neurons: int, outdegree: int, seed: int) -> ns.Simulation:
    """Synapses that learn by the rule ``name``, ready to run."""
    rule = ns.learning.learning_rules().get(name)
    network = ns.Network(seed=seed, dt=1.0)
    source, target = (network.add_population(side, neurons, cell(rule)()) for side in ("source", "target"))
    if name != NOBODY:
        network.connect(
            source, target, ns.connectors.fixed_outdegree(outdegree), weight=ns.uniform(0.5, 1.5),
            delay=ns.uniform(*BOUNDS["delay"]), bounds=BOUNDS, learning=[] if rule is None else [rule()],
        )  # fmt: skip
    simulation = ns.Simulation(network, dt=1.0, threads=1)
    if rule is not None and rule.modulator:
        simulation.every("100 ms", lambda sim: sim.modulate(rule.modulator, 0.01))
    return simulation


def cell(rule: LearningRule | None) -> NeuronModel:
    """A neuron that fires at random, whatever arrives, and holds what the rule wants to see of a neuron."""
    text = "" if rule is None else f"{rule.equations}\n{rule.clocked}"
    seen = sorted({*_NEURON_VARIABLE.findall(text)} - {"i_syn"})
    model: NeuronModel = ns.models.from_equations(
        "\n".join(["i_syn : mV", *(f"{name} : mV" for name in seen)]),
        threshold="rand() < rate*dt",
        parameters={"rate": f"{RATE} Hz"},
        receptors={"exc": "i_syn"},
        name="random",
    )
    return model
