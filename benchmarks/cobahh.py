"""COBAHH, 4000 Hodgkin-Huxley neurons: what an update full of exponentials costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import neurosim as ns
from neurosim.benchmarks.compare import Comparison, compare
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "COBAHH: 4000 Hodgkin-Huxley neurons with synaptic conductances and no delays, 1 s at 36 Hz"

# Brian2's example COBAHH (Brette et al. 2007, doi:10.1007/s10827-007-0038-6, benchmark 3); ms, mV, pF, nS
PARAMETERS: dict[str, Any] = {
    "dt": 0.1,
    "duration": 1000.0,
    "excitatory": 3_200,
    "inhibitory": 800,
    "probability": 0.02,
    "c_m": 200.0,
    "g_l": 10.0,
    "g_na": 20_000.0,
    "g_k": 6_000.0,
    "e_l": -60.0,
    "e_na": 50.0,
    "e_k": -90.0,
    "e_exc": 0.0,
    "e_inh": -80.0,
    "v_t": -63.0,
    "v_th": -20.0,
    "t_ref": 3.0,
    "tau_exc": 5.0,
    "tau_inh": 10.0,
    "j_exc": 6.0,
    "j_inh": 67.0,
    "v_mean": -65.0,
    "v_sd": 5.0,
    "g_exc_mean": 40.0,
    "g_exc_sd": 15.0,
    "g_inh_mean": 200.0,
    "g_inh_sd": 120.0,
    "nest_delay": 1.5,
}
CELL = (
    "c_m", "g_l", "g_na", "g_k", "e_l", "e_na", "e_k", "e_exc", "e_inh", "v_t", "v_th", "t_ref", "tau_exc", "tau_inh",
)  # fmt: skip


def build(p: Mapping[str, Any], seed: int) -> ns.Network:
    """The network in neurosim."""
    network = ns.Network(seed=seed)
    cell = ns.models.neuron({"hh_cond_exp": {name: p[name] for name in CELL}})
    start: dict[str, Any] = {name: ns.normal(p[f"{name}_mean"], p[f"{name}_sd"]) for name in ("v", "g_exc", "g_inh")}
    start |= {"m": 0.0, "h": 0.0, "n": 0.0}  # as the example leaves them
    exc = network.add_population("exc", p["excitatory"], cell, initial=start)
    inh = network.add_population("inh", p["inhibitory"], cell, initial=start)
    for source, weight, receptor in ((exc, p["j_exc"], "exc"), (inh, p["j_inh"], "inh")):
        for target in (exc, inh):
            rule = ns.connectors.fixed_probability(p["probability"])
            network.connect(source, target, rule, weight=weight, delay=0.0, receptor=receptor)
    return network


def comparison(parameters: Mapping[str, Any] = PARAMETERS, threads: tuple[int, ...] = (1, 2)) -> Comparison:
    """What is compared; tests pass smaller numbers."""
    neurons = {"exc": parameters["excitatory"], "inh": parameters["inhibitory"]}
    delay = f"delay {parameters['nest_delay']:g} ms, as it cannot do without"
    return Comparison("cobahh", parameters, build, neurons, threads, {"nest": f"{delay}; adaptive Runge-Kutta"})


def run(against: Sequence[str], progress: Progress) -> list[Row]:
    """Measure with one thread and with two."""
    return compare(comparison(), against, progress)
