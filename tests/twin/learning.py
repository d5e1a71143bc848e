"""When synapses learn: arrivals, postsynaptic spikes, modulators, periods, every step, and emission."""

from __future__ import annotations

from collections.abc import Iterable

from .grid import delay_in_steps
from .parts import Arrival, Neuron, Projection, Synapse
from .plasticity import always, event
from .traces import Axon, newborn


def prepare(projection: Projection, neurons: Iterable[Neuron]) -> None:
    """Neurons begin to leave traces for the synapses of a projection: from their births, zero (law 12)."""
    rules, dt = projection.rules, projection.dt
    projection.levels = projection.levels or [newborn(rule.signals(), dt) for rule in rules]
    for neuron in neurons:
        if neuron.population is projection.source:
            neuron.axons[projection.name] = Axon([newborn(rule.pre(), dt) for rule in rules], [])
        if neuron.population is projection.target:
            neuron.history[projection.name] = [newborn(rule.post(), dt) for rule in rules]


def begin(synapse: Synapse, now: int) -> None:
    """A synapse is born: its variables start, and where its traces are its neuron's, it has them as they stand."""
    projection = synapse.projection
    synapse.at = now
    synapse.variables = [
        {
            name: projection.stored(variable.newborn(synapse.weight, synapse.delay))
            for name, variable in rule.variables().items()
        }
        for rule in projection.rules
    ]
    look_through(synapse, now)


def look_through(synapse: Synapse, now: int) -> None:
    """A synapse has its delay from now on, by birth or by an edit.

    Through it it sees its neuron's traces, as if it had carried all earlier spikes with that delay: it has what those
    have brought by now, and `before` holds (arrival, emission, traces) of those that are yet to come. They are no
    arrivals that rules could see. Traces of its own are none of this.
    """
    projection = synapse.projection
    if projection.learns_delay and synapse.traces:
        return
    synapse.traces = [newborn(rule.pre(), projection.dt) for rule in projection.rules]
    if not projection.learns_delay:
        steps = delay_in_steps(synapse.delay, projection.dt)
        sent = synapse.pre.axons[projection.name].sent
        synapse.brought = -1
        synapse.before = [(emitted + steps, emitted, carried) for emitted, carried in sent]
        from_before(synapse, now)


def from_before(synapse: Synapse, now: int) -> None:
    """What earlier spikes have brought by now."""
    for arrival, emitted, carried in synapse.before:
        if arrival <= now:
            bring(synapse, carried, emitted, arrival)
    synapse.before = [coming for coming in synapse.before if coming[0] > now]


def bring(synapse: Synapse, carried: list[dict[str, float]], emitted: int, arrival: int) -> None:
    """A spike has brought its neuron's traces, as they were at its emission. Older ones change nothing any more."""
    if emitted <= synapse.brought:
        return
    synapse.brought = emitted
    for of_rule, values in zip(synapse.traces, carried, strict=True):
        for name, trace in of_rule.items():
            trace.become(values[name], arrival)


def from_arrivals(arrivals: Iterable[Arrival], step: int) -> None:
    """A synapse sees the arrivals of the spikes that it has itself carried, while it lives (law 6).

    Its rules read the presynaptic traces as they were before this arrival.
    """
    for arrival in arrivals:
        synapse = arrival.synapse
        if not synapse.alive:
            continue
        event(synapse, "on_arrival", step, always)
        if synapse.projection.learns_delay:  # its traces count what has arrived here
            for of_rule in synapse.traces:
                for trace in of_rule.values():
                    trace.bump(step)
        else:
            bring(synapse, arrival.traces, arrival.emitted, step)


def from_spikes(projection: Projection, fired: Iterable[Neuron], step: int) -> None:
    """A synapse sees its target's spikes after the arrivals of the same time (law 4).

    Its rules read the postsynaptic traces as they were before this spike, and captured values of now.
    """
    for neuron in fired:
        if neuron.population is not projection.target:
            continue
        for synapse in projection.synapses.values():
            if synapse.post is neuron:
                event(synapse, "on_post", step, always)
        for of_rule in neuron.history[projection.name]:
            for trace in of_rule.values():
                trace.bump(step)


def from_modulator(projection: Projection, name: str, amount: float, step: int) -> None:
    """A signal reaches every synapse that has a rule for it, which reads its traces as they were before."""
    for synapse in projection.synapses.values():
        event(synapse, "on_modulator", step, lambda rule: rule.modulator == name, amount)
    for rule, levels in zip(projection.rules, projection.levels, strict=True):
        for trace in levels.values() if rule.modulator == name else ():
            trace.bump(step, amount)


def from_the_clock(projection: Projection, step: int) -> None:
    """What is due periodically, all rules in one event; then what acts in every step."""
    for synapse in projection.synapses.values():
        event(synapse, "every", step, lambda rule: rule.is_due(step, projection.dt))
        event(synapse, "clocked", step, always)
