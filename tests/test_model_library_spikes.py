"""Spikes of the library's models: when they come, and what they leave behind."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from model_references import LINEAR, Array, adex, exact, interneuron, traub_miles
from scipy.integrate import solve_ivp
from test_model_library import MODELS, run

import neurosim as ns

DT = 0.1

# name -> what makes it fire regularly, and its membrane time constant (ms) and capacitance (pF)
INTEGRATE_AND_FIRE: dict[str, tuple[dict[str, float], float, float]] = {
    "lif_delta": ({"tau_m": 12.0, "c_m": 200.0}, 12.0, 200.0),
    "lif_exp": ({"tau_m": 12.0, "c_m": 200.0}, 12.0, 200.0),
    "lif_alpha": ({"tau_m": 12.0, "c_m": 200.0}, 12.0, 200.0),
    "lif_noise": ({"tau_m": 12.0, "c_m": 200.0, "sigma": 0.0}, 12.0, 200.0),
    "lif_double_exp": ({"tau_m": 12.0, "c_m": 200.0}, 12.0, 200.0),
    "lif_adaptive_threshold": ({"tau_m": 12.0, "c_m": 200.0, "d_th": 0.0}, 12.0, 200.0),
    "lif_cond_exp": ({"g_l": 16.0, "c_m": 200.0}, 12.5, 200.0),
    "lif_cond_alpha": ({"g_l": 16.0, "c_m": 200.0}, 12.5, 200.0),
}
LEVELS = {"e_l": -68.0, "v_th": -51.0, "v_reset": -63.0}


def spikes_at(name: str, currents: list[float], dt: float, duration: float, **parameters: float) -> list[Any]:
    """The spikes of one neuron per injected current."""
    net = ns.Network(dt=dt)
    models = [MODELS[name](i_e=current, **parameters) for current in currents]
    neurons = [net.add_population(f"n{k}", 1, model) for k, model in enumerate(models)]
    sim = ns.Simulation(net)
    spikes = [sim.record_spikes(neuron) for neuron in neurons]
    sim.run(duration)
    return spikes


@pytest.mark.parametrize("name", INTEGRATE_AND_FIRE)
@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_the_rate_of_an_integrator_is_its_closed_form(name: str, t_ref: float) -> None:
    """Held for the refractory time, then the logarithm from reset to threshold, up to the next step."""
    changed, tau, c_m = INTEGRATE_AND_FIRE[name]
    currents = [286.0, 310.0, 450.0, 1200.0, 20_000.0]
    spikes = spikes_at(name, currents, DT, 300.0, **changed, **LEVELS, t_ref=t_ref)
    for current, fired in zip(currents, spikes, strict=True):
        level = LEVELS["e_l"] + current * tau / c_m
        climb = tau * math.log((level - LEVELS["v_reset"]) / (level - LEVELS["v_th"]))
        intervals = np.diff(fired.steps)
        assert intervals.size > 3
        assert set(intervals) == {round(t_ref / DT) + math.ceil(climb / DT)}, current


@pytest.mark.parametrize("name", INTEGRATE_AND_FIRE)
def test_below_the_rheobase_nobody_fires(name: str) -> None:
    changed, tau, c_m = INTEGRATE_AND_FIRE[name]
    rheobase = (LEVELS["v_th"] - LEVELS["e_l"]) * c_m / tau
    below, above = spikes_at(name, [0.999 * rheobase, 1.001 * rheobase], DT, 200.0, **changed, **LEVELS)
    assert len(below) == 0
    assert len(above) > 0


@pytest.mark.parametrize("name", [n for n in LINEAR if n != "lif_delta"])
def test_the_membrane_is_held_while_all_else_goes_on(name: str) -> None:
    """A spike in the first step; then each variable by itself, the membrane from the reset on."""
    model, reference, t_ref = MODELS[name], LINEAR[name], 2.0
    fires = {"lif_escape": {"rho_th": 1e9}, "gif": {"rho_0": 1e9}, "lif_noise": {"sigma": 0.0}}.get(name, {})
    configured = model(**fires, t_ref=t_ref, v_reset=-200.0)
    start = {key: 0.5 * (low + high) for key, (low, high) in reference.start.items()} | {"v": 30.0}
    start |= {"theta": 25.0} if name == "lif_intrinsic" else {}  # which begins out of reach elsewhere
    population, spikes = run(configured, DT, DT, **start)
    assert len(spikes) == 1
    state = np.array([getattr(population, key).values for key in reference.start])
    jumps = {"gif": [0, 56.7, -6.9, 11.7, 1.8, 0, 0], "lif_adaptive_threshold": [0, 2.0, 0, 0],
             "lif_intrinsic": [0, 0.1, 0, 0]}.get(name, 0.0)  # fmt: skip
    before = np.array(list(start.values()))[:, None]
    expected = exact(reference, dict(configured.parameters), before, DT) + np.reshape(jumps, (-1, 1))
    expected[0] = -200.0
    np.testing.assert_allclose(state, expected, rtol=1e-10, atol=1e-10)
    held = exact(reference, dict(configured.parameters), expected, t_ref)
    held[0] = -200.0
    net = population.network
    ns.Simulation(net).run(t_ref)
    state = np.array([getattr(population, key).values for key in reference.start])
    np.testing.assert_allclose(state, held, rtol=1e-10, atol=1e-10)
    ns.Simulation(net).run(1.0)
    free = exact(reference, dict(configured.parameters), held, 1.0)
    state = np.array([getattr(population, key).values for key in reference.start])
    np.testing.assert_allclose(state, free, rtol=1e-10, atol=1e-10)


def test_adaptation_of_adex_goes_on_while_it_is_refractory() -> None:
    """The membrane that it follows stands at the reset."""
    model = MODELS["adex"](v_reset=-58.0, t_ref=3.0, a=10.0, tau_w=20.0)
    population, spikes = run(model, DT, DT, v=25.0, w=40.0)
    assert len(spikes) == 1
    assert population.v.values[0] == -58.0
    w = population.w.values[0]
    ns.Simulation(population.network).run(3.0)
    level = 10.0 * (-58.0 + 70.6)
    assert population.v.values[0] == -58.0
    assert population.w.values[0] == pytest.approx(level + (w - level) * math.exp(-3.0 / 20.0), rel=1e-9)


def test_the_threshold_of_a_tired_neuron_is_higher() -> None:
    """Each interval is the time to a threshold that has jumped and relaxed; known ahead, as v starts anew."""
    p = {"tau_m": 15.0, "tau_th": 80.0, "d_th": 3.0, "i_e": 400.0, "t_ref": 1.0}
    _, spikes = run(MODELS["lif_adaptive_threshold"](**p), 0.01, 200.0)
    theta, expected, now = -50.0, [], 0.0
    level = -65.0 + 400.0 * 15.0 / 250.0
    for _ in range(5):
        t = np.arange(0.0, 100.0, 0.01)
        held = 1.0 if expected else 0.0
        v = level + (-65.0 - level) * np.exp(-np.maximum(t - held, 0.0) / 15.0)
        crossed = np.flatnonzero((v >= -50.0 + (theta + 50.0) * np.exp(-t / 80.0)) & (t > held))[0]
        now += t[crossed]
        expected.append(now)
        theta = -50.0 + (theta + 50.0) * math.exp(-t[crossed] / 80.0) + 3.0
    np.testing.assert_allclose(spikes.times[:5], expected, rtol=0, atol=0.02)
    assert np.diff(spikes.times)[3] > 1.2 * np.diff(spikes.times)[0]


# ---- AdEx ------------------------------------------------------------------------------------------

# After Naud et al. 2008, table 1, doi:10.1007/s00422-008-0264-7. The last one stands still in the end: its fixed point
# is stable below 282 pA, where g_l/c_m*(exp((v - v_t)/delta_t) - 1) is 1/tau_w.
PATTERNS: dict[str, dict[str, float]] = {
    "tonic": {"c_m": 200, "g_l": 10, "e_l": -70, "a": 2, "tau_w": 30, "b": 0, "v_reset": -58, "i_e": 500},
    "adapting": {"c_m": 200, "g_l": 12, "e_l": -70, "a": 2, "tau_w": 300, "b": 60, "v_reset": -58, "i_e": 500},
    "bursting": {"c_m": 200, "g_l": 10, "e_l": -58, "a": 2, "tau_w": 120, "b": 100, "v_reset": -46, "i_e": 210},
    "transient": {"c_m": 100, "g_l": 10, "e_l": -65, "a": 10, "tau_w": 90, "b": 100, "v_reset": -47, "i_e": 250},
}


def test_adex_fires_in_its_known_patterns() -> None:
    times: dict[str, Array] = {}
    for name, pattern in PATTERNS.items():
        _, spikes = run(MODELS["adex"](**pattern, v_t=-50.0, delta_t=2.0, v_peak=0.0), DT, 500.0)
        times[name] = spikes.times
    intervals = {name: np.diff(t) for name, t in times.items()}
    assert np.ptp(intervals["tonic"][9:]) <= 2 * DT
    assert len(intervals["tonic"]) > 20
    adapting = intervals["adapting"]
    assert (np.diff(adapting[:6]) > 0.0).all()
    assert adapting[-1] > 2 * adapting[0]
    settled = intervals["bursting"][times["bursting"][1:] > 200.0]
    assert settled.max() > 4 * settled.min()
    assert (settled > 4 * settled.min()).sum() >= 2
    assert 1 <= len(times["transient"]) <= 6
    assert times["transient"][-1] < 100.0


def test_adex_spikes_when_adaptive_integration_does() -> None:
    p = SimpleNamespace(**dict(MODELS["adex"](i_e=900.0).parameters))
    _, spikes = run(MODELS["adex"](i_e=900.0), 0.01, 150.0)

    def takes_off(_: float, y: Array) -> float:
        return float(y[0] + 35.0)  # less than 5 μs before it reaches infinity

    takes_off.terminal = True  # type: ignore[attr-defined]
    now, y, expected = 0.0, np.array([p.e_l, 0.0, 0.0, 0.0]), []
    while True:
        done = solve_ivp(lambda _, x: adex(p, *x), (now, 150.0), y, "LSODA", events=takes_off, rtol=1e-10, atol=1e-10)
        if not done.t_events[0].size:
            break
        now, y = done.t_events[0][0], done.y_events[0][0]
        y[0], y[1] = p.v_reset, y[1] + p.b
        expected.append(now)
    assert len(expected) >= 5
    np.testing.assert_allclose(spikes.times, expected, rtol=0, atol=0.01 * (len(expected) + 1))


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("changed", [{}, {"delta_t": 1e-3}, {"v_t": -1e4}, {"i_e": 1e6}, {"v_peak": 1e3}, {"a": -9.0}])
def test_nothing_of_adex_overflows(dt: float, changed: dict[str, float]) -> None:
    population, _ = run(MODELS["adex"](**{"i_e": 2000.0, **changed}), dt, 200.0)
    assert np.isfinite(population.v.values).all()
    assert np.abs(population.w.values).max() < 1e7


# ---- quadratic and theta ----------------------------------------------------------------------------


def test_the_period_of_a_quadratic_neuron_is_its_closed_form() -> None:
    currents = [90.0, 200.0, 400.0]
    for current, spikes in zip(currents, spikes_at("quadratic", currents, 0.02, 400.0), strict=True):
        # tau dx/dt = k x² + q around the middle of the two fixed points
        q = current * 20.0 / 250.0 - 0.05 * 10.0**2
        root = math.sqrt(0.05 / q)
        period = 20.0 / math.sqrt(0.05 * q) * (math.atan(85.0 * root) - math.atan(-10.0 * root))
        assert np.diff(spikes.times).mean() == pytest.approx(period, abs=0.03)


def test_theta_is_periodic_excitable_and_the_tangent_of_a_quadratic_neuron() -> None:
    drives = [0.1, 0.5, 4.0]
    *spikes, excitable = spikes_at("theta", [*drives, -0.1], 0.05, 500.0)
    for drive, fired in zip(drives, spikes, strict=True):
        intervals = np.diff(fired.times)
        assert intervals.mean() == pytest.approx(math.pi * 10.0 / math.sqrt(drive), rel=2e-4)
        assert np.ptp(intervals) < 0.11  # the phase beyond π is kept, so errors of the grid do not add up
    assert len(excitable) == 0
    theta = run(MODELS["theta"](i_e=0.3), 0.05, 4.0, theta=-1.2)[0].theta.values[0]
    start, root = math.tan(-0.6), math.sqrt(0.3)
    assert math.tan(theta / 2) == pytest.approx(root * math.tan(math.atan(start / root) + root * 4.0 / 10.0), rel=1e-9)


# ---- Hodgkin and Huxley ------------------------------------------------------------------------------


def crossings(right: Any, start: list[float], level: float, current: float, duration: float) -> Array:
    """When the potential rises through ``level``, by adaptive integration."""

    def above(_: float, y: Array) -> float:
        return float(y[0] - level)

    above.direction = 1  # type: ignore[attr-defined]
    p = SimpleNamespace(i_e=current)
    done = solve_ivp(lambda _, y: right(p, *y), (0, duration), start, "LSODA", events=above, rtol=1e-9, atol=1e-10)
    times: Array = done.t_events[0]
    return times


@pytest.mark.parametrize(
    ("name", "right", "start", "currents", "dt", "error"),
    [
        ("hh_cond_exp", traub_miles, [-60.0, 0.027, 0.991, 0.06, 0.0, 0.0], [-150.0, 100.0, 1500.0], 0.01, 0.015),
        ("wang_buzsaki", interneuron, [-64.0, 0.78, 0.09, 0.0, 0.0], [0.0, 50.0, 1500.0], 0.02, 1e-4),
    ],
)
def test_conductance_based_neurons_fire_when_their_membrane_does(
    name: str, right: Any, start: list[float], currents: list[float], dt: float, error: float
) -> None:
    """Each spike is counted once, though nothing is reset; the first current is too low for any."""
    for k, (current, spikes) in enumerate(zip(currents, spikes_at(name, currents, dt, 100.0), strict=True)):
        expected = crossings(right, start, -20.0, current, 95.0)
        assert (expected.size >= 3) == (k > 0)
        found = spikes.times
        assert expected.size <= found.size <= 1.1 * expected.size
        np.testing.assert_allclose(found[: expected.size], expected, rtol=error, atol=2 * dt)


# ---- parrots -----------------------------------------------------------------------------------------


@pytest.mark.lane
def test_a_parrot_repeats_what_it_hears_once_per_step() -> None:
    net = ns.Network(dt=DT)
    source = net.add_population("s", 3, ns.models.spike_list(times=[[1.0, 2.0, 7.3], [2.0, 5.0], []]))
    parrots = net.add_population("p", 2, "parrot")
    late = net.add_population("late", 1, "parrot")
    net.connect(source, parrots, "all_to_all", weight=0.3, delay=1.5)
    net.connect(parrots, late, "all_to_all", weight=-2.0, delay=0.7)
    sim = ns.Simulation(net)
    spikes, echo = sim.record_spikes(parrots), sim.record_spikes(late)
    sim.run(20.0)
    for parrot in parrots.ids:
        assert spikes.steps[spikes.ids == parrot].tolist() == [25, 35, 65, 88]
    assert echo.steps.tolist() == [32, 42, 72, 95]


@pytest.mark.lane
def test_a_parrot_hears_what_comes_without_a_delay() -> None:
    """It arrives after the test of its step, and so is repeated in the next."""
    net = ns.Network(dt=DT)
    source = net.add_population("s", 1, ns.models.spike_list(times=[[1.0, 1.1, 3.0]]))
    parrot = net.add_population("p", 1, "parrot")
    net.connect(source, parrot, "all_to_all", weight=1.0, delay=0.0)
    sim = ns.Simulation(net)
    spikes = sim.record_spikes(parrot)
    sim.run(5.0)
    assert spikes.steps.tolist() == [11, 12, 31]
