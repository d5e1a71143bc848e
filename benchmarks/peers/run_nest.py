"""NEST as a peer: this file is run by the Python that has NEST, and imports nothing of neurosim.

Same conversation as ``run_brian2.py``. NEST keeps neurosim's order inside a step, so nothing is shifted; but
its delays are at least one step, so a network without delays gets ``nest_delay`` ms.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

import nest
import numpy as np

Parameters = dict[str, Any]


def brunel(p: Parameters) -> dict[str, Any]:
    """Brunel (2000), model A: delta synapses, fixed in-degree, one delay."""
    neuron = {
        "tau_m": p["tau_m"],
        "V_th": p["v_th"],
        "V_reset": p["v_reset"],
        "t_ref": p["t_ref"],
        "E_L": 0.0,
        "V_m": 0.0,
        "C_m": 1.0,
    }
    exc = nest.Create("iaf_psc_delta", p["excitatory"], params=neuron)
    inh = nest.Create("iaf_psc_delta", p["inhibitory"], params=neuron)
    noise = nest.Create("poisson_generator", params={"rate": p["drive"]})
    synapse = {"synapse_model": "static_synapse", "delay": p["delay"]}
    nest.Connect(noise, exc + inh, syn_spec={**synapse, "weight": p["j_exc"]})
    for source, weight, indegree in (
        (exc, p["j_exc"], p["indegree_exc"]),
        (inh, p["j_inh"], p["indegree_inh"]),
    ):
        rule = {"rule": "fixed_indegree", "indegree": indegree}
        nest.Connect(source, exc + inh, rule, {**synapse, "weight": weight})
    return {"exc": exc, "inh": inh}


def cuba(p: Parameters) -> dict[str, Any]:
    """Vogels and Abbott (2005): exponential currents, fixed probability."""
    neuron = {
        "C_m": p["c_m"],
        "tau_m": p["tau_m"],
        "tau_syn_ex": p["tau_exc"],
        "tau_syn_in": p["tau_inh"],
        "E_L": p["e_l"],
        "V_th": p["v_th"],
        "V_reset": p["v_reset"],
        "t_ref": p["t_ref"],
        "V_m": nest.random.uniform(p["v_reset"], p["v_th"]),
    }
    exc = nest.Create("iaf_psc_exp", p["excitatory"], params=neuron)
    inh = nest.Create("iaf_psc_exp", p["inhibitory"], params=neuron)
    rule = {"rule": "pairwise_bernoulli", "p": p["probability"]}
    for source, weight in ((exc, p["j_exc"]), (inh, p["j_inh"])):
        synapse = {"synapse_model": "static_synapse", "weight": weight, "delay": p["nest_delay"]}
        nest.Connect(source, exc + inh, rule, synapse)
    return {"exc": exc, "inh": inh}


def simulate(request: dict[str, Any], seed: int, spikes: str | None) -> dict[str, Any]:
    """Build the network anew and simulate it once; spikes are in ms and index in the population."""
    p = request["parameters"]
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": p["dt"], "local_num_threads": request["threads"], "rng_seed": seed})
    populations = NETWORKS[request["network"]](p)
    recorders = {}
    for name, cells in populations.items():
        recorders[name] = nest.Create("spike_recorder", params={"record_to": "memory"})
        nest.Connect(cells, recorders[name])
    nest.Prepare()
    cpu, wall = _cpu(), time.perf_counter()
    nest.Run(p["duration"])
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    nest.Cleanup()
    trains: dict[str, Any] = {}
    for name, recorder in recorders.items():
        events = recorder.get("events")
        trains[f"{name}_times"] = np.asarray(events["times"])
        trains[f"{name}_ids"] = np.asarray(events["senders"] - populations[name][0].global_id, np.uint32)
    if spikes:
        np.savez(spikes, **trains)
    return {"wall_s": wall, "cpu_s": cpu, "spikes": {name: int(r.n_events) for name, r in recorders.items()}}


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


NETWORKS = {"brunel": brunel, "cuba": cuba}


def main() -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # NEST prints to stdout
    nest.set_verbosity("M_ERROR")
    request = json.loads(sys.argv[1])
    answers.write(json.dumps({"version": nest.__version__}) + "\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(simulate(request, **json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
