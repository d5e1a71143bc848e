"""Plastic networks in Brian2: more functions for ``run_brian2.py``, which says what they return and how time maps.

Plasticity sees arrivals, as in neurosim: ``on_pre`` has the delay of the synapse, ``on_post`` none. One thing differs
everywhere: Brian2 transmits with the weight that the synapse has when the spike arrives, neurosim with the weight at
emission.

Presynaptic traces are Brian2's event-driven ones, one per synapse; postsynaptic traces are kept by the neurons and
decay every step, which is faster in Brian2 than one more event-driven trace per synapse, and the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, ms, mV, pA, pF

Parameters = dict[str, Any]
Populations = dict[str, "tuple[SpikeMonitor, int, int]"]
Network = tuple[list[Any], Populations]


def polychronization(p: Parameters, record: bool) -> Network:
    """Izhikevich (2006): delays of 1 to 20 ms, additive STDP of excitatory synapses.

    ``arrays`` names an npz file with the synapses: ``pre``, ``post`` (excitatory cells first), ``delay`` (ms).
    """
    n_exc, n_inh = p["excitatory"], p["inhibitory"]
    n = n_exc + n_inh
    cells = NeuronGroup(
        n,
        """v : 1
           u : 1
           y : 1
           i_syn : 1
           a : 1 (constant)
           d : 1 (constant)
           chosen : integer (shared)""",
        threshold="v >= 30",
        reset="v = -65; u += d; y += 1",
        namespace={"kick": p["kick"], "decay": float(np.exp(-p["dt"] / p["tau_minus"]))},
    )
    cells.run_regularly(
        """chosen = int(rand() * N)
           current = i_syn + kick * int(i == chosen)
           v += 0.5 * ((0.04 * v + 5) * v + 140 - u + current)
           v += 0.5 * ((0.04 * v + 5) * v + 140 - u + current)
           u += a * (0.2 * v - u)
           y *= decay
           i_syn = 0""",
        when="groups",
    )
    cells.v, cells.u = p["v_start"], 0.2 * p["v_start"]
    excitatory = np.arange(n) < n_exc
    cells.a, cells.d = np.where(excitatory, 0.02, 0.1), np.where(excitatory, 8.0, 2.0)
    arrays = np.load(p["arrays"])
    plastic = arrays["pre"] < n_exc
    exc = Synapses(
        cells,
        cells,
        """w : 1
           dx/dt = -x/tau_plus : 1 (event-driven)""",
        on_pre="""i_syn_post += w
                  w = clip(w - a_minus * y_post, 0, w_max)
                  x += 1""",
        on_post="w = clip(w + a_plus * x, 0, w_max)",
        namespace={
            **{name: p[name] * p["w_max"] for name in ("a_plus", "a_minus")},
            "w_max": p["w_max"],
            "tau_plus": p["tau_plus"] * ms,
        },
    )
    exc.connect(i=arrays["pre"][plastic], j=arrays["post"][plastic])
    exc.w, exc.delay = p["j_exc"], arrays["delay"][plastic] * ms
    inh = Synapses(cells, cells, on_pre="i_syn_post += jump", delay=1 * ms, namespace={"jump": p["j_inh"]})
    inh.connect(i=arrays["pre"][~plastic], j=arrays["post"][~plastic])
    monitor = SpikeMonitor(cells, record=record)
    return [cells, exc, inh, monitor], {"exc": (monitor, 0, n_exc), "inh": (monitor, n_exc, n)}


def stdp_brunel(p: Parameters, record: bool) -> Network:
    """NEST's ``hpc_benchmark`` (Morrison et al. 2007): alpha currents, power-law STDP between excitatory cells.

    All delays are alike, which lets Brian2 do better than one event-driven trace per synapse: neurons keep the
    presynaptic trace too, raised by a synapse onto themselves that has the delay of all others.
    """
    n_exc, n_inh = p["excitatory"], p["inhibitory"]
    delay = p["delay"] * ms
    cells = NeuronGroup(
        n_exc + n_inh,
        """dv/dt = (e_l - v)/tau_m + i_syn/c_m : volt (unless refractory)
           di_syn/dt = (rise - i_syn)/tau_syn : amp
           drise/dt = -rise/tau_syn : amp
           dx/dt = -x/tau_plus : 1
           dy/dt = -y/tau_minus : 1""",
        threshold="v >= v_th",
        reset="v = v_reset; y += 1",
        refractory=(p["t_ref"] + p["dt"]) * ms,
        method="exact",
        namespace={
            "c_m": p["c_m"] * pF,
            **{name: p[name] * ms for name in ("tau_m", "tau_syn", "tau_minus", "tau_plus")},
            **{name: p[name] * mV for name in ("e_l", "v_th", "v_reset")},
        },
    )
    cells.v = f"({p['v_mean']} + {p['v_sd']} * randn()) * mV"
    exc, inh = cells[:n_exc], cells[n_exc:]
    plastic = Synapses(
        exc,
        exc,
        "w : 1",  # pA: Brian2 cannot check the unit of a power that is no literal
        on_pre="""rise_post += e * w * pA
                  w = clip(w - depression * w * y_post, 0, inf)""",
        on_post="w += potentiation * w**mu * x_pre",
        delay=delay,
        namespace={
            "depression": p["rate"] * p["alpha"],
            "potentiation": p["rate"] * p["w_0"] ** (1.0 - p["mu"]),
            "mu": p["mu"],
        },
    )
    _connect(plastic, n_exc, n_exc, p["indegree_exc"])
    plastic.w = p["j_exc"]
    arrived = Synapses(exc, exc, on_pre="x_post += 1", delay=delay)
    arrived.connect(j="i")
    parts: list[Any] = [cells, plastic, arrived]
    for source, target, indegree, weight in (
        (exc, inh, p["indegree_exc"], p["j_exc"]),
        (inh, cells, p["indegree_inh"], p["j_inh"]),
    ):
        jump = {"jump": np.e * weight * pA}
        static = Synapses(source, target, on_pre="rise_post += jump", delay=delay, namespace=jump)
        _connect(static, len(source), len(target), indegree)
        parts.append(static)
    cells.namespace |= {"kick": np.e * p["j_exc"] * pA, "mean": p["drive"] * p["dt"] / 1000.0}
    cells.run_regularly("rise += kick * poisson(mean)", when="synapses")
    monitor = SpikeMonitor(cells, record=record)
    return [*parts, monitor], {"exc": (monitor, 0, n_exc), "inh": (monitor, n_exc, n_exc + n_inh)}


def _connect(synapses: Synapses, n_pre: int, n_post: int, indegree: int) -> None:
    """A fixed in-degree, one network for all seeds; sorted by source, which Brian2 likes best."""
    pre = np.random.default_rng(indegree).integers(0, n_pre, n_post * indegree, dtype=np.int32)
    order = np.argsort(pre, kind="stable")
    synapses.connect(i=pre[order], j=np.repeat(np.arange(n_post, dtype=np.int32), indegree)[order])


def learning_trains(p: Parameters, record: bool) -> Network:
    """Fixed spikes on both sides of additive pair STDP.

    ``arrays`` names an npz file: ``pre_times`` (ms, of the end of the step), ``pre_ids``, ``post_times``,
    ``post_ids``, and ``pre``, ``post``, ``delay`` (ms), ``weight`` of the synapses. Answers with ``learning_w``.
    """
    arrays = np.load(p["arrays"])
    step = p["dt"] * ms
    source, target = (
        SpikeGeneratorGroup(p[f"n_{side}"], arrays[f"{side}_ids"], arrays[f"{side}_times"] * ms - step)
        for side in ("pre", "post")
    )
    synapses = Synapses(
        source,
        target,
        """w : 1
           dx/dt = -x/tau_plus : 1 (event-driven)
           dy/dt = -y/tau_minus : 1 (event-driven)""",
        on_pre="w = clip(w - a_minus * w_max * y, 0, w_max); x += 1",
        on_post="w = clip(w + a_plus * w_max * x, 0, w_max); y += 1",
        namespace={
            **{name: p[name] for name in ("a_plus", "a_minus", "w_max")},
            **{name: p[name] * ms for name in ("tau_plus", "tau_minus")},
        },
        name="learning",
    )
    synapses.connect(i=arrays["pre"], j=arrays["post"])
    synapses.w, synapses.delay = arrays["weight"], arrays["delay"] * ms
    return [source, target, synapses], {}


def short_term_trains(p: Parameters, record: bool) -> Network:
    """Fixed spikes over depressing and facilitating synapses (Tsodyks, Pawelzik & Markram 1998).

    ``arrays`` as in :func:`learning_trains`, without the target's spikes. Answers with ``membrane_v``: the leaky sum
    of what arrived, at the beginning of each step.
    """
    arrays = np.load(p["arrays"])
    source = SpikeGeneratorGroup(p["n_pre"], arrays["pre_ids"], arrays["pre_times"] * ms - p["dt"] * ms)
    cells = NeuronGroup(p["n_post"], "dv/dt = -v/tau_m : 1", method="exact", namespace={"tau_m": p["tau_m"] * ms})
    synapses = Synapses(
        source,
        cells,
        """w : 1
           du/dt = -u/tau_facil : 1 (event-driven)
           dR/dt = (1 - R)/tau_rec : 1 (event-driven)""",
        on_pre="""u += U * (1 - u)
                  v_post += u * R * w
                  R -= u * R""",
        namespace={"U": p["U"], "tau_rec": p["tau_rec"] * ms, "tau_facil": p["tau_facil"] * ms},
    )
    synapses.connect(i=arrays["pre"], j=arrays["post"])
    synapses.w, synapses.R, synapses.delay = arrays["weight"], 1.0, arrays["delay"] * ms
    return [source, cells, synapses, StateMonitor(cells, "v", record=True, name="membrane")], {}


NETWORKS = {
    "polychronization": polychronization,
    "stdp_brunel": stdp_brunel,
    "learning_trains": learning_trains,
    "short_term_trains": short_term_trains,
}
