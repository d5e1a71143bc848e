"""Weights of few bits learn: what they should, and what rounding to the nearest loses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp

import neurosim as ns
from neurosim.scenario import load

Weights = NDArray[np.float64]


def _competition(seconds: float, step: float, seed: int = 1, **precision: Any) -> tuple[Weights, Weights]:
    """Weights before and after, in units of the largest: the network of the scenario stdp_competition."""
    net = ns.Network(seed=seed, dt=0.1)
    inputs = net.add_population("inputs", 1000, {"poisson": {"rate": "15 Hz"}})
    cell = {"c_m": "100 pF", "g_l": "10 nS", "e_l": "-74 mV", "v_th": "-54 mV", "v_reset": "-60 mV", "t_ref": "0 ms"}
    neuron = net.add_population("neuron", 1, {"lif_cond_exp": {**cell, "tau_exc": "5 ms"}})
    wires = net.connect(inputs, neuron, "all_to_all", weight=ns.uniform("0 nS", "0.1 nS"), delay="1 ms", receptor="exc",
                        bounds={"weight": ("0 nS", "0.1 nS")}, **precision,
                        learning=[{"stdp": {"a_plus": step, "a_minus": 1.05 * step}}])  # fmt: skip
    before = wires.weight.values
    ns.Simulation(net, threads=1).run(1000.0 * seconds)
    return before / 0.1, wires.weight.values / 0.1


def test_weights_of_256_levels_become_bimodal_like_those_of_32_bits() -> None:
    single = _competition(60.0, 0.01, precision="float32")[1]
    other = _competition(60.0, 0.01, seed=2, precision="float32")[1]
    coarse = _competition(60.0, 0.01, precision="int8")[1]
    for share in ((single < 0.2).mean(), (coarse < 0.2).mean()):
        assert share > 0.3
    assert ks_2samp(single, coarse).statistic < max(0.06, 1.5 * ks_2samp(single, other).statistic)


@pytest.mark.slow
def test_the_scenario_of_competition_ends_alike(tmp_path: Path) -> None:
    found: dict[str, list[Weights]] = {}
    for precision in ("float32", "int8"):
        for seed in (1, 2, 3):
            settings = (f"projections.synapses.precision={precision}",)
            output = tmp_path / f"{precision}{seed}.nsim"
            result = ns.run(load("stdp_competition", settings, seed), output=output)
            samples = result.synapses("synapses")
            found.setdefault(precision, []).append(samples["weight"][samples["time"] == samples["time"].max()])
    single, coarse = (np.concatenate(weights) for weights in found.values())
    assert ks_2samp(single, coarse).statistic < 0.05
    assert min((coarse < 0.02).mean(), (coarse > 0.08).mean()) > 0.28


def _taught(step: float, **precision: Any) -> Weights:
    """What weights become, in units of the largest, that begin at a half (nearly): causes first, then consequences.

    A teacher makes the target fire every 50 ms; half of the inputs come 5 ms before, the others 5 ms after.
    """
    times = [50.0 * k for k in range(1, 301)]
    net = ns.Network(seed=6, dt=0.1)
    lag = [-5.0] * 50 + [5.0] * 50
    inputs = net.add_population("inputs", 100, {"spike_list": {"times": [[t + d for t in times] for d in lag]}})
    teacher = net.add_population("teacher", 1, {"spike_list": {"times": [times]}})
    target = net.add_population("target", 1, "lif_delta")
    net.connect(teacher, target, "all_to_all", weight="50 mV", delay=0.1)
    wires = net.connect(inputs, target, "all_to_all", weight=0.005, delay=0.1, **precision,
                        bounds={"weight": (0.0, 0.01)},  # mV: too little to make it fire
                        learning=[{"stdp": {"a_plus": step, "a_minus": 1.05 * step}}])  # fmt: skip
    ns.Simulation(net, threads=1).run("15.2 s")
    return wires.weight.values / 0.01


@pytest.mark.parametrize("precision", ["float16", "int8", "ternary"])
def test_synapses_tell_causes_from_consequences(precision: str) -> None:
    weights = _taught(0.01, precision=precision)
    assert weights[:50].mean() > 0.9
    assert weights[50:].mean() < 0.1


def test_steps_that_are_small_are_lost_when_rounded_to_the_nearest() -> None:
    single, coarse, nearest = (
        _taught(0.001, precision=name, rounding=rounding)
        for name, rounding in (("float32", None), ("int8", "stochastic"), ("int8", "nearest"))
    )
    assert set(nearest) == {128 / 255}  # where they began
    for half in (slice(0, 50), slice(50, 100)):
        assert abs(single[half] - 0.5).mean() > 0.2
        error = np.sqrt(abs(single[half] - 0.5).mean() / 255)  # of one synapse: so many steps, one level each
        assert abs(coarse[half].mean() - single[half].mean()) < 1 / 510 + 4 * error / np.sqrt(50)
        assert coarse[half].std() < 2 * error
