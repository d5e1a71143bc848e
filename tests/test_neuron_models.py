"""Neuron models against what is known of them: closed forms, and plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.models import from_equations

DT = 0.1
TIMES = [1.0, 1.1, 4.5, 12.3, 12.3, 30.0]


def stimulated(model: Any, weights: dict[str, float], times: list[float] = TIMES, delay: float = 1.5) -> Any:
    """One neuron that gets spikes at ``times`` over one synapse per weight; returns it and its simulation."""
    net = ns.Network(dt=DT)
    source = net.add_population("source", 1, ns.models.spike_list(times=[times]))
    neuron = net.add_population("neuron", 1, model)
    for name, weight in weights.items():
        receptor = "inh" if weight < 0 else "exc"
        net.connect(source, neuron, "all_to_all", name=name, weight=weight, delay=delay, receptor=receptor)
    return neuron, ns.Simulation(net)


def since_arrivals(times: list[float], delay: float, now: np.ndarray) -> np.ndarray:
    """Time since each arrival, shape (arrivals, times); a neuron hears a step's spikes once. Infinity before."""
    steps = sorted({math.floor(t / DT + 0.5) for t in times})
    since = now[None, :] - (np.array(steps)[:, None] * DT + delay)
    return np.where(since > -1e-9, np.maximum(since, 0.0), np.inf)


@pytest.mark.lane
def test_lif_delta_is_its_closed_form() -> None:
    neuron, sim = stimulated(ns.models.lif_delta(tau_m=17.0, c_m=200.0, e_l=-3.0, i_e=90.0, v_th=1e3), {"in": 0.3})
    recorder = sim.record_state(neuron, "v", every=DT)
    sim.run(60.0)
    t = recorder["time"]
    drive = 90.0 * 17.0 / 200.0 * (1 - np.exp(-t / 17.0))
    jumps = np.exp(-since_arrivals(TIMES, 1.5, t) / 17.0).sum(axis=0)
    np.testing.assert_allclose(recorder["v"], -3.0 + drive + np.float64(np.float32(0.3)) * jumps, rtol=0, atol=1e-9)


@pytest.mark.lane
@pytest.mark.parametrize(("tau_m", "tau_exc", "tau_inh"), [(20.0, 5.0, 10.0), (3.0, 5.0, 80.0), (10.0, 10.0, 10.0)])
def test_lif_exp_is_its_closed_form(tau_m: float, tau_exc: float, tau_inh: float) -> None:
    weights = {"excites": 70.1, "inhibits": -23.7}
    model = ns.models.lif_exp(tau_m=tau_m, tau_exc=tau_exc, tau_inh=tau_inh, v_th=1e3, i_e=20.0)
    neuron, sim = stimulated(model, weights)
    recorder = sim.record_state(neuron, ["v", "i_exc", "i_inh"], every=DT)
    sim.run(60.0)
    t, since = recorder["time"], since_arrivals(TIMES, 1.5, recorder["time"])
    v = -65.0 + 20.0 * tau_m / 250.0 * (1 - np.exp(-t / tau_m))
    for name, tau, weight in (("i_exc", tau_exc, 70.1), ("i_inh", tau_inh, -23.7)):
        stored = np.float64(np.float32(weight))
        np.testing.assert_allclose(recorder[name], stored * np.exp(-since / tau).sum(axis=0), rtol=0, atol=1e-9)
        if tau == tau_m:
            kernel = np.where(np.isinf(since), 0.0, since) * np.exp(-since / tau)
        else:
            kernel = tau * tau_m / (tau_m - tau) * (np.exp(-since / tau_m) - np.exp(-since / tau))
        v += stored / 250.0 * kernel.sum(axis=0)
    np.testing.assert_allclose(recorder["v"], v, rtol=0, atol=1e-9)


@pytest.mark.parametrize("model", ["lif_delta", "lif_exp"])
@pytest.mark.parametrize("t_ref", [0.0, 0.1, 0.5, 2.0])
def test_a_neuron_is_held_for_its_refractory_steps(model: str, t_ref: float) -> None:
    net = ns.Network(dt=DT)
    neuron = net.add_population("n", 1, {model: {"t_ref": t_ref, "v_th": 1.0, "v_reset": 0.0, "e_l": 0.0, "i_e": 1e6}})
    sim = ns.Simulation(net)
    spikes = sim.record_spikes(neuron)
    sim.run(20.0)
    assert set(np.diff(spikes.steps)) == {round(t_ref / DT) + 1}  # held, then one step from reset to threshold
    assert spikes.steps[0] == 1


def test_jumps_are_lost_while_a_neuron_is_refractory_and_count_right_after() -> None:
    # fires at 1.0; refractory in the steps that end at 1.1 … 1.5
    model = ns.models.lif_delta(tau_m=1e9, v_th=10.0, v_reset=-1.0, t_ref=0.5)
    heard = {}
    for late in (1.1, 1.5, 1.6):
        neuron, sim = stimulated(model, {"in": 10.0}, times=[0.5, late - 0.5], delay=0.5)
        sim.run(1.6)
        heard[late] = round(float(neuron.v.values[0]), 6)
    assert heard == {1.1: -1.0, 1.5: -1.0, 1.6: 9.0}


def test_for_ever_refractory() -> None:
    net = ns.Network(dt=DT)
    neuron = net.add_population("n", 1, ns.models.lif_delta(t_ref=1e30, i_e=1e6))
    sim = ns.Simulation(net)
    sim.run(500.0)
    assert sim.spike_counts == {"n": 1}
    assert neuron.v.values.tolist() == [0.0]


@pytest.mark.lane
@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_izhikevich_is_the_published_loop(dt: float) -> None:
    a, b, c, d, weight = 0.02, 0.2, -55.0, 4.0, 8.0
    net = ns.Network(dt=dt)
    source = net.add_population("s", 1, ns.models.spike_list(times=[[20.0, 21.0, 50.0]]))
    neuron = net.add_population("n", 1, ns.models.izhikevich(a=a, b=b, c=c, d=d, i_e=6.0))
    net.connect(source, neuron, "all_to_all", weight=weight, delay=2.0, receptor="exc")
    sim = ns.Simulation(net)
    recorder, spikes = sim.record_state(neuron, ["v", "u"], every=dt), sim.record_spikes(neuron)
    sim.run(150.0)
    v, u, fired = -65.0, -13.0, []
    arrivals = {round(t / dt) for t in (22.0, 23.0, 52.0)}
    for step in range(1, round(150.0 / dt) + 1):
        current = 6.0 + weight * (step - 1 in arrivals)  # what has arrived is the current of the step that follows
        for _ in range(2):
            v += 0.5 * dt * (0.04 * v * v + 5.0 * v + 140.0 - u + current)
        u += dt * a * (b * v - u)
        if v >= 30.0:
            v, u = c, u + d
            fired.append(step)
        if step <= 50:  # the model is chaotic to the last bits later
            assert recorder["v"][step] == pytest.approx(v, abs=1e-9)
            assert recorder["u"][step] == pytest.approx(u, abs=1e-9)
    assert len(fired) >= 3
    assert spikes.steps.tolist() == fired


@pytest.mark.lane
def test_spike_lists_are_rounded_to_the_grid() -> None:
    net = ns.Network(dt=DT)
    times = [[0.04, 0.26, 0.34, 5.0], [], [5.0, 0.06, 100.0]]  # the third neuron's last spike lies beyond the run
    source = net.add_population("s", 3, ns.models.spike_list(times=times))
    sim = ns.Simulation(net)
    spikes = sim.record_spikes(source)
    sim.run(10.0)
    pairs = list(zip(spikes.steps.tolist(), spikes.ids.tolist(), strict=True))
    assert pairs == [(1, 0), (1, 2), (3, 0), (50, 0), (50, 2)]


def test_an_input_is_poisson() -> None:
    """Counts per step, seen through the current that Izhikevich's model keeps for one step."""
    from scipy import stats

    net, rate, n = ns.Network(seed=8, dt=DT), 15_000.0, 200
    neurons = net.add_population("n", n, "izhikevich")
    net.add_input("drive", ns.inputs.poisson(rate), neurons, weight=2.0, receptor="exc")
    sim = ns.Simulation(net)
    recorder = sim.record_state(neurons, "i_syn", every=DT)
    sim.run(100.0)
    counts = recorder["i_syn"].reshape(-1, n)[1:] / 2.0
    assert (counts == np.round(counts)).all()
    mean = rate * DT / 1000.0
    assert counts.mean() == pytest.approx(mean, abs=4 * math.sqrt(mean / counts.size))
    assert counts.var() == pytest.approx(mean, rel=0.02)
    seen = np.bincount(counts.astype(int).ravel(), minlength=8)
    expected = stats.poisson.pmf(np.arange(7), mean) * counts.size
    seen, expected = np.append(seen[:7], seen[7:].sum()), np.append(expected, counts.size - expected.sum())
    assert stats.chisquare(seen, expected).pvalue > 1e-3
    over_neurons, over_time = counts.sum(axis=0), counts.sum(axis=1)  # independent: sums are Poisson, too
    assert over_neurons.var() == pytest.approx(mean * len(counts), rel=0.4)
    assert over_time.var() == pytest.approx(mean * n, rel=0.2)
    for lag in (1, 2, 3, 4, 8):
        assert abs(np.corrcoef(over_time[lag:], over_time[:-lag])[0, 1]) < 0.13


def test_poisson_sources_fire_at_their_rate_independently() -> None:
    net = ns.Network(seed=2, dt=DT)
    sources = net.add_population("s", 500, ns.models.poisson(rate="200 Hz"))
    twins = net.add_population("t", 500, ns.models.poisson(rate="200 Hz"))
    sim = ns.Simulation(net)
    spikes, others = sim.record_spikes(sources), sim.record_spikes(twins)
    sim.run(1000.0)
    p, trials = 0.02, 500 * 10_000
    for recorder in (spikes, others):
        assert abs(len(recorder) - p * trials) < 4 * math.sqrt(trials * p * (1 - p))
    counts = np.bincount(spikes.ids, minlength=500)
    assert counts.var() == pytest.approx(10_000 * p * (1 - p), rel=0.3)
    per_step = np.bincount(spikes.steps, minlength=10_001)[1:]
    assert per_step.var() == pytest.approx(500 * p * (1 - p), rel=0.1)
    together = np.intersect1d(spikes.steps * 1000 + spikes.ids, others.steps * 1000 + others.ids - 500).size
    assert abs(together - p * p * trials) < 5 * math.sqrt(p * p * trials)


@pytest.mark.parametrize(("model", "rate"), [("poisson", "20 kHz"), ("input", "100 MHz")])
def test_rates_that_no_time_step_can_hold_are_refused(model: str, rate: str) -> None:
    net = ns.Network(dt=DT)
    if model == "poisson":
        net.add_population("s", 1, ns.models.poisson(rate=rate))
    else:
        net.add_input("drive", ns.inputs.poisson(rate), net.add_population("n", 1), weight=1.0)
    with pytest.raises(ns.errors.UsageError, match="time step"):
        ns.Simulation(net)


@pytest.mark.parametrize(("equations", "rate"), [
    ("dv/dt = 140/ms - v/(10 ms) : 1", lambda v, t: 140.0 - v / 10.0),
    ("dv/dt = -v**2/(5 ms) + v/ms : 1", lambda v, t: v - v * v / 5.0),
    ("dv/dt = 3/ms : 1", lambda v, t: 3.0),
    ("dv/dt = 2*sin(t/(3 ms))/ms - (v - 1)/(10 ms) : 1", lambda v, t: 2.0 * math.sin(t / 3.0) - (v - 1.0) / 10.0),
    ("dv/dt = w - g*v/ms + 1/ms - v/(4 ms) : 1\ng = 0.1*v : 1\nw : 1/ms", lambda v, t: 1.5 - 0.1 * v * v - v / 4.0),
], ids=["linear", "quadratic", "constant", "in time", "in parts"])  # fmt: skip
def test_half_steps_of_any_equation(equations: str, rate: Callable[[float, float], float]) -> None:
    initial = {"v": 1.0} | ({"w": 0.5} if "w" in equations else {})
    model = from_equations(equations, threshold="v > 1e9", reset="v = 0", method="half_steps")
    net = ns.Network(dt=DT)
    neuron = net.add_population("n", 1, model, initial=initial)
    ns.Simulation(net).run(2.0)
    v = 1.0
    for half in range(round(4.0 / DT)):
        v += 0.5 * DT * rate(v, 0.5 * half * DT)
    assert neuron.v.values[0] == pytest.approx(v, rel=1e-13)
