"""Brunel's sparse network, order 2500: static delivery at its plainest, 15.6 million synapses at 32 Hz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import neurosim as ns
from neurosim.benchmarks.compare import Comparison, compare
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "Brunel 2500: 12 500 neurons, 15.6 M synapses, 1 s at 32 Hz"

# NEST's example brunel_delta_nest (Brunel 2000, doi:10.1023/A:1008925309027); ms, mV, Hz
PARAMETERS: dict[str, Any] = {
    "dt": 0.1,
    "duration": 1000.0,
    "excitatory": 10_000,
    "inhibitory": 2_500,
    "indegree_exc": 1_000,
    "indegree_inh": 250,
    "tau_m": 20.0,
    "v_th": 20.0,
    "v_reset": 0.0,
    "t_ref": 2.0,
    "j_exc": 0.1,
    "j_inh": -0.5,
    "delay": 1.5,
    "drive": 20_000.0,
}


def build(p: Mapping[str, Any], seed: int) -> ns.Network:
    """The network in neurosim."""
    network = ns.Network(seed=seed)
    cell = {name: p[name] for name in ("tau_m", "v_th", "v_reset", "t_ref")}
    exc = network.add_population("exc", p["excitatory"], ns.models.neuron({"lif_delta": {**cell, "e_l": 0.0}}))
    inh = network.add_population("inh", p["inhibitory"], exc.configured)
    network.add_input("drive", ns.inputs.poisson(rate=p["drive"]), [exc, inh], weight=p["j_exc"])
    for target in (exc, inh):
        for source, weight, indegree in (
            (exc, p["j_exc"], p["indegree_exc"]),
            (inh, p["j_inh"], p["indegree_inh"]),
        ):
            rule = ns.connectors.fixed_indegree(indegree)
            network.connect(source, target, rule, weight=weight, delay=p["delay"])
    return network


def comparison(parameters: Mapping[str, Any] = PARAMETERS, threads: tuple[int, ...] = (1, 2)) -> Comparison:
    """What is compared; tests pass smaller numbers."""
    neurons = {"exc": parameters["excitatory"], "inh": parameters["inhibitory"]}
    return Comparison("brunel", parameters, build, neurons, threads)


def run(against: Sequence[str], progress: Progress) -> list[Row]:
    """Measure with one thread and with two."""
    return compare(comparison(), against, progress)
