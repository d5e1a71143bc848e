"""CUBA, 4000 neurons: few events, so the update of the neurons and the cost of a step count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import neurosim as ns
from neurosim.benchmarks.compare import Comparison, compare
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "CUBA: 4000 neurons with exponential currents and no delays, 5 s at 6 Hz"

# Brian2's example CUBA (Brette et al. 2007, doi:10.1007/s10827-007-0038-6, benchmark 2); ms, mV, pF, pA.
# There weights are 1.62 and -9 mV of the driving voltage: I = V c_m / tau_m.
PARAMETERS: dict[str, Any] = {
    "dt": 0.1,
    "duration": 5000.0,
    "excitatory": 3_200,
    "inhibitory": 800,
    "probability": 0.02,
    "c_m": 250.0,
    "tau_m": 20.0,
    "tau_exc": 5.0,
    "tau_inh": 10.0,
    "e_l": -49.0,
    "v_th": -50.0,
    "v_reset": -60.0,
    "t_ref": 5.0,
    "j_exc": 20.25,
    "j_inh": -112.5,
    "nest_delay": 1.5,
}


def build(p: Mapping[str, Any], seed: int) -> ns.Network:
    """The network in neurosim."""
    network = ns.Network(seed=seed)
    names = ("c_m", "tau_m", "tau_exc", "tau_inh", "e_l", "v_th", "v_reset", "t_ref")
    cell = ns.models.neuron({"lif_exp": {name: p[name] for name in names}})
    start = {"v": ns.uniform(p["v_reset"], p["v_th"])}
    exc = network.add_population("exc", p["excitatory"], cell, initial=start)
    inh = network.add_population("inh", p["inhibitory"], cell, initial=start)
    for source, weight in ((exc, p["j_exc"]), (inh, p["j_inh"])):
        for target in (exc, inh):
            rule = ns.connectors.fixed_probability(p["probability"])
            network.connect(source, target, rule, weight=weight, delay=0.0)
    return network


def comparison(parameters: Mapping[str, Any] = PARAMETERS, threads: tuple[int, ...] = (1,)) -> Comparison:
    """What is compared; tests pass smaller numbers."""
    neurons = {"exc": parameters["excitatory"], "inh": parameters["inhibitory"]}
    notes = {"nest": f"delay {parameters['nest_delay']:g} ms, as it cannot do without"}
    return Comparison("cuba", parameters, build, neurons, threads, notes)


def run(against: Sequence[str], progress: Progress) -> list[Row]:
    """Measure with one thread: with so little to do in a step, the peers get slower with two."""
    return compare(comparison(), against, progress)
