"""Parameters that every neuron has its own value of: at work, drawn for newborns, changed, refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neurosim as ns

EACH = {"tau_m": [18.0, 20.0, 25.0], "t_ref": [0.5, 2.0, 7.0], "v_th": [-50.0, -52.0, -54.0],
        "i_e": [400.0, 500.0, 600.0]}  # fmt: skip


@pytest.mark.parametrize("names", [("tau_m",), ("t_ref", "v_th"), ("tau_m", "t_ref", "v_th", "i_e")], ids="-".join)
def test_each_neuron_has_its_own_parameters(names: tuple[str, ...]) -> None:
    """Neurons with parameters of their own do what populations with these parameters do, to the bit."""
    network = ns.Network(dt=0.1)
    common = {"i_e": 450.0}
    together = network.add_population("all", 3, {"lif_exp": common | {name: EACH[name] for name in names}})
    apart = [
        network.add_population(f"n{k}", 1, {"lif_exp": common | {name: EACH[name][k] for name in names}})
        for k in range(3)
    ]
    simulation = ns.Simulation(network)
    spikes = simulation.record_spikes(together)
    others = [simulation.record_spikes(population) for population in apart]
    simulation.run(150.0)
    assert together.v.values.tolist() == [population.v.values[0] for population in apart]
    for k, other in enumerate(others):
        assert len(other) > 2
        assert spikes.steps[spikes.ids == together.ids[k]].tolist() == other.steps.tolist()


def test_parameters_of_newborns_are_drawn_like_those_before() -> None:
    network = ns.Network(seed=5, dt=0.1)
    spread = {"tau_m": "uniform(10 ms, 30 ms)", "e_l": "normal(-70, 2)"}
    neurons = network.add_population("n", 50, {"lif_delta": spread})
    assert neurons.v.values.tolist() == neurons.e_l.values.tolist()  # where its model says that a neuron begins
    assert neurons.variables["tau_m"] == "ms"
    assert "tau_m" not in neurons.parameters
    before = dict(zip(neurons.ids.tolist(), neurons.tau_m.values.tolist(), strict=True))
    simulation = ns.Simulation(network)
    simulation.run(1.0)
    born = neurons.add(100, e_l="-71 mV")
    neurons.remove(neurons.ids[10:40])
    after = dict(zip(neurons.ids.tolist(), neurons.tau_m.values.tolist(), strict=True))
    assert all(after[neuron] == before[neuron] for neuron in after.keys() & before.keys())
    drawn = neurons.tau_m[born]
    assert 10.0 <= drawn.min() < 13.0 < 27.0 < drawn.max() <= 30.0
    assert set(neurons.e_l[born]) == set(neurons.v[born]) == {-71.0}
    assert neurons.where("tau_m > 20 ms").size == int((neurons.tau_m.values > 20.0).sum())
    simulation.run(1.0)


def test_a_parameter_can_become_each_ones_own_and_common_again() -> None:
    network = ns.Network(seed=5, dt=0.1)
    neurons = network.add_population("n", 3, "lif_delta")
    simulation = ns.Simulation(network)
    neurons.set_parameter("i_e", [0.0, 300.0, 600.0])
    simulation.run(400.0)
    np.testing.assert_allclose(neurons.v.values[:1], 0.0, atol=1e-12)
    assert simulation.spike_counts["n"] > 10
    neurons.i_e[neurons.ids[2:]] = "0 pA"
    neurons.set_parameter("v_th", 1000.0)
    simulation.run(400.0)
    np.testing.assert_allclose(neurons.v.values, [0.0, 24.0, 0.0], atol=1e-6)
    neurons.set_parameter("i_e", "100 pA")
    assert neurons.parameters["i_e"] == 100.0
    with pytest.raises(AttributeError, match="is a parameter of population"):
        _ = neurons.i_e
    simulation.run(400.0)
    np.testing.assert_allclose(neurons.v.values, 8.0, atol=1e-6)


@pytest.mark.parametrize(
    ("value", "match"),
    [([1.0, 2.0], r"n\.tau_m: 2 values were given for 3"), ([1.0, 2.0, -1.0], r"n\.tau_m is -1 ms; allowed is"),
     ("normal(20 mV, 1 mV)", r"n\.tau_m must be a time"), ("norml(20 ms, 1 ms)", r"no distribution 'norml'")],
    ids=str,
)  # fmt: skip
def test_values_that_do_not_fit_change_nothing(value: Any, match: str) -> None:
    network = ns.Network(dt=0.1)
    neurons = network.add_population("n", 3, "lif_delta")
    with pytest.raises(ns.errors.NeurosimError, match=match):
        neurons.set_parameter("tau_m", value)
    assert neurons.parameters["tau_m"] == 20.0
    assert "tau_m" not in neurons.columns


def test_newborns_need_what_was_given_neuron_by_neuron() -> None:
    neurons = ns.Network(dt=0.1).add_population("n", 2, {"lif_delta": {"v_th": [10.0, 20.0]}})
    with pytest.raises(ns.errors.UsageError, match=r"v_th was given neuron by neuron.*add\(…, v_th=…\)"):
        neurons.add(1)
    born = neurons.add(2, v_th=[11.0, 12.0])
    assert neurons.v_th[born].tolist() == [11.0, 12.0]
