"""Models that fire at random: chances per step against their closed forms, and white noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from model_references import Array
from scipy import stats
from scipy.integrate import trapezoid
from scipy.special import erfcx
from test_model_library import MODELS, run

import neurosim as ns

DT = 0.1


def assert_binomial(found: int, trials: int, p: float) -> None:
    """Within four standard deviations and a bit."""
    assert abs(found - trials * p) < 4.2 * math.sqrt(trials * p * (1.0 - p)) + 1.0


@pytest.mark.parametrize("depth", [-10.0, -2.0, 3.0])
@pytest.mark.parametrize("t_ref", [0.0, 1.5])
def test_the_escape_rate_is_the_hazard_without_any_input(depth: float, t_ref: float) -> None:
    """At a constant potential the steps to the next spike are geometric."""
    n, steps = 400, 4000
    model = MODELS["lif_escape"](e_l=-50.0 + depth, v_reset=-50.0 + depth, t_ref=t_ref)
    _, spikes = run(model, DT, steps * DT, n)
    p = -math.expm1(-0.05 * math.exp(depth / 4.0) * DT)
    held = round(t_ref / DT)
    assert_binomial(len(spikes), n * steps - len(spikes) * held, p)
    order = np.lexsort((spikes.steps, spikes.ids))
    ids, at = spikes.ids[order].astype(int), spikes.steps[order]
    if t_ref == 0.0:
        counts = np.bincount(ids, minlength=n)
        assert counts.var() == pytest.approx(steps * p * (1 - p), rel=0.35)
    if depth > 0.0:
        intervals = np.diff(at)[np.diff(ids) == 0] - held
        assert intervals.min() == 1
        assert intervals.mean() == pytest.approx(1 / p, rel=0.02)
        longest = int(3 / p)
        seen = np.bincount(np.minimum(intervals, longest), minlength=longest + 1)[1:]
        chances = np.append(stats.geom.pmf(np.arange(1, longest), p), stats.geom.sf(longest - 1, p))
        kept = chances * intervals.size > 5
        expected = chances[kept] * seen[kept].sum() / chances[kept].sum()
        assert stats.chisquare(seen[kept], expected).pvalue > 1e-3
        assert abs(np.corrcoef(intervals[1:], intervals[:-1])[0, 1]) < 5 / math.sqrt(intervals.size)


def test_an_escape_rate_beyond_all_bounds_fires_in_every_step() -> None:
    for name, v_th in (("lif_escape", "v_th"), ("gif", "v_t")):
        model = MODELS[name](**{v_th: -1e9, "t_ref": 0.0, "delta_v": 1e-3})
        population, spikes = run(model, DT, 5.0, 3)
        assert len(spikes) == 150
        assert np.isfinite(population.v.values).all()
        assert len(run(MODELS[name](**{v_th: 1e9, "delta_v": 1e-3}), DT, 50.0, 100)[1]) == 0


def test_intervals_of_gif_have_the_survivor_function_of_its_moving_threshold() -> None:
    """From the first spike to the second, at a constant potential: no other spike has left a trace."""
    n, q, tau, t_ref = 1500, (4.0, 1.0), (12.0, 60.0), 2.0
    model = MODELS["gif"](
        e_l=-45.0, v_reset=-45.0, v_t=-45.0, rho_0=0.4, delta_v=1.5, t_ref=t_ref, q_stc_1=0.0, q_stc_2=0.0,
        q_sfa_1=q[0], q_sfa_2=q[1], tau_sfa_1=tau[0], tau_sfa_2=tau[1],
    )  # fmt: skip
    _, spikes = run(model, DT, 150.0, n)
    order = np.lexsort((spikes.steps, spikes.ids))
    ids, at = spikes.ids[order].astype(int), spikes.steps[order]
    first = np.searchsorted(ids, np.arange(n))
    assert (ids[np.minimum(first + 1, len(ids) - 1)] == np.arange(n)).all()  # all have fired twice
    intervals = at[first + 1] - at[first]
    steps = np.arange(1, 1501)
    shift = q[0] * np.exp(-steps * DT / tau[0]) + q[1] * np.exp(-steps * DT / tau[1])
    hazard = np.where(steps > round(t_ref / DT), 0.4 * np.exp(-shift / 1.5), 0.0)
    cumulative = -np.expm1(-np.cumsum(hazard) * DT)
    edges = np.unique(np.searchsorted(cumulative, np.linspace(0.05, 0.95, 19)))
    chances = np.diff(np.concatenate([[0.0], cumulative[edges], [1.0]]))
    seen = np.bincount(np.searchsorted(edges, intervals - 1), minlength=len(edges) + 1)
    assert stats.chisquare(seen, chances * n).pvalue > 1e-3
    assert intervals.min() > round(t_ref / DT)


def test_spike_triggered_currents_make_gif_slower() -> None:
    rates = {}
    for name, changed in (("both", {}), ("none", {"q_stc_1": 0.0, "q_stc_2": 0.0, "q_sfa_1": 0.0, "q_sfa_2": 0.0})):
        _, spikes = run(MODELS["gif"](i_e=200.0, **changed), DT, 500.0, 50)
        rates[name] = len(spikes) / 50 / 0.5
    assert 1.0 < rates["both"] < 0.5 * rates["none"]


@pytest.mark.parametrize(("depth", "phase"), [(0.8, 0.7), (2.0, 0.0), (0.0, 0.0)])
def test_the_rate_of_an_inhomogeneous_source_follows_its_curve(depth: float, phase: float) -> None:
    n, duration = 600, 500.0
    model = MODELS["poisson_inhomogeneous"](rate="40 Hz", depth=depth, frequency="8 Hz", phase=phase)
    _, spikes = run(model, DT, duration, n)
    t = np.arange(1, round(duration / DT) + 1) * DT
    p = np.maximum(0.0, 40.0 * (1 + depth * np.sin(2 * np.pi * 0.008 * t + phase))) * DT / 1000.0
    counts = np.bincount(spikes.steps, minlength=len(t) + 1)[1:]
    assert counts[p == 0.0].sum() == 0
    assert_binomial(len(spikes), n * len(t), float(p.mean()))
    seen, expected = counts.reshape(50, -1).sum(axis=1), n * p.reshape(50, -1).sum(axis=1)
    bins = expected > 5
    assert stats.chi2.sf(((seen - expected)[bins] ** 2 / expected[bins]).sum(), bins.sum()) > 1e-3
    per_neuron = np.bincount(spikes.ids.astype(int), minlength=n)
    assert per_neuron.var() == pytest.approx(per_neuron.mean(), rel=0.3)


def test_neurons_and_populations_draw_independently() -> None:
    net = ns.Network(seed=4, dt=DT)
    populations = [net.add_population(name, 300, MODELS["lif_escape"](e_l=-48.0, v_reset=-48.0)) for name in "ab"]
    sim = ns.Simulation(net)
    spikes = [sim.record_spikes(p) for p in populations]
    sim.run(200.0)
    per_step: list[Array] = [np.bincount(s.steps, minlength=2001)[500:].astype(float) for s in spikes]
    assert abs(np.corrcoef(*per_step)[0, 1]) < 0.13
    assert per_step[0].var() == pytest.approx(per_step[0].mean(), rel=0.25)
    once = set(zip(spikes[0].steps.tolist(), spikes[0].ids.tolist(), strict=True))
    again = set(zip(spikes[1].steps.tolist(), (spikes[1].ids - 300).tolist(), strict=True))
    assert len(once & again) < 0.05 * len(once)


# ---- white noise ---------------------------------------------------------------------------------------


def test_the_noisy_membrane_has_its_standard_deviation() -> None:
    n, tau = 4000, 8.0
    population, spikes = run(MODELS["lif_noise"](sigma=3.0, tau_m=tau, v_th=1e3, i_e=50.0), 0.1, 6.0, n)
    assert len(spikes) == 0
    v = population.v.values
    grown = 1 - math.exp(-6.0 / tau)
    variance = 9.0 * (1 - math.exp(-12.0 / tau))
    assert v.mean() == pytest.approx(-65.0 + 50.0 * tau / 250.0 * grown, abs=4.2 * math.sqrt(variance / n))
    assert v.var() == pytest.approx(variance, rel=4.2 * math.sqrt(2 / n))


def test_the_rate_of_a_noisy_integrator_is_siegerts() -> None:
    """A threshold that is looked at in steps is as if it were 0.58 steps of the noise higher."""
    tau, sigma, t_ref, level, n, duration = 10.0, 5.0, 2.0, -55.0, 400, 1000.0
    model = MODELS["lif_noise"](tau_m=tau, sigma=sigma, t_ref=t_ref, e_l=level, v_th=-50.0, v_reset=-60.0)
    _, spikes = run(model, 0.05, duration, n)
    late = np.count_nonzero(spikes.times > 200.0)
    unseen = 0.5826 * sigma * math.sqrt(2 * 0.05 / tau)  # -ζ(1/2)/sqrt(2π): Broadie, Glasserman & Kou 1997
    x = np.linspace(-5.0, 5.0 + unseen, 20_001) / (sigma * math.sqrt(2))
    passage = math.sqrt(math.pi) * tau * trapezoid(erfcx(-x), x)
    assert late / n / 800.0 == pytest.approx(1 / (t_ref + passage), rel=0.015)


OU = "dv/dt = (mu - v)/tau + sigma*sqrt(2/tau)*xi : mV"


@pytest.mark.parametrize("method", ["exact", "euler"])
def test_white_noise_makes_an_ornstein_uhlenbeck_process(method: str) -> None:
    """Mean and variance while it settles, variance and correlation afterwards."""
    n, tau, sigma, dt = 4000, 5.0, 2.0, 0.5
    parameters = {"mu": "-60 mV", "tau": "5 ms", "sigma": "2 mV"}
    model = ns.models.from_equations(OU, parameters=parameters, method=method, initial={"v": -50.0}, name="ou")
    net = ns.Network(dt=dt)
    population = net.add_population("n", n, model)
    sim = ns.Simulation(net)
    recorder = sim.record_state(population, "v", every=dt)
    sim.run(60.0)
    v = recorder["v"].reshape(-1, n)
    k = np.arange(len(v))
    decay = math.exp(-dt / tau) if method == "exact" else 1 - dt / tau
    settled = sigma**2 if method == "exact" else sigma**2 / (1 - dt / tau / 2)  # of Euler and Maruyama's scheme
    mean, variance = -60.0 + 10.0 * decay**k, settled * (1 - decay ** (2 * k))
    assert (np.abs(v.mean(axis=1) - mean) < 4.5 * np.sqrt(variance / n) + 1e-9).all()
    assert (np.abs(v.var(axis=1) - variance) < 4.5 * variance * math.sqrt(2 / n) + 1e-9).all()
    late = v[60:] + 60.0
    assert late.var() == pytest.approx(settled, rel=0.03)
    for lag in (1, 5, 20):
        assert np.mean(late[lag:] * late[:-lag]) / settled == pytest.approx(decay**lag, abs=0.03)
    assert abs(np.mean(late[:, 1:] * late[:, :-1])) / settled < 0.03  # neighbours
    assert stats.kstest(late[-1] / math.sqrt(settled), "norm").pvalue > 1e-3


def test_noises_of_different_names_are_independent_and_one_is_shared() -> None:
    equations = """\
da/dt = -a/tau + sqrt(2/tau)*xi : 1
db/dt = -b/tau + sqrt(2/tau)*xi : 1
dc/dt = -c/tau + sqrt(2/tau)*xi_other : 1"""
    for method in ("exact", "euler"):
        model = ns.models.from_equations(equations, parameters={"tau": "5 ms"}, method=method, name="three")
        population, _ = run(model, 0.5, 30.0, 3000)
        a, b, c = (getattr(population, name).values for name in "abc")
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        assert abs(np.corrcoef(a, c)[0, 1]) < 0.08
        assert a.var() == pytest.approx(1.0 if method == "exact" else 1 / (1 - 0.05), rel=0.12)
