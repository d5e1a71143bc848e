"""What a neuron model does, found out with the engine: how it answers currents and single spikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neurosim.engine.simulation import Simulation
    from neurosim.models import ConfiguredModel, NeuronModel

Values = NDArray[np.float64]

DT = 0.1  # ms
COPIES = 40  # of a neuron with noise, where an average is wanted
BRISK = 100.0  # Hz; currents are looked at up to the one that makes a neuron fire so fast
_LADDER = np.array([m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5)])
_BEFORE, _SHOWN = 200.0, 150.0  # ms until a neuron has settled, and after an arrival


def main_variable(model: NeuronModel) -> str:
    """The variable to look at: the membrane potential ``v``, or the first one where there is none."""
    names = [variable.name for variable in model.state]
    return "v" if "v" in names else names[0]


def is_noisy(model: NeuronModel) -> bool:
    """Whether two runs of one neuron differ."""
    return bool(model.dynamics.equations.noises or model.dynamics.draws)


@dataclass(frozen=True)
class Rates:
    """Firing rates (Hz) over injected currents: mean over the last second of two, and of the first interval.

    ``onset`` is not a number where there was none, or where chance decides. ``held`` is the largest of the currents
    at or below zero at which the neuron is silent.
    """

    currents: Values
    steady: Values
    onset: Values
    held: float


def rates(model: ConfiguredModel, points: int = 61) -> Rates:
    """Measure the f–I curve over the currents that matter to this model."""
    steady, _ = _fire(model, _LADDER)
    brisk = np.flatnonzero(steady >= min(BRISK, 0.98 * steady.max()))
    top = float(_LADDER[brisk[0]]) if steady.max() > 0 else 1.0
    low = 0.0
    if _fire(model, np.zeros(1))[0][0] > (2.0 if is_noisy(model.model) else 0.0):  # it fires by itself
        low = -0.2 * top if _fire(model, np.array([-0.2 * top]))[0][0] == 0 else -top
    currents = np.linspace(low, top, points)
    steady, onset = _fire(model, currents)
    reached = np.flatnonzero(steady >= BRISK)
    if reached.size and reached[0] < points // 2:  # a step of the ladder too far
        currents = np.linspace(currents[0], currents[reached[0]], points)
        steady, onset = _fire(model, currents)
    silent = (currents <= 0) & (steady <= 0.05 * max(steady.max(), 1.0))
    return Rates(currents, steady, onset, float(currents[silent][-1]) if silent.any() else 0.0)


def _fire(model: ConfiguredModel, currents: Values) -> tuple[Values, Values]:
    """Rates of the last second of two, and of the first interval."""
    import neurosim as ns

    noisy = is_noisy(model.model)
    copies = COPIES if noisy else 1
    network = ns.Network(seed=1)
    neurons = network.add_population("neurons", copies * currents.size, model)
    drive = network.add_input("drive", ns.inputs.current(0.0), neurons)
    for k, current in enumerate(currents):
        drive.set("amplitude", float(current), on=neurons.ids[copies * k : copies * (k + 1)])
    simulation = ns.Simulation(network, dt=DT, threads=1)
    spikes = simulation.record_spikes(neurons)
    simulation.run("2 s")
    place = (spikes.ids.astype(np.int64) - int(neurons.ids[0])) // copies
    late = np.bincount(place[spikes.times > 1000.0], minlength=currents.size) / copies
    onset = np.full(currents.size, np.nan)
    for k in range(0 if noisy else currents.size):
        times = spikes.times[place == k]
        onset[k] = 1e3 / (times[1] - times[0]) if times.size > 1 else np.nan
        times = times[times > 1000.0]
        if times.size > 2:  # intervals tell more than a count
            late[k] = 1e3 * (times.size - 1) / (times[-1] - times[0])
    return late.astype(np.float64), onset


@dataclass(frozen=True)
class Trace:
    """A neuron under a step of current: ``times`` (ms), each variable, its spikes, when and what was injected."""

    times: Values
    state: Mapping[str, Values]
    spikes: Values
    begin: float
    end: float
    current: float
    held: float


def step_response(model: ConfiguredModel, current: float, held: float) -> Trace:
    """Let a current flow for 300 ms, and record everything."""
    import neurosim as ns

    begin, end, after = 40.0, 340.0, 60.0
    network = ns.Network(seed=3)
    neuron = network.add_population("neuron", 1, model)
    drive = network.add_input("drive", ns.inputs.current(held), neuron)
    simulation = ns.Simulation(network, dt=DT, threads=1)
    simulation.run(_BEFORE)
    start = simulation.time
    names = [variable.name for variable in model.model.state]
    recorder, spikes = simulation.record_state(neuron, names, every=DT), simulation.record_spikes(neuron)
    simulation.run(begin)
    drive.set("amplitude", current)
    simulation.run(end - begin)
    drive.set("amplitude", held)
    simulation.run(after)
    state = {name: np.asarray(recorder[name], np.float64) for name in names}
    return Trace(recorder["time"] - start, state, spikes.times - start, begin, end, current, held)


@dataclass(frozen=True)
class Answer:
    """What one arriving spike does: the change of a variable over ``times`` (ms) after it."""

    receptor: str
    weight: float
    unit: str
    times: Values
    potential: Values
    drive_name: str
    drive: Values


    @property
    def fades(self) -> bool:
        """Whether the neuron returns to where it was."""
        size = np.abs(self.potential)
        return bool(size[-1] < 0.5 * size.max(initial=1e-300))


def answers(model: ConfiguredModel, held: float) -> list[Answer]:
    """Send one spike to each receptor, as strong as it takes to move the neuron a little (1 mV, or 0.1)."""
    found = []
    for receptor, about in model.model.receptors.items():
        sign = -1.0 if receptor.startswith("inh") and about.unit != "nS" else 1.0
        found.append(_answer(model, receptor, about.unit, sign * _LADDER, held))
    return found


def at_rest(model: ConfiguredModel, rates: Rates) -> tuple[Rates, list[Answer]]:
    """Answers at a current at which the neuron rests; where it stands on the brink, a little below."""
    found = answers(model, rates.held)
    if all(answer.fades for answer in found):
        return rates, found
    lower = replace(rates, held=float(f"{rates.held - 0.02 * rates.currents[-1]:.2g}"))
    return lower, answers(model, lower.held)


def _answer(model: ConfiguredModel, receptor: str, unit: str, weights: Values, held: float) -> Answer:
    main, driven = main_variable(model.model), driven_variable(model.model, receptor)
    wanted = 1.0 if next(s.unit for s in model.model.state if s.name == main) == "mV" else 0.1
    names = list(dict.fromkeys((main, driven)))
    struck = _courses(model, receptor, weights, names, held)
    quiet = _courses(model, receptor, 0.0 * weights, names, held)
    change = {name: np.median(struck[name] - quiet[name], axis=2) for name in names}  # (time, weight)
    peaks = np.abs(change[main]).max(axis=0)
    peaks[~np.isfinite(peaks) | (peaks == 0)] = 1e-300
    best = int(np.argmin(np.abs(np.log(peaks / wanted))))
    times = np.asarray((np.arange(change[main].shape[0]) - 1) * DT, np.float64)
    return Answer(receptor, float(weights[best]), unit, times, change[main][:, best], driven, change[driven][:, best])


def driven_variable(model: NeuronModel, receptor: str) -> str:
    """The synaptic current or conductance of a receptor: ``i_exc``, ``g_exc``, or what arrivals are added to."""
    names = {variable.name for variable in model.state}
    return next((n for n in (f"i_{receptor}", f"g_{receptor}") if n in names), model.receptors[receptor].variable)


def _courses(
    model: ConfiguredModel, receptor: str, weights: Values, names: Sequence[str], held: float
) -> dict[str, Values]:
    """Courses of variables from just before an arrival on, shape (time, weight, copy)."""
    import neurosim as ns

    copies = COPIES if is_noisy(model.model) else 1
    network = ns.Network(seed=2)
    neurons = network.add_population("neurons", copies * weights.size, model)
    source = network.add_population("source", 1, ns.models.spike_list(times=[[_BEFORE - 1.0]]))
    if model.model.drive_unit is not None:
        network.add_input("drive", ns.inputs.current(held), neurons)
    given = np.repeat(weights, copies)
    network.connect(source, neurons, "all_to_all", weight=given, delay=1.0, receptor=receptor)
    simulation = ns.Simulation(network, dt=DT, threads=1)
    simulation.run(_BEFORE - DT)
    recorder = simulation.record_state(neurons, names, every=DT)
    simulation.run(_SHOWN)
    return {name: _by_time(recorder[name], weights.size, copies) for name in names}


def _by_time(values: NDArray[np.float64], *shape: int) -> Values:
    return np.asarray(values, np.float64).reshape(-1, *shape)


def heard(
    model: ConfiguredModel, trains: Sequence[Sequence[float]], duration: float
) -> tuple[Values, NDArray[np.int64]]:
    """Spike times and numbers of neurons that hear one train of spikes each, at weight 1, 10 ms later."""
    import neurosim as ns

    network = ns.Network(seed=1)
    source = network.add_population("source", len(trains), ns.models.spike_list(times=trains))
    neurons = network.add_population("neurons", len(trains), model)
    network.connect(source, neurons, "one_to_one", weight=1.0, delay=10.0)
    return _spikes(ns.Simulation(network, dt=DT, threads=1), "neurons", duration)


def emitted(model: ConfiguredModel, size: int, duration: float) -> tuple[Values, NDArray[np.int64]]:
    """Spike times and numbers of ``size`` neurons left alone."""
    import neurosim as ns

    network = ns.Network(seed=1)
    network.add_population("neurons", size, model)
    return _spikes(ns.Simulation(network, dt=DT, threads=1), "neurons", duration)


def _spikes(simulation: Simulation, name: str, duration: float) -> tuple[Values, NDArray[np.int64]]:
    population = simulation.network.populations[name]
    spikes = simulation.record_spikes(population)
    simulation.run(duration)
    return spikes.times, spikes.ids.astype(np.int64) - int(population.ids[0])
