"""Every model of the library against mathematics: matrix exponentials, adaptive integration, closed forms.

Their spikes are tested in ``test_model_library_spikes.py``, chance in ``test_model_library_noise.py``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from model_references import LINEAR, NONLINEAR, Array, double_exponential_gain, exact, integrated

import neurosim as ns
from neurosim.models import ConfiguredModel, NeuronModel, Parameter
from neurosim.units import parse_unit

DT = 0.1
MODELS = ns.models.neuron_models()


def run(model: Any, dt: float, duration: float, size: int = 1, **initial: Any) -> tuple[Any, Any]:
    """A population of its own, and its spikes, after ``duration``."""
    net = ns.Network(dt=dt)
    population = net.add_population("n", size, model, initial=initial)
    sim = ns.Simulation(net)
    spikes = sim.record_spikes(population)
    sim.run(duration)
    return population, spikes


def heard(model: Any, weights: dict[str, float], dt: float, duration: float, variables: list[str]) -> Any:
    """What one neuron does that gets one spike per receptor, at time 0.5 ms and more than one step."""
    net = ns.Network(dt=dt)
    source = net.add_population("s", 1, ns.models.spike_list(times=[[dt]]))
    neuron = net.add_population("n", 1, model)
    for receptor, weight in weights.items():
        net.connect(source, neuron, "all_to_all", name=receptor, weight=weight, delay=0.5 - dt, receptor=receptor)
    sim = ns.Simulation(net)
    recorder = sim.record_state(neuron, variables, every=dt)
    sim.run(duration)
    return recorder


# ---- declarations ------------------------------------------------------------------------------

PARAMETERS = [pytest.param(m, p, id=f"{m.name}-{p.name}") for m in MODELS.values() for p in m.parameters]
SOURCES = {"poisson", "poisson_inhomogeneous", "spike_list", "parrot"}  # devices, which nobody has published


def test_the_library() -> None:
    assert set(MODELS) == SOURCES | set(LINEAR) | set(NONLINEAR)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_a_model_says_where_it_is_from_and_what_its_variables_mean(model: NeuronModel) -> None:
    assert model.summary
    assert model.source.startswith("doi:10.") or (model.name in SOURCES and not model.source)
    assert all(variable.meaning for variable in model.state)
    assert {r.variable for r in model.receptors.values()} <= {variable.name for variable in model.state}
    assert model.name in SOURCES or set(model.receptors) == {"exc", "inh"}
    if model.name not in SOURCES:
        assert model.drive_unit == model.parameter("i_e").unit
        assert model.parameter("i_e").default == 0.0


@pytest.mark.parametrize(("model", "parameter"), PARAMETERS)
def test_a_parameter_has_a_unit_a_meaning_and_a_range(model: NeuronModel, parameter: Parameter) -> None:
    parse_unit(parameter.unit)
    assert parameter.meaning
    low, high = parameter.low, parameter.high
    assert (-math.inf if low is None else low) <= parameter.default <= (math.inf if high is None else high)
    divides = parameter.name.startswith(("tau", "delta_")) or parse_unit(parameter.unit) == parse_unit("pF")
    never_negative = parse_unit(parameter.unit) in (parse_unit("ms"), parse_unit("Hz")) or parameter.name[:2] == "g_"
    if divides:
        assert low is not None
        assert low > 0.0
    elif never_negative:
        assert low == 0.0


@pytest.mark.parametrize(("model", "parameter"), PARAMETERS)
def test_nothing_overflows_at_the_ends_of_a_range(model: NeuronModel, parameter: Parameter) -> None:
    """Driven hard, for fifty steps; one membrane with all its channels is too quick for the usual step."""
    dt = 1e-3 if (model.name, parameter.name) == ("wang_buzsaki", "c_m") else DT
    driven: dict[str, float] = {} if model.drive_unit is None else {"i_e": 1000.0 if model.drive_unit == "pA" else 5.0}
    for value in {parameter.low, parameter.high, -80.0 if parameter.low is None else None} - {None}:
        population, _ = run(model(**{**driven, parameter.name: value}), dt, 50 * dt, size=3)
        for variable in model.state:
            assert np.isfinite(getattr(population, variable.name).values).all(), (variable.name, value)


# ---- between spikes -------------------------------------------------------------------------------


def random_states(start: dict[str, tuple[float, float]], size: int, seed: int = 3) -> Array:
    """Shape (variables, size)."""
    rng = np.random.default_rng(seed)
    return np.array([rng.uniform(low, high, size) for low, high in start.values()])


def advanced(model: ConfiguredModel, names: tuple[str, ...], start: Array, dt: float, duration: float) -> Array:
    """The states after ``duration`` by the simulation; nobody has fired."""
    initial = dict(zip(names, start, strict=True))
    population, spikes = run(model, dt, duration, start.shape[1], **initial)
    if model.name not in ("hh_cond_exp", "wang_buzsaki"):  # those are not reset, so spikes do not matter
        assert len(spikes) == 0
    return np.array([getattr(population, name).values for name in names])


def taus(model: NeuronModel, value: float) -> dict[str, float]:
    """All time constants alike; c_m too, where it makes one with a conductance."""
    alike = {p.name: value for p in model.parameters if p.name.startswith("tau")}
    if "g_l" in [p.name for p in model.parameters]:
        alike["c_m"] = value * model.parameter("g_l").default
    return alike


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("case", ["default", "equal", "nearly equal", "fast", "slow"])
def test_linear_models_are_matrix_exponentials(name: str, case: str) -> None:
    model, reference = MODELS[name], LINEAR[name]
    changed = {"default": {}, "equal": taus(model, 7.0), "nearly equal": taus(model, 7.0), "fast": taus(model, 0.02),
               "slow": taus(model, 4e3)}[case]  # fmt: skip
    if case == "nearly equal":
        changed = {key: value * (1 + 1e-9 * k) for k, (key, value) in enumerate(changed.items())}
        if name == "lif_double_exp":  # our own formula of the gain is the one that needs them apart, or equal
            changed |= {"tau_rise_exc": changed["tau_exc"], "tau_rise_inh": changed["tau_inh"]}
    configured = model(**reference.silent, **changed, i_e=37.0)
    start = random_states(reference.start, 20)
    for duration in (DT, 1.3, 60.0):
        found = advanced(configured, tuple(reference.start), start, DT, duration)
        expected = exact(reference, dict(configured.parameters), start, duration)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", LINEAR)
def test_parameters_of_each_neuron_are_exact_too(name: str) -> None:
    model, reference, size = MODELS[name], LINEAR[name], 12
    rng = np.random.default_rng(5)
    own = {p.name: p.default * rng.uniform(0.6, 1.7, size) for p in model.parameters
           if p.name.startswith(("tau", "c_m", "e_l", "g_l"))}  # fmt: skip
    if "tau_exc" in own:
        own["tau_exc"][:4] = own["tau_m" if "tau_m" in own else "tau_inh"][:4]
    start = random_states(reference.start, size)
    found = advanced(model(**reference.silent, **own), tuple(reference.start), start, DT, 20.0)
    shared = {p.name: p.default for p in model.parameters} | reference.silent
    for k in range(size):
        mine = shared | {key: float(values[k]) for key, values in own.items()}
        expected = exact(reference, mine, start[:, k : k + 1], 20.0)
        np.testing.assert_allclose(found[:, k : k + 1], expected, rtol=1e-10, atol=1e-10)


def test_what_differs_may_leave_other_variables_alike() -> None:
    """The threshold relaxes to one level, though each membrane has a rest of its own."""
    reference, size = LINEAR["lif_adaptive_threshold"], 4
    currents = np.array([0.0, 10.0, 20.0, 400.0])
    start = random_states(reference.start, size)
    model = MODELS["lif_adaptive_threshold"]
    found = advanced(model(**reference.silent, i_e=currents), tuple(reference.start), start, DT, 20.0)
    shared = {p.name: p.default for p in model.parameters} | reference.silent
    for k in range(size):
        expected = exact(reference, shared | {"i_e": currents[k]}, start[:, k : k + 1], 20.0)
        np.testing.assert_allclose(found[:, k : k + 1], expected, rtol=1e-10, atol=1e-10)


# model, method ("" as declared), coarsest time step, order, error there (relative to the range of each variable)
ORDERS = [
    ("lif_cond_exp", "", 0.4, 4, 1e-6),
    ("lif_cond_exp", "euler", 0.05, 1, 2e-2),
    ("lif_cond_exp", "exponential_euler", 0.05, 1, 2e-2),
    ("lif_cond_exp", "rk2", 0.1, 2, 1e-4),
    ("lif_cond_alpha", "", 0.2, 4, 1e-5),
    ("adex", "", 0.4, 4, 1e-5),
    ("adex", "rk2", 0.1, 2, 1e-4),
    ("quadratic", "", 0.4, 4, 1e-6),
    ("theta", "", 0.5, 4, 1e-6),
    ("izhikevich", "", 0.02, 1, 2e-2),
    ("hh_cond_exp", "", 0.005, 1, 5e-2),
    ("hh_cond_exp", "rk4", 0.02, 4, 1e-4),
    ("wang_buzsaki", "", 0.02, 4, 1e-4),
]  # fmt: skip


@pytest.mark.parametrize(("name", "method", "dt", "order", "error"), ORDERS)
def test_nonlinear_models_converge_with_the_order_of_their_method(
    name: str, method: str, dt: float, order: int, error: float
) -> None:
    reference = NONLINEAR[name]
    model = MODELS[name] if not method else replace(MODELS[name], method=method)
    configured = model(**reference.parameters)
    start = random_states(reference.start, 6)
    expected = integrated(reference, dict(configured.parameters), start, reference.duration)
    scale = np.array([max(high - low, 1e-3) for low, high in reference.start.values()])[:, None]
    errors = []
    for step in (dt, dt / 2, dt / 4):
        found = advanced(configured, tuple(reference.start), start, step, reference.duration)
        errors.append(float(np.sqrt(np.mean(((found - expected) / scale) ** 2))))
    assert errors[0] < error
    found_order = math.log2(errors[1] / errors[2])
    assert found_order == pytest.approx(order, abs=0.15), errors


# ---- arrivals ------------------------------------------------------------------------------------


@pytest.mark.lane
@pytest.mark.parametrize("model", ["lif_alpha", "lif_cond_alpha"])
def test_the_weight_is_the_peak_of_an_alpha_function(model: str) -> None:
    unit, variable = ("pA", "i_exc") if model == "lif_alpha" else ("nS", "g_exc")
    assert MODELS[model].receptors["exc"].unit == unit
    recorder = heard(MODELS[model](tau_exc=2.0), {"exc": 40.0}, 0.1, 12.0, [variable])
    since = np.maximum(recorder["time"] - 0.5, 0.0)
    expected = 40.0 * since / 2.0 * np.exp(1 - since / 2.0)
    np.testing.assert_allclose(recorder[variable], expected, rtol=0, atol=1e-11 if unit == "pA" else 1e-4)
    assert recorder[variable].max() == pytest.approx(40.0, rel=1e-6)
    assert recorder["time"][np.argmax(recorder[variable])] == pytest.approx(2.5)


@pytest.mark.parametrize(("rise", "decay"), [(0.5, 3.0), (3.0, 0.5), (2.0, 2.0), (2.0, 2.0 + 1e-9), (1e-3, 5.0)])
def test_the_weight_is_the_peak_of_a_double_exponential(rise: float, decay: float) -> None:
    model = MODELS["lif_double_exp"](tau_rise_inh=rise, tau_inh=decay)
    recorder = heard(model, {"inh": -25.0}, 0.01, 12.0, ["i_inh"])
    assert recorder["i_inh"].min() == pytest.approx(-25.0, rel=1e-4 if rise > 0.01 else 1e-2)
    since = np.maximum(recorder["time"] - 0.5, 0.0)
    if rise == decay or decay - rise == pytest.approx(1e-9):
        shape = since / rise * np.exp(1 - since / rise)
    else:
        gain = double_exponential_gain(rise, decay) * rise * decay / (decay - rise)
        shape = gain * (np.exp(-since / decay) - np.exp(-since / rise))
    np.testing.assert_allclose(recorder["i_inh"], -25.0 * shape, rtol=0, atol=1e-6 if decay == 2.0 + 1e-9 else 1e-10)


DRIVEN = [name for name, model in MODELS.items() if model.drive_unit is not None]


def quietly(name: str, **changed: float) -> ConfiguredModel:
    """A model without noise."""
    return MODELS[name](**changed, **({"sigma": 0.0} if name == "lif_noise" else {}))


def undisturbed(name: str) -> float:
    """The first variable after 4 ms without input."""
    return float(getattr(run(quietly(name), DT, 4.0)[0], MODELS[name].state[0].name).values[0])


@pytest.mark.parametrize("name", DRIVEN)
def test_both_receptors_act_in_their_direction(name: str) -> None:
    """A conductance is positive for both; everything else inhibits by a negative weight."""
    unit, main = MODELS[name].receptors["exc"].unit, MODELS[name].state[0].name
    weight = {"nS": 5.0, "": 0.1}.get(unit, 1.0 if unit.startswith("mV") else 50.0)
    changes = []
    for receptor, sign in (("exc", 1.0), ("inh", 1.0 if unit == "nS" else -1.0)):
        recorder = heard(quietly(name), {receptor: sign * weight}, DT, 4.0, [main])
        changes.append(recorder[main][-1] - undisturbed(name))
    assert changes[0] > 1e-3
    assert changes[1] < -1e-3


@pytest.mark.parametrize("name", DRIVEN)
def test_a_stimulus_is_an_injected_current(name: str) -> None:
    """The same number by ``i_e`` and by an input; both act from the first step on."""
    model = MODELS[name]
    current = {"pA": 40.0, "": 0.2}.get(model.drive_unit or "", 2.0)
    by_parameter, _ = run(quietly(name, i_e=current), DT, 4.0)
    net = ns.Network(dt=DT)
    by_input = net.add_population("n", 1, quietly(name))
    net.add_input("drive", ns.inputs.current(amplitude=current), by_input)
    ns.Simulation(net).run(4.0)
    for variable in model.state:
        found, expected = (getattr(p, variable.name).values for p in (by_input, by_parameter))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert getattr(by_parameter, model.state[0].name).values[0] > undisturbed(name) + 1e-3
