"""Brunel's network with power-law STDP: millions of plastic synapses, more than any cache holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import neurosim as ns
from neurosim.benchmarks.compare import Comparison, compare
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "STDP Brunel: 11 250 neurons, 12.7 M synapses of which 8.1 M learn, 0.5 s"

# NEST's example hpc_benchmark (Morrison et al. 2007, doi:10.1162/neco.2007.19.6.1437) with a tenth of the in-degree,
# which makes a synapse 1/√0.1 stronger; ms, mV, pF, pA, Hz. Its EPSP of 0.14 mV needs 45.61 pA; the drive is
# 1.685 times what would hold the membrane at the threshold on average.
PARAMETERS: dict[str, Any] = {
    "dt": 0.1,
    "duration": 500.0,
    "excitatory": 9_000,
    "inhibitory": 2_250,
    "indegree_exc": 900,
    "indegree_inh": 225,
    "c_m": 250.0,
    "tau_m": 10.0,
    "tau_syn": 0.32582722403722841,
    "e_l": 0.0,
    "v_th": 20.0,
    "v_reset": 0.0,
    "t_ref": 0.5,
    "v_mean": 5.7,
    "v_sd": 7.2,
    "j_exc": 144.2302,
    "j_inh": -721.151,
    "delay": 1.5,
    "drive": 6_595.258,
    "rate": 0.1,
    "alpha": 0.0513,
    "mu": 0.4,
    "w_0": 1.0,
    "tau_plus": 15.0,
    "tau_minus": 30.0,
}


def build(p: Mapping[str, Any], seed: int) -> ns.Network:
    """The network in neurosim."""
    network = ns.Network(seed=seed)
    cell = {name: p[name] for name in ("c_m", "tau_m", "e_l", "v_th", "v_reset", "t_ref")}
    model = ns.models.neuron({"lif_alpha": {**cell, "tau_exc": p["tau_syn"], "tau_inh": p["tau_syn"]}})
    start = {"v": ns.normal(p["v_mean"], p["v_sd"])}
    exc = network.add_population("exc", p["excitatory"], model, initial=start)
    inh = network.add_population("inh", p["inhibitory"], model, initial=start)
    network.add_input("drive", ns.inputs.poisson(rate=p["drive"]), [exc, inh], weight=p["j_exc"])
    learned = ("rate", "alpha", "mu", "w_0", "tau_plus", "tau_minus")
    rule = ns.learning.stdp_power_law(**{name: p[name] for name in learned})
    plastic: dict[str, Any] = {"learning": [rule], "bounds": {"weight": (0.0, 1e6)}}
    for source, target, weight, indegree, learning in (
        (exc, exc, p["j_exc"], p["indegree_exc"], plastic),
        (exc, inh, p["j_exc"], p["indegree_exc"], {}),
        (inh, exc, p["j_inh"], p["indegree_inh"], {}),
        (inh, inh, p["j_inh"], p["indegree_inh"], {}),
    ):
        connector = ns.connectors.fixed_indegree(indegree)
        network.connect(source, target, connector, weight=weight, delay=p["delay"], **learning)
    return network


def comparison(parameters: Mapping[str, Any] = PARAMETERS, threads: tuple[int, ...] = (1, 2)) -> Comparison:
    """What is compared; tests pass smaller numbers."""
    p = parameters
    neurons = {"exc": p["excitatory"], "inh": p["inhibitory"]}
    cells = sum(neurons.values())
    outdegrees = {name: cells * p[f"indegree_{name}"] / size for name, size in neurons.items()}
    return Comparison("stdp_brunel", p, build, neurons, threads, {"nest": "delays count as dendritic"}, outdegrees)


def run(against: Sequence[str], progress: Progress) -> list[Row]:
    """Measure with one thread and with two."""
    return compare(comparison(), against, progress)
