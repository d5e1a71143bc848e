"""Homeostatic growth as in NEST's example structural_plasticity: all synapses of 1000 neurons grow from nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import neurosim as ns
from neurosim.benchmarks.compare import Comparison, compare
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "NEST's example structural_plasticity (1000 neurons), and the same growing 1000 times as fast"

# Its elements and its input; its neurons are iaf_psc_alpha with that model's own parameters. ms, mV, pA, pF, Hz
PARAMETERS: dict[str, Any] = {
    "dt": 0.1,
    "duration": 20_000.0,
    "excitatory": 800,
    "inhibitory": 200,
    "c_m": 250.0,
    "tau_m": 10.0,
    "tau_syn": 2.0,
    "e_l": -70.0,
    "v_th": -55.0,
    "v_reset": -70.0,
    "t_ref": 2.0,
    "drive": 10_000.0,
    "j_drive": 6.2,
    "j_exc": 585.0,
    "j_inh": -585.0,
    "delay": 1.0,
    "tau_calcium": 10_000.0,
    "target_exc": 5.0,
    "target_inh": 20.0,
    "growth": 0.1,  # elements per second at the height of the curve
    "growth_exc_onto_inh": 0.4,
    "every": 10_000.0,
}
FAST = {**PARAMETERS, "duration": 5_000.0, "growth": 100.0, "growth_exc_onto_inh": 400.0, "every": 100.0}


def build(p: Mapping[str, Any], seed: int) -> ns.Network:
    """The network in neurosim."""
    network = ns.Network(seed=seed)
    network.history.mode = "counts"
    cell = {name: p[name] for name in ("c_m", "tau_m", "e_l", "v_th", "v_reset", "t_ref")}
    model = ns.models.neuron({"lif_alpha": {**cell, "tau_exc": p["tau_syn"], "tau_inh": p["tau_syn"]}})
    exc = network.add_population("exc", p["excitatory"], model)
    inh = network.add_population("inh", p["inhibitory"], model)
    drive = ns.inputs.poisson(rate=p["drive"])
    network.add_input("drive", drive, [exc, inh], weight=p["j_drive"], receptor="exc")
    targets = {"exc": p["target_exc"], "inh": p["target_inh"]}
    for source, weight, growth in (
        (exc, p["j_exc"], {"exc": p["growth"], "inh": p["growth_exc_onto_inh"]}),
        (inh, p["j_inh"], p["growth"]),
    ):
        grown = [network.connect(source, target, "none", weight=weight, delay=p["delay"]) for target in (exc, inh)]
        rule = ns.structure.homeostatic_growth_gaussian(
            *grown, name=f"from_{source.name}", every=p["every"], target_rate=targets, growth_rate=growth,
            tau_calcium=p["tau_calcium"], autapses=True,
        )  # fmt: skip
        network.add_rule(rule)
    return network


def comparison(parameters: Mapping[str, Any], name: str) -> Comparison:
    """What is compared; with one thread, for NEST cannot do it with more."""
    neurons = {"exc": parameters["excitatory"], "inh": parameters["inhibitory"]}
    return Comparison("growth", parameters, build, neurons, (1,), label=name, grown=parameters is FAST)


def run(against: Sequence[str], progress: Progress) -> list[Row]:
    """Measure the example, and the fast one; NEST is the one peer that grows synapses."""
    peers = [peer for peer in against if peer == "nest"]
    rows = compare(comparison(PARAMETERS, "growth"), peers, progress, repeats=3)
    return rows + compare(comparison(FAST, "growth × 1000"), peers, progress, repeats=5)
