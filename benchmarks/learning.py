"""What learning costs: the same spikes over synapses that learn by each rule, beside synapses that do not learn.

Then rules together, where each further one should cost less than the first, and weights of few bits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import neurosim as ns
from neurosim.benchmarks.rows import Progress, Row
from neurosim.models.declare import NeuronModel
from neurosim.models.rules import LearningRule

SUMMARY = "learning: synaptic events per second of every learning rule, alone and together, beside none"

NEURONS, OUTDEGREE = 2_000, 200
RATE = 25.0  # Hz, of sources and targets
DURATION = 2_000.0
REPEATS = 3
BOUNDS = {"weight": (0.0, 2.0), "delay": (1.0, 5.0)}  # mV, ms
NOBODY, STATIC = "no synapses", "no learning"
TOGETHER = (
    "stdp + triplet_stdp", "stdp + triplet_stdp + vogels_inhibitory", "stdp + synaptic_scaling", "stdp + benna_fusi",
    "ds_stdp + triplet_stdp",
)  # fmt: skip
PRECISIONS = ("no learning, float16", "no learning, int8", "stdp, float64", "stdp, float16", "stdp, int8")
_NEURON_VARIABLE = re.compile(r"\b([A-Za-z]\w*)_(?:pre|post)\b")


@dataclass
class _Measured:
    seconds: list[float] = field(default_factory=list)
    events: int = 0


def run(
    against: Sequence[str],
    progress: Progress,
    cases: Sequence[str] | None = None,
    neurons: int = NEURONS,
    outdegree: int = OUTDEGREE,
    duration: float = DURATION,
    repeats: int = REPEATS,
) -> list[Row]:
    """Measure every case in turn, ``repeats`` times; ``against`` is ignored.

    A case is ``"RULE + RULE, PRECISION"``; by default every rule of the library alone, and some together. The fastest
    of the repeats counts, less what the neurons take without synapses, which is the same for all.
    """
    cases = [*ns.learning.learning_rules(), *TOGETHER, *PRECISIONS] if cases is None else cases
    names = [NOBODY, STATIC, *cases]
    found = {name: _Measured() for name in names}
    for repeat in range(1, repeats + 1):
        for name, measured in found.items():
            progress(f"learning: {name}, repeat {repeat} of {repeats}")
            simulation = build(name, neurons, outdegree, repeat)
            simulation.run(duration)
            measured.seconds.append(simulation.timings["sim_s"])
            measured.events = simulation.events
    alone = min(found[NOBODY].seconds)
    costs = {name: max(min(found[name].seconds) - alone, 1e-9) / found[name].events for name in names[1:]}
    return [Row("learning", name, "neurosim", 1, 1e-6 / cost, "M/s", note=_note(name, costs))
            for name, cost in costs.items()]  # fmt: skip


def _note(name: str, costs: dict[str, float]) -> str:
    if name == STATIC:
        return ""
    note = f"an event costs {costs[name] / costs[STATIC]:.1f}× one without learning"
    *before, last = name.split(" + ")
    others = " + ".join(before)
    if others not in costs or before[0] not in costs or last not in costs:
        return note
    first, further, by_itself = (
        1e9 * (costs[more] - costs[less])
        for more, less in ((before[0], STATIC), (name, others), (last, STATIC))
    )
    return f"{note}; {last} adds {further:.1f} ns, {before[0]} {first:.1f}; {last} by itself {by_itself:.1f}"


def build(name: str, neurons: int, outdegree: int, seed: int) -> ns.Simulation:
    """Synapses that learn as the case ``name`` says, ready to run."""
    written, _, precision = name.partition(", ")
    rules = [] if written in (NOBODY, STATIC) else [ns.learning.learning_rules()[rule] for rule in written.split(" + ")]
    network = ns.Network(seed=seed, dt=1.0)
    source, target = (network.add_population(side, neurons, cell(rules)()) for side in ("source", "target"))
    if name != NOBODY:
        network.connect(
            source, target, ns.connectors.fixed_outdegree(outdegree), weight=ns.uniform(0.5, 1.5),
            delay=ns.uniform(*BOUNDS["delay"]), bounds=BOUNDS, learning=[rule() for rule in rules],
            precision=precision or "float32",
        )  # fmt: skip
    simulation = ns.Simulation(network, dt=1.0, threads=1)
    for modulator in sorted({rule.modulator for rule in rules if rule.modulator}):
        simulation.every("100 ms", lambda sim, name=modulator: sim.modulate(name, 0.01))
    return simulation


def cell(rules: Sequence[LearningRule]) -> NeuronModel:
    """A neuron that fires at random, whatever arrives, and holds what the rules want to see of a neuron."""
    text = "\n".join(f"{rule.equations}\n{rule.clocked}" for rule in rules)
    seen = sorted({*_NEURON_VARIABLE.findall(text)} - {"i_syn"})
    model: NeuronModel = ns.models.from_equations(
        "\n".join(["i_syn : mV", *(f"{name} : mV" for name in seen)]),
        threshold="rand() < rate*dt",
        parameters={"rate": f"{RATE} Hz"},
        receptors={"exc": "i_syn"},
        name="random",
    )
    return model
