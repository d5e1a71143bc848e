"""Brian2 as a peer: this file is run by the Python that has Brian2, and imports nothing of neurosim.

The one argument is JSON: ``network`` (a function below), ``parameters`` (its numbers, in ms, mV, Hz),
``threads``, ``directory`` (where the C++ is written and built) and ``record`` (keep every spike, or only
count them). Each line on stdin is a request ``{"seed": n, "spikes": path or null}`` for one run of the built
program; each answer is one line of JSON with the wall and processor time of the simulation alone and the
number of spikes per population.

Brian2 keeps another order inside a step than neurosim (docs/semantics.md): it stamps a spike with the
*beginning* of the step, adds arrivals *after* the threshold test, and counts the step of the spike as
refractory. To simulate the same network, the functions below

* ask for a refractory period longer by one step,
* add delta jumps between integration and threshold test (``when="groups", order=1``); there Brian2 sees the
  spikes of the step before, so the delay is shorter by one step,
* leave synapses onto currents where Brian2 puts them: a current added after the test of one step acts on the
  membrane from the next, and so it does in neurosim.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import brian2 as b2
import numpy as np
from brian2 import (
    Hz,
    NeuronGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    ms,
    mV,
    nS,
    pA,
    pF,
)

Parameters = dict[str, Any]
IntArray = np.ndarray[Any, np.dtype[np.int32]]
Populations = dict[str, "tuple[SpikeMonitor, int, int]"]  # the monitor that sees it, first and last index

FLAGS = ["-O3", "-ffast-math", "-march=native", "-std=c++11"]
AFTER_INTEGRATION = ("groups", 1)  # and before the threshold test of the same step


def brunel(p: Parameters, record: bool) -> tuple[list[Any], Populations]:
    """Brunel (2000), after NEST's ``brunel_delta_nest``: delta synapses, fixed in-degree, one delay."""
    n_exc, n_inh, step = p["excitatory"], p["inhibitory"], p["dt"] * ms
    cells = NeuronGroup(
        n_exc + n_inh,
        "dv/dt = -v/tau_m : volt (unless refractory)",
        threshold="v >= v_th",
        reset="v = v_reset",
        refractory=p["t_ref"] * ms + step,
        method="exact",
        namespace={"tau_m": p["tau_m"] * ms, "v_th": p["v_th"] * mV, "v_reset": p["v_reset"] * mV},
    )
    parts: list[Any] = [cells]
    for source, weight, indegree in (
        (cells[:n_exc], p["j_exc"], p["indegree_exc"]),
        (cells[n_exc:], p["j_inh"], p["indegree_inh"]),
    ):
        jump = {"jump": weight * mV}
        synapses = Synapses(source, cells, on_pre="v_post += jump", delay=p["delay"] * ms - step, namespace=jump)
        synapses.pre.when, synapses.pre.order = AFTER_INTEGRATION
        if record:  # another network for every seed
            synapses.connect(i=f"int(rand() * N_pre) for _ in range({indegree})")
        else:  # one network, its synapses in the order of their sources: Brian2 then takes half the time
            pre, post = _fixed_indegree(len(source), len(cells), indegree)
            synapses.connect(i=pre, j=post)
        parts.append(synapses)
    per_source = p["drive"] / p["indegree_exc"] * Hz
    when, order = AFTER_INTEGRATION
    drive = PoissonInput(cells, "v", p["indegree_exc"], per_source, weight=p["j_exc"] * mV, when=when, order=order)
    monitor = SpikeMonitor(cells, record=record)
    return [*parts, drive, monitor], {"exc": (monitor, 0, n_exc), "inh": (monitor, n_exc, n_exc + n_inh)}


def _fixed_indegree(n_pre: int, n_post: int, indegree: int) -> tuple[IntArray, IntArray]:
    pre = np.random.default_rng(indegree).integers(0, n_pre, n_post * indegree, dtype=np.int32)
    order = np.argsort(pre, kind="stable")
    return pre[order], np.repeat(np.arange(n_post, dtype=np.int32), indegree)[order]


def cuba(p: Parameters, record: bool) -> tuple[list[Any], Populations]:
    """Vogels and Abbott (2005), as Brian2's own ``CUBA`` example has it: exponential currents, no delay."""
    n_exc, n_inh = p["excitatory"], p["inhibitory"]
    cells = NeuronGroup(
        n_exc + n_inh,
        """dv/dt = (g_exc + g_inh - (v - e_l))/tau_m : volt (unless refractory)
           dg_exc/dt = -g_exc/tau_exc : volt
           dg_inh/dt = -g_inh/tau_inh : volt""",
        threshold="v > v_th",
        reset="v = v_reset",
        refractory=(p["t_ref"] + p["dt"]) * ms,
        method="exact",
        namespace={
            **{name: p[name] * ms for name in ("tau_m", "tau_exc", "tau_inh")},
            **{name: p[name] * mV for name in ("e_l", "v_th", "v_reset")},
        },
    )
    cells.v = f"({p['v_reset']} + rand() * {p['v_th'] - p['v_reset']}) * mV"
    parts: list[Any] = [cells]
    for source, variable, weight in (
        (cells[:n_exc], "g_exc", p["j_exc"]),
        (cells[n_exc:], "g_inh", p["j_inh"]),
    ):
        # Brian2's unit of the currents is the voltage that they would drive the membrane to
        synapses = Synapses(
            source,
            cells,
            on_pre=f"{variable}_post += jump",
            namespace={"jump": weight * p["tau_m"] / p["c_m"] * mV},
        )
        synapses.connect(p=p["probability"])
        parts.append(synapses)
    monitor = SpikeMonitor(cells, record=record)
    return [*parts, monitor], {"exc": (monitor, 0, n_exc), "inh": (monitor, n_exc, n_exc + n_inh)}


def cobahh(p: Parameters, record: bool) -> tuple[list[Any], Populations]:
    """Brette et al. (2007), benchmark 3, as Brian2's own ``COBAHH`` example has it: no delay, no reset.

    Conductances are in nS, so that the numbers are those of neurosim's model.
    """
    n_exc, n_inh = p["excitatory"], p["inhibitory"]
    cells = NeuronGroup(
        n_exc + n_inh,
        """dv/dt = (g_l*(e_l - v) + g_exc*(e_exc - v) + g_inh*(e_inh - v) - g_na*m*m*m*h*(v - e_na)
                    - g_k*n*n*n*n*(v - e_k))/c_m : volt
           dm/dt = alpha_m*(1 - m) - beta_m*m : 1
           dn/dt = alpha_n*(1 - n) - beta_n*n : 1
           dh/dt = alpha_h*(1 - h) - beta_h*h : 1
           dg_exc/dt = -g_exc/tau_exc : siemens
           dg_inh/dt = -g_inh/tau_inh : siemens
           alpha_m = 0.32*(13*mV - v + v_t)/(exp((13*mV - v + v_t)/(4*mV)) - 1)/mV/ms : Hz
           beta_m = 0.28*(v - v_t - 40*mV)/(exp((v - v_t - 40*mV)/(5*mV)) - 1)/mV/ms : Hz
           alpha_h = 0.128*exp((17*mV - v + v_t)/(18*mV))/ms : Hz
           beta_h = 4./(1 + exp((40*mV - v + v_t)/(5*mV)))/ms : Hz
           alpha_n = 0.032*(15*mV - v + v_t)/(exp((15*mV - v + v_t)/(5*mV)) - 1)/mV/ms : Hz
           beta_n = 0.5*exp((10*mV - v + v_t)/(40*mV))/ms : Hz""",
        threshold="v > v_th",
        refractory=(p["t_ref"] + p["dt"]) * ms,
        method="exponential_euler",
        namespace={
            "c_m": p["c_m"] * pF,
            **{name: p[name] * nS for name in ("g_l", "g_na", "g_k")},
            **{name: p[name] * ms for name in ("tau_exc", "tau_inh")},
            **{name: p[name] * mV for name in ("e_l", "e_na", "e_k", "e_exc", "e_inh", "v_t", "v_th")},
        },
    )
    for variable, unit in (("v", mV), ("g_exc", nS), ("g_inh", nS)):
        mean, spread = p[f"{variable}_mean"], p[f"{variable}_sd"]
        setattr(cells, variable, f"({mean} + {spread} * randn()) * {unit}")
    parts: list[Any] = [cells]
    for source, variable, weight in (
        (cells[:n_exc], "g_exc", p["j_exc"]),
        (cells[n_exc:], "g_inh", p["j_inh"]),
    ):
        synapses = Synapses(source, cells, on_pre=f"{variable}_post += jump", namespace={"jump": weight * nS})
        synapses.connect(p=p["probability"])
        parts.append(synapses)
    monitor = SpikeMonitor(cells, record=record)
    return [*parts, monitor], {"exc": (monitor, 0, n_exc), "inh": (monitor, n_exc, n_exc + n_inh)}


def feed_forward(p: Parameters, record: bool) -> tuple[list[Any], Populations]:
    """Fixed input spikes onto unconnected cells, each synapse with a weight and a delay of its own.

    ``arrays`` names an npz file: ``times`` (ms, of the end of the step) and ``indices`` of the input spikes,
    and ``pre``, ``post``, ``weight``, ``delay`` (ms) of the synapses. ``kind`` is "delta" (weights in mV) or
    "exp" (weights in pA, excitatory or inhibitory by their sign).
    """
    arrays = np.load(p["arrays"])
    step, delta = p["dt"] * ms, p["kind"] == "delta"
    source = SpikeGeneratorGroup(p["inputs"], arrays["indices"], arrays["times"] * ms - step)
    currents = "" if delta else "+ (i_exc + i_inh)/c_m"
    equations = f"dv/dt = (e_l - v)/tau_m {currents} : volt (unless refractory)\n"
    units = {"tau_m": ms, "e_l": mV, "v_th": mV, "v_reset": mV}
    if not delta:
        equations += "di_exc/dt = -i_exc/tau_exc : amp\ndi_inh/dt = -i_inh/tau_inh : amp\n"
        units |= {"tau_exc": ms, "tau_inh": ms, "c_m": pF}
    cells = NeuronGroup(
        p["cells"],
        equations,
        threshold="v >= v_th",
        reset="v = v_reset",
        refractory=p["t_ref"] * ms + step,
        method="exact",
        namespace={name: p[name] * unit for name, unit in units.items()},
    )
    cells.v = p["e_l"] * mV
    parts: list[Any] = [source, cells]
    for variable in ("v",) if delta else ("i_exc", "i_inh"):
        positive = arrays["weight"] > 0
        chosen = {"v": positive | ~positive, "i_exc": positive, "i_inh": ~positive}[variable]
        synapses = Synapses(source, cells, f"w : {'volt' if delta else 'amp'}", on_pre=f"{variable}_post += w")
        synapses.connect(i=arrays["pre"][chosen], j=arrays["post"][chosen])
        synapses.w = arrays["weight"][chosen] * (mV if delta else pA)
        synapses.delay = arrays["delay"][chosen] * ms - (step if delta else 0 * ms)
        if delta:
            synapses.pre.when, synapses.pre.order = AFTER_INTEGRATION
        parts.append(synapses)
    monitor = SpikeMonitor(cells, record=record)
    return [*parts, monitor], {"cells": (monitor, 0, p["cells"])}


_SEED = """
if (const char* seed = std::getenv("PEER_SEED"))
    for (size_t k = 0; k < _random_generators.size(); k++)
        _random_generators[k].seed(std::strtoul(seed, nullptr, 10) + 1000003UL * k);
"""
_BEFORE = "const auto _wall = std::chrono::steady_clock::now(); const std::clock_t _cpu = std::clock();"
_AFTER = """
std::ofstream(brian::results_dir + "elapsed")
    << std::chrono::duration<double>(std::chrono::steady_clock::now() - _wall).count() << " "
    << double(std::clock() - _cpu) / CLOCKS_PER_SEC;
"""


def build(request: dict[str, Any]) -> tuple[list[Any], Populations]:
    """Declare the network, write its C++ and compile it; returns its parts and where its populations are seen."""
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.defaultclock.dt = request["parameters"]["dt"] * ms
    b2.prefs.codegen.cpp.extra_compile_args_gcc = FLAGS
    b2.prefs.codegen.cpp.headers += ["<chrono>", "<cstdlib>"]
    if request["threads"] > 1:
        b2.prefs.devices.cpp_standalone.openmp_threads = request["threads"]
    device = b2.get_device()
    device.insert_code("main", _SEED)
    device.insert_code("before_network_run", _BEFORE)
    device.insert_code("after_network_run", _AFTER)
    parts, populations = NETWORKS[request["network"]](request["parameters"], request["record"])
    b2.Network(parts).run(request["parameters"]["duration"] * ms)
    device.build(directory=request["directory"], compile=True, run=False, debug=False, clean=False)
    return parts, populations


def simulate(
    request: dict[str, Any], parts: list[Any], populations: Populations, seed: int, spikes: str | None
) -> dict[str, Any]:
    """Run the built program once.

    If asked, write to ``spikes`` what was recorded: spikes (ms, index in the population), the weights ``w`` at the
    end, and what state monitors saw, each under the name of its object.
    """
    os.environ["PEER_SEED"] = str(seed)
    device = b2.get_device()
    device.run(with_output=False)
    wall, cpu = (float(x) for x in (Path(device.results_dir) / "elapsed").read_text().split())
    counts, trains = {}, {}
    for name, (monitor, first, last) in populations.items():
        counts[name] = int(np.sum(monitor.count[first:last]))
        if spikes:
            index = np.asarray(monitor.i[:])
            mine = (index >= first) & (index < last)
            # neurosim stamps the end of the step, Brian2 its beginning
            trains[f"{name}_times"] = np.asarray(monitor.t[:] / ms)[mine] + request["parameters"]["dt"]
            trains[f"{name}_ids"] = (index[mine] - first).astype(np.uint32)
    if spikes:
        np.savez(spikes, **trains, **_seen(parts))
    return {"wall_s": wall, "cpu_s": cpu, "spikes": counts}


def _seen(parts: list[Any]) -> dict[str, Any]:
    seen = {f"{part.name}_w": part.w[:] for part in parts if isinstance(part, Synapses) and "w" in part.variables}
    for part in parts:
        if isinstance(part, StateMonitor):
            seen |= {f"{part.name}_{name}": getattr(part, name) for name in part.record_variables}
    return {name: np.asarray(values) for name, values in seen.items()}


NETWORKS = {"brunel": brunel, "cuba": cuba, "cobahh": cobahh, "feed_forward": feed_forward}
NETWORKS |= import_module("brian2_plastic").NETWORKS  # beside this file, which a peer's Python runs by its path


def main() -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever compilers and libraries print goes to stderr
    request = json.loads(sys.argv[1])
    parts, populations = build(request)
    answers.write(json.dumps({"version": b2.__version__}) + "\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(simulate(request, parts, populations, **json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
