"""Models from equations do what their equations say: against scipy, closed forms, and statistics."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, linalg, stats

import neurosim as ns
from neurosim import models
from neurosim.compiled import compilations
from neurosim.engine.neurons import code, powers
from neurosim.models import NeuronModel, from_equations

# FitzHugh and Nagumo's equations under a sinusoidal current, each linear in its own variable but for the cube
WAVES = """
dv/dt = (v - v**3/3 - w + drive)/tau : 1
dw/dt = eps*(v + a - b*w)/tau : 1
drive = 0.5*sin(2*pi*t/period) : 1
"""
LINEAR_IN_ITSELF = """
dv/dt = (-v*(1 + w**2) + drive)/tau : 1
dw/dt = eps*(v**2 - b*w)/tau : 1
drive = 1 + 0.5*sin(2*pi*t/period) : 1
"""
NUMBERS = {"tau": "2 ms", "eps": 0.3, "a": 0.7, "b": 0.8, "period": "11 ms", "pi": math.pi}


def alone(model: Any, duration: float, dt: float = 0.1, n: int = 1, **initial: Any) -> ns.Population:
    """Neurons of a model that nothing reaches, after some ms."""
    network = ns.Network(seed=4, dt=dt)
    neurons = network.add_population("n", n, model, initial=initial)
    ns.Simulation(network).run(duration)
    return neurons


def right_side(equations: str) -> Any:
    p = {"tau": 2.0, "eps": 0.3, "a": 0.7, "b": 0.8}

    def slope(t: float, state: Any) -> list[float]:
        v, w = state
        wave = 0.5 * math.sin(2 * math.pi * t / 11.0)
        if equations is WAVES:
            return [(v - v**3 / 3 - w + wave) / p["tau"], p["eps"] * (v + p["a"] - p["b"] * w) / p["tau"]]
        return [(-v * (1 + w**2) + 1 + wave) / p["tau"], p["eps"] * (v**2 - p["b"] * w) / p["tau"]]

    return slope


@pytest.mark.parametrize(
    ("method", "order", "equations"),
    [("euler", 1, WAVES), ("rk2", 2, WAVES), ("rk4", 4, WAVES), ("exponential_euler", 1, LINEAR_IN_ITSELF)],
)
def test_methods_have_their_order(method: str, order: int, equations: str) -> None:
    exact = integrate.solve_ivp(right_side(equations), (0.0, 16.0), [0.2, -0.1], rtol=1e-12, atol=1e-12).y[:, -1]
    model = from_equations(equations, method=method, parameters=NUMBERS, initial={"v": 0.2, "w": -0.1})
    errors = []
    for dt in (0.2, 0.1):
        neuron = alone(model, 16.0, dt)
        errors.append(abs(neuron.v.values[0] - exact[0]) + abs(neuron.w.values[0] - exact[1]))
    assert errors[1] < 0.05**order
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)


LINEAR = """
dv/dt = (e_l - v)/tau_m + (r*(i_syn + i_e + i_stim) - k*w)/tau_m : mV
dw/dt = (a*(v - e_l) - w)/tau_w : pA
i_syn : pA
"""
CELL = {"tau_m": "10 ms", "e_l": "-65 mV", "r": "0.1 mV/pA", "k": "0.1 mV/pA", "tau_w": "30 ms", "a": "8 nS",
        "i_e": "70 pA"}  # fmt: skip


@pytest.mark.parametrize("dt", [0.1, 2.0])
def test_exact_steps_are_exact_at_any_length(dt: float) -> None:
    """A damped oscillation, with an injected current and one that arrived."""
    model = from_equations(LINEAR, parameters=CELL, initial={"v": "e_l + 3 mV", "w": 5})
    network = ns.Network(dt=dt)
    neuron = network.add_population("n", 2, model, initial={"i_syn": [0.0, 40.0]})
    network.add_input("more", ns.inputs.current("20 pA"), network.add_group("second", neuron, neuron.ids[1:]))
    ns.Simulation(network).run(60.0)
    matrix = np.array([[-0.1, -0.01], [8.0 / 30, -1.0 / 30]])
    for k, current in enumerate((70.0, 130.0)):
        rest = np.linalg.solve(matrix, [-0.01 * current, 0.0])  # of v - e_l and w
        exact = rest + linalg.expm(matrix * 60.0) @ (np.array([3.0, 5.0]) - rest)
        found = [neuron.v.values[k] + 65.0, neuron.w.values[k]]
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-11)


def test_a_neuron_at_rest_stays_there_to_the_bit() -> None:
    model = from_equations(LINEAR, parameters={**CELL, "e_l": "-65.3 mV", "i_e": "0 pA"}, initial={"v": "e_l"})
    neuron = alone(model, 500.0, n=20)
    assert set(neuron.v.values) == {-65.3}
    assert set(neuron.w.values) == {0.0}


@pytest.mark.lane
def test_a_system_without_rest_integrates() -> None:
    text = "dv/dt = i_e/c_m - g*v/c_m : mV\ndq/dt = v : mV*ms"
    model = from_equations(text, parameters={"i_e": "50 pA", "c_m": "200 pF", "g": "0 nS"})
    network = ns.Network(dt=0.1)
    neuron = network.add_population("n", 1, model)
    simulation = ns.Simulation(network)
    simulation.run(8.0)
    assert neuron.v.values[0] == pytest.approx(0.25 * 8.0, rel=1e-13)
    assert neuron.q.values[0] == pytest.approx(0.125 * 64.0, rel=1e-13)
    neuron.set_parameter("g", "10 nS")
    simulation.run(20.0)
    assert neuron.v.values[0] == pytest.approx(5.0 - 3.0 * math.exp(-1.0), rel=1e-13)


def test_others_see_a_held_membrane_stand_still() -> None:
    """Adaptation that follows the membrane goes on while it is held."""
    model = from_equations(
        "dv/dt = (drive - v)/tau - 0.1*w/tau : mV (unless refractory)\ndw/dt = (v - w)/tau_w : mV",
        threshold="v > 10 mV", reset="v = 2 mV", refractory="5 ms",
        parameters={"tau": "10 ms", "tau_w": "20 ms", "drive": "30 mV"},
    )  # fmt: skip
    network = ns.Network(dt=0.1)
    neuron = network.add_population("n", 1, model)
    simulation = ns.Simulation(network)
    spikes = simulation.record_spikes(neuron)
    recorder = simulation.record_state(neuron, ["v", "w"], every=0.1)
    simulation.run(40.0)
    first = int(spikes.steps[0])
    assert len(spikes) >= 3
    held = slice(first, first + 51)
    assert set(recorder["v"][held]) == {2.0}
    since = 0.1 * np.arange(51)
    expected = 2.0 + (recorder["w"][first] - 2.0) * np.exp(-since / 20.0)
    np.testing.assert_allclose(recorder["w"][held], expected, rtol=1e-12)
    matrix = np.array([[-0.1, -0.01], [0.05, -0.05]])
    rest = np.linalg.solve(matrix, [-3.0, 0.0])
    before = np.array([recorder["v"][first - 2], recorder["w"][first - 2]])
    after = rest + linalg.expm(matrix * 0.1) @ (before - rest)
    np.testing.assert_allclose([recorder["v"][first - 1], recorder["w"][first - 1]], after, rtol=1e-12)


# -- noise ------------------------------------------------------------------------------------------------

ORNSTEIN = "dv/dt = (mu - v)/tau + sigma*sqrt(2/tau)*xi : mV"


def test_an_ornstein_uhlenbeck_process() -> None:
    """Exact at a step as long as half its time constant: mean, variance, shape and memory."""
    model = from_equations(ORNSTEIN, parameters={"mu": "-60 mV", "tau": "4 ms", "sigma": "3 mV"}, initial={"v": "mu"})
    network = ns.Network(seed=9, dt=2.0)
    neurons = network.add_population("n", 2000, model)
    simulation = ns.Simulation(network)
    simulation.run(40.0)
    recorder = simulation.record_state(neurons, "v", every=2.0)
    simulation.run(48.0)
    v = recorder["v"].reshape(-1, 2000) + 60.0
    settled = v[::6].ravel()  # 12 ms apart: all but independent
    assert abs(settled.mean()) < 4 * 3.0 / math.sqrt(settled.size)
    assert settled.std() == pytest.approx(3.0, rel=0.02)
    assert stats.kstest(settled / 3.0, "norm").pvalue > 1e-3
    for lag in (1, 2, 3):
        memory = (v[lag:] * v[:-lag]).mean() / 9.0
        assert memory == pytest.approx(math.exp(-lag / 2.0), abs=0.02)
    assert abs(np.corrcoef(v[:, ::2].ravel(), v[:, 1::2].ravel())[0, 1]) < 0.02


def test_noise_reaches_a_membrane_through_a_current() -> None:
    """The joint distribution of a noisy current and of what it drives, against its stationary covariance."""
    text = "dv/dt = (-v + r*i)/tau_m : mV\ndi/dt = -i/tau_i + s*sqrt(2/tau_i)*xi_i + 0*s*sqrt(1/ms)*xi_other : pA"
    model = from_equations(
        text, parameters={"tau_m": "6 ms", "tau_i": "3 ms", "r": "0.1 mV/pA", "s": "40 pA"}
    )
    neurons = alone(model, 100.0, dt=1.0, n=20_000)
    found = np.cov(neurons.v.values, neurons.i.values)
    drift, spread = np.array([[-1 / 6, 0.1 / 6], [0.0, -1 / 3]]), np.diag([0.0, 40.0**2 * 2 / 3])
    expected = linalg.solve_continuous_lyapunov(drift, -spread)
    np.testing.assert_allclose(found, expected, rtol=0.04)


@pytest.mark.parametrize("method", ["euler", "exponential_euler"])
def test_noise_that_grows_with_the_variable(method: str) -> None:
    """Geometric Brownian motion in Itô's sense: log x is normal with mean (a - s²/2) t and variance s² t."""
    text = "dp/dt = rate*p + s*p*xi : 1"
    model = from_equations(text, method=method, parameters={"rate": "0.02/ms", "s": "0.1/sqrt(ms)"}, initial={"p": 1})
    logs = np.log(alone(model, 10.0, dt=0.02, n=10_000).p.values)
    assert logs.mean() == pytest.approx((0.02 - 0.005) * 10.0, abs=4 * 0.316 / 100)
    assert logs.std() == pytest.approx(0.1 * math.sqrt(10.0), rel=0.03)


@pytest.mark.lane
def test_draws_depend_on_nothing_but_their_key() -> None:
    """Neither threads, nor the length of epochs, nor neurons that are born or die beside."""
    model = from_equations(
        ORNSTEIN, threshold="v > -58 mV and rand() < 0.5", reset="v = mu",
        parameters={"mu": "-60 mV", "tau": "4 ms", "sigma": "3 mV"}, initial={"v": "mu"},
    )  # fmt: skip
    found = []
    for options in ({"threads": 1}, {"threads": 2, "epoch_steps": 1}, {"threads": 1, "epoch_steps": 3}):
        network = ns.Network(seed=2, dt=0.1)
        neurons = network.add_population("n", 40, model)
        simulation = ns.Simulation(network, **options)  # type: ignore[arg-type]
        simulation.run(1.3)
        neurons.add(3)
        neurons.remove([5, 6, 7])
        simulation.run(1.0)
        found.append((simulation.hash(), neurons.v.values.tolist()))
    assert found[0] == found[1] == found[2]


def test_chances_above_one_are_refused() -> None:
    model = from_equations("p = rate*dt : 1", threshold="rand() < p", parameters={"rate": "3 kHz"}, name="source")
    network = ns.Network(dt=0.5)
    network.add_population("s", 2, model)
    with pytest.raises(ns.errors.UsageError, match=r"'s' \(source\): the chance of a spike in a time step of 0.5 ms"):
        ns.Simulation(network)


# -- exponentials that are computed once ------------------------------------------------------------------

GATES = """
dp/dt = alpha*(1 - p) - beta*p : 1
dq/dt = (low/exprel((u - 2)/s) + 0.1*alpha*ms/exprel((3 - u)/s) - q)/ms : 1
du/dt = (2 - u)/tau : 1
alpha = exp((u - mid)/s)/ms : 1/ms
beta = 1/(1 + exp(-u/s))/ms : 1/ms
"""


@pytest.mark.parametrize("s", [0.7, 0.04])
def test_shared_exponentials_change_no_result(s: float) -> None:
    """At the smaller width the exponents lie too far apart to share, and each is computed by itself."""
    model = from_equations(
        GATES, method="rk4", parameters={"s": s, "mid": 2.5, "low": 0.2, "tau": "3 ms"}, initial={"u": -1, "q": 0.5}
    )
    text = code(model)
    assert text.partition("def propagate")[2].count(" = exp(") == 4  # one at each stage
    assert "per_exprel_of(" in text

    def slope(t: float, state: Any) -> list[float]:
        p, q, u = state
        alpha, beta = math.exp((u - 2.5) / s), 1 / (1 + math.exp(-u / s))
        exprel = [math.expm1(x) / x for x in ((u - 2) / s, (3 - u) / s)]
        return [alpha * (1 - p) - beta * p, 0.2 / exprel[0] + alpha / exprel[1] / 10 - q, (2.0 - u) / 3]

    neuron = alone(model, 5.0, dt=0.01)
    exact = integrate.solve_ivp(slope, (0.0, 5.0), [0.0, 0.5, -1.0], rtol=1e-11, atol=1e-12).y[:, -1]
    found = [getattr(neuron, name).values[0] for name in "pqu"]
    np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-9)


def test_quotients_of_shared_exponentials_have_no_hole() -> None:
    tens = 10.0 ** np.arange(-300, 3)
    for x in (*tens, *-tens, 0.0):
        power = math.exp(x)
        exact = math.expm1(x) / x if x else 1.0
        assert powers.exprel_of(x, power) == pytest.approx(exact, rel=1e-12)
        assert powers.per_exprel_of(x, power) == pytest.approx(1.0 / exact, rel=1e-12)


# -- the same bits ----------------------------------------------------------------------------------------

SCRIPT = """
import neurosim as ns
network = ns.Network(seed=3, dt=0.1)
for name, cell in {
    "hh": {"hh_cond_exp": {"i_e": "normal(300 pA, 50 pA)"}},
    "adex": {"adex": {"i_e": "700 pA"}},
    "noisy": {"equations": "dv/dt = -v/tau + 0.2*tanh(v)*xi*sqrt(1/tau) : 1", "method": "euler",
              "parameters": {"tau": "5 ms"}, "initial": {"v": 1}},
}.items():
    network.add_population(name, 11, cell)
ns.Simulation(network, threads=1).run(1.0)
for population in network.populations.values():
    for variable in population.model.state:
        print(*(value.hex() for value in getattr(population, variable.name).values.tolist()))
"""


def test_generated_kernels_give_the_same_bits_uncompiled() -> None:
    """In vectors, in their remainders, and in plain Python."""
    said = []
    for disabled in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said[0] == said[1]
    assert len(set(said[0].split())) > 50


# -- making models ----------------------------------------------------------------------------------------


def test_a_mapping_is_a_model() -> None:
    network = ns.Network(seed=1, dt=0.1)
    neurons = network.add_population("n", 4, {
        "name": "leaky", "equations": "dv/dt = (e_l - v)/tau : mV", "threshold": "v > -60 mV", "reset": "v = e_l",
        "parameters": {"tau": "uniform(5 ms, 10 ms)", "e_l": "-50 mV"}, "receptors": {"exc": "v"},
        "initial": {"v": "-70 mV"},
    })  # fmt: skip
    assert repr(neurons) == "<population 'n': 4 × leaky>"
    assert neurons.tau.values.min() >= 5.0
    ns.Simulation(network).run(1.0)
    expected = -50.0 - 20.0 * np.exp(-1.0 / neurons.tau.values)
    np.testing.assert_allclose(neurons.v.values, expected, rtol=1e-12)
    with pytest.raises(ns.errors.UnknownName, match=r"no key 'treshold'.*Did you mean 'threshold'"):
        models.neuron({"equations": "", "treshold": ""})


def test_kernels_are_compiled_once_for_all_names_and_values() -> None:
    text = "dv/dt = -v/tau_decay : mV"
    before = compilations().get("advance", 0)
    for name, tau in (("first", "7 ms"), ("second", "9 ms")):
        model = from_equations(text, parameters={"tau_decay": tau}, name=name, initial={"v": 1})
        alone(model, 1.0, n=7)
    assert compilations().get("advance", 0) <= before + 1


FILE = '''
"""A model of somebody's own."""
from neurosim.models import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="bucket", summary="counts to three", source="",
    parameters=(Parameter("full", 3.0, "", "when it runs over"),),
    equations="level : 1", threshold="level >= full", reset="level = 0",
    state=(StateVariable("level", "", "what is in it"),),
)
'''


def test_a_file_in_a_folder_of_ones_own_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "bucket.py").write_text(FILE.replace("level : 1", "dlevel/dt = 1/ms : 1"), encoding="utf-8")
    path = list(models.neurons.__path__)
    try:
        models.add_folder(tmp_path)
        assert isinstance(models.bucket, NeuronModel)
        network = ns.Network(dt=0.5)
        neurons = network.add_population("n", 2, {"bucket": {"full": 2}})
        simulation = ns.Simulation(network)
        simulation.run(10.0)
        assert simulation.spike_counts == {"n": 10}
        assert neurons.level.values.tolist() == [0.0, 0.0]
        (tmp_path / "broken.py").write_text("MODEL = 3", encoding="utf-8")
        models.neuron_models.cache_clear()
        with pytest.raises(ns.errors.InvalidInput, match=r"broken\.py: a model file holds MODEL = NeuronModel"):
            models.neuron_models()
    finally:
        models.neurons.__path__[:] = path
        models.neuron_models.cache_clear()
    with pytest.raises(ns.errors.UsageError, match="there is no folder"):
        models.add_folder(tmp_path / "nowhere")


def test_what_has_no_receptor_variable_keeps_its_value_until_something_arrives() -> None:
    """Arrivals replace the value of a variable without an equation, unless nothing feeds it."""
    model = from_equations(
        "heard : 1\nkept : 1", threshold="heard > 0", reset="kept += heard", receptors={"exc": "heard"}
    )
    network = ns.Network(dt=0.1)
    source = network.add_population("s", 2, ns.models.spike_list(times=[[1.0, 2.0], [2.0]]))
    neuron = network.add_population("n", 1, model)
    network.connect(source, neuron, "all_to_all", weight=0.5, delay=0.3)
    simulation = ns.Simulation(network)
    recorder = simulation.record_state(neuron, ["heard", "kept"], every=0.1)
    simulation.run(3.0)
    heard = {13: 0.5, 23: 1.0}
    assert recorder["heard"].tolist() == [heard.get(step, 0.0) for step in range(31)]
    assert neuron.kept.values.tolist() == [1.5]


def test_generated_code_reads_like_its_equations() -> None:
    text = code(models.lif_exp)
    assert "# di_exc/dt = -i_exc/tau_exc : pA" in text
    assert "i_exc__new = i_exc*i_exc__from__i_exc" in text
    assert text == code(models.lif_exp)
    assert "tau_m__each" not in text
    assert "v__from__v__each[i]" in code(models.lif_exp, ["tau_m"])


def test_names_that_kernels_use_themselves_are_free() -> None:
    model = from_equations(
        "di/dt = (step - i)/lo : 1", threshold="i > r", reset="i = k",
        parameters={"step": 2.0, "lo": "1 ms", "r": 1.0, "k": 0.5},
    )  # fmt: skip
    network = ns.Network(dt=0.1)
    network.add_population("n", 1, model)
    simulation = ns.Simulation(network)
    simulation.run(20.0)
    period = math.ceil(math.log(1.5) / 0.1 - 1e-9)
    assert simulation.spike_counts["n"] == pytest.approx(200 / period, abs=2)
