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


def cobahh(p: Parameters) -> dict[str, Any]:
    """Brette et al. (2007), benchmark 3. NEST finds spikes by the peak of the membrane, and integrates adaptively."""
    neuron = {
        "C_m": p["c_m"],
        "g_L": p["g_l"],
        "g_Na": p["g_na"],
        "g_K": p["g_k"],
        "E_L": p["e_l"],
        "E_Na": p["e_na"],
        "E_K": p["e_k"],
        "E_ex": p["e_exc"],
        "E_in": p["e_inh"],
        "V_T": p["v_t"],
        "t_ref": p["t_ref"],
        "tau_syn_ex": p["tau_exc"],
        "tau_syn_in": p["tau_inh"],
        "V_m": nest.random.normal(p["v_mean"], p["v_sd"]),
    }
    exc = nest.Create("hh_cond_exp_traub", p["excitatory"], params=neuron)
    inh = nest.Create("hh_cond_exp_traub", p["inhibitory"], params=neuron)
    rule = {"rule": "pairwise_bernoulli", "p": p["probability"]}
    for source, weight, begin in ((exc, p["j_exc"], p["g_exc_mean"]), (inh, -p["j_inh"], p["g_inh_mean"])):
        synapse = {"synapse_model": "static_synapse", "weight": weight, "delay": p["nest_delay"]}
        nest.Connect(source, exc + inh, rule, synapse)
        # conductances cannot be set: a burst of arrivals gives them the mean that they are to begin with
        rate = begin / abs(weight) / p["dt"] * 1000.0
        burst = nest.Create("poisson_generator", params={"rate": rate, "start": 0.0, "stop": p["dt"]})
        nest.Connect(burst, exc + inh, syn_spec={"weight": weight, "delay": p["dt"]})
    return {"exc": exc, "inh": inh}


def polychronization(p: Parameters) -> dict[str, Any]:
    """Izhikevich (2006). NEST adds arrivals to the membrane, and takes delays for dendritic when it learns."""
    numbers = {"consistent_integration": False, "V_m": p["v_start"], "U_m": 0.2 * p["v_start"]}
    numbers["tau_minus"] = p["tau_minus"]
    exc = nest.Create("izhikevich", p["excitatory"], params={**numbers, "a": 0.02, "d": 8.0})
    inh = nest.Create("izhikevich", p["inhibitory"], params={**numbers, "a": 0.1, "d": 2.0})
    cells = exc + inh
    noise = nest.Create("poisson_generator", params={"rate": 1000.0 / p["dt"] / len(cells)})
    nest.Connect(noise, cells, syn_spec={"weight": p["kick"], "delay": p["dt"]})
    learning = {
        "tau_plus": p["tau_plus"],
        "lambda": p["a_plus"],
        "alpha": p["a_minus"] / p["a_plus"],
        "mu_plus": 0.0,
        "mu_minus": 0.0,
        "Wmax": p["w_max"],
    }
    nest.CopyModel("stdp_synapse_hom", "learning", learning)
    arrays = np.load(p["arrays"])
    plastic = arrays["pre"] < len(exc)
    for model, weight, chosen in (("learning", p["j_exc"], plastic), ("static_synapse", p["j_inh"], ~plastic)):
        pre, post, delay = (arrays[name][chosen] for name in ("pre", "post", "delay"))
        first = cells[0].global_id
        synapse = {"synapse_model": model, "weight": np.full(pre.size, weight), "delay": delay}
        nest.Connect(pre + first, post + first, "one_to_one", synapse)
    return {"exc": exc, "inh": inh}


def stdp_brunel(p: Parameters) -> dict[str, Any]:
    """NEST's own ``hpc_benchmark``. NEST takes delays for dendritic when it learns."""
    neuron = {
        "C_m": p["c_m"],
        "tau_m": p["tau_m"],
        "tau_syn_ex": p["tau_syn"],
        "tau_syn_in": p["tau_syn"],
        "E_L": p["e_l"],
        "V_th": p["v_th"],
        "V_reset": p["v_reset"],
        "t_ref": p["t_ref"],
        "tau_minus": p["tau_minus"],
        "V_m": nest.random.normal(p["v_mean"], p["v_sd"]),
    }
    exc = nest.Create("iaf_psc_alpha", p["excitatory"], params=neuron)
    inh = nest.Create("iaf_psc_alpha", p["inhibitory"], params=neuron)
    nest.SetDefaults("static_synapse_hpc", {"delay": p["delay"]})
    nest.CopyModel("static_synapse_hpc", "excitatory", {"weight": p["j_exc"]})
    nest.CopyModel("static_synapse_hpc", "inhibitory", {"weight": p["j_inh"]})
    learning = {"tau_plus": p["tau_plus"], "lambda": p["rate"], "alpha": p["alpha"], "mu": p["mu"]}
    # the weight that the power law is relative to is 1 pA in NEST
    nest.CopyModel("stdp_pl_synapse_hom_hpc", "learning", {**learning, "weight": p["j_exc"], "delay": p["delay"]})
    noise = nest.Create("poisson_generator", params={"rate": p["drive"]})
    nest.Connect(noise, exc + inh, syn_spec={"synapse_model": "excitatory"})
    for source, target, model, indegree in (
        (exc, exc, "learning", p["indegree_exc"]),
        (exc, inh, "excitatory", p["indegree_exc"]),
        (inh, exc + inh, "inhibitory", p["indegree_inh"]),
    ):
        nest.Connect(source, target, {"rule": "fixed_indegree", "indegree": indegree}, {"synapse_model": model})
    return {"exc": exc, "inh": inh}


def growth(p: Parameters) -> dict[str, Any]:
    """Homeostatic growth of all synapses, as in NEST's own example; calcium there is in units of 0.01 Hz."""
    nest.structural_plasticity_update_interval = p["every"]
    cell = {"C_m": p["c_m"], "tau_m": p["tau_m"], "tau_syn_ex": p["tau_syn"], "tau_syn_in": p["tau_syn"]}
    cell |= {"E_L": p["e_l"], "V_m": p["e_l"], "V_th": p["v_th"], "V_reset": p["v_reset"], "t_ref": p["t_ref"]}
    cell |= {"tau_Ca": p["tau_calcium"], "beta_Ca": 10.0 / p["tau_calcium"]}

    def curve(rate: float, target: float) -> dict[str, Any]:
        return {"growth_curve": "gaussian", "growth_rate": rate / 1000.0, "continuous": False, "eta": 0.0,
                "eps": target / 100.0}  # fmt: skip

    names = ("Axon_ex", "Den_ex", "Axon_in", "Den_in")
    kinds = {"grown_ex": ("Axon_ex", "Den_ex", p["j_exc"]), "grown_in": ("Axon_in", "Den_in", p["j_inh"])}
    for model, (_, _, weight) in kinds.items():
        nest.CopyModel("static_synapse", model, {"weight": weight, "delay": p["delay"]})
    nest.structural_plasticity_synapses = {  # all at once: what is set later takes the place of what was
        model: {"synapse_model": model, "pre_synaptic_element": axon, "post_synaptic_element": dendrite}
        for model, (axon, dendrite, _) in kinds.items()
    }
    exc, inh = p["target_exc"], p["target_inh"]
    rates = {"exc": (p["growth"], p["growth"], None, p["growth"]),
             "inh": (None, p["growth_exc_onto_inh"], p["growth"], p["growth"])}  # fmt: skip
    cells = {}
    for name, size, target in (("exc", p["excitatory"], exc), ("inh", p["inhibitory"], inh)):
        elements = {e: curve(rate, target) for e, rate in zip(names, rates[name]) if rate is not None}
        cells[name] = nest.Create("iaf_psc_alpha", size, {**cell, "synaptic_elements": elements})
        noise = nest.Create("poisson_generator", params={"rate": p["drive"]})
        nest.Connect(noise, cells[name], "all_to_all", {"weight": p["j_drive"], "delay": p["delay"]})
    nest.EnableStructuralPlasticity()
    return cells


def simulate(request: dict[str, Any], seed: int, spikes: str | None) -> dict[str, Any]:
    """Build the network anew and simulate it once; spikes are in ms and index in the population."""
    p = request["parameters"]
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": p["dt"], "local_num_threads": request["threads"], "rng_seed": seed})
    if request["network"] == "edit":
        return edit(p, seed)
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
    grown = sum(
        element["z_connected"]
        for cells in populations.values()
        for neuron in (cells.synaptic_elements if request["network"] == "growth" else ())
        for name, element in neuron.items()
        if name.startswith("Axon")
    )
    counts = {name: int(r.n_events) for name, r in recorders.items()}
    return {"wall_s": wall, "cpu_s": cpu, "spikes": counts, "synapses": int(grown)}


def edit(p: Parameters, seed: int) -> dict[str, Any]:
    """Add and delete a batch of random synapses in a network that is at rest: seconds per synapse."""
    cells = nest.Create("iaf_psc_delta", p["neurons"])
    rule = {"rule": "fixed_outdegree", "outdegree": p["outdegree"]}
    nest.Connect(cells, cells, rule, {"weight": 0.1, "delay": 1.5})
    nest.Simulate(1.0)
    random = np.random.default_rng(seed)
    ids, n = np.array(cells.tolist()), p["batch"]
    pre, post = random.choice(ids, n), random.choice(ids, n)
    began = time.perf_counter()
    nest.Connect(pre, post, "one_to_one", {"weight": np.full(n, 0.1), "delay": np.full(n, 1.5)})
    adding = (time.perf_counter() - began) / n
    began = time.perf_counter()
    nest.Simulate(0.1)
    rebuilding = time.perf_counter() - began
    victims = nest.GetConnections(source=cells[: max(2, -(-n // p["outdegree"]))])[: p["deleted"]]
    began = time.perf_counter()
    nest.Disconnect(victims)
    deleting = (time.perf_counter() - began) / len(victims)
    edits = {"add": adding, "delete": deleting, "next run": rebuilding}
    return {"wall_s": 0.0, "cpu_s": 0.0, "spikes": {}, "edits": edits}


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


NETWORKS = {
    "brunel": brunel,
    "cuba": cuba,
    "cobahh": cobahh,
    "growth": growth,
    "polychronization": polychronization,
    "stdp_brunel": stdp_brunel,
}


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
