"""Polychronization: a small network in which nearly every synapse learns, with many different delays."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import neurosim as ns
from neurosim.benchmarks.compare import Comparison, compare
from neurosim.benchmarks.rows import Progress, Row

SUMMARY = "polychronization: 1000 Izhikevich neurons × 100 synapses, additive STDP, delays of 1 to 20 ms, 60 s"

# Izhikevich 2006, doi:10.1162/089976606775093882; ms, mV, mV/ms. Weights change at once, not once a second.
PARAMETERS: dict[str, Any] = {
    "dt": 1.0,
    "duration": 60_000.0,
    "excitatory": 800,
    "inhibitory": 200,
    "outdegree": 100,
    "longest": 20,
    "v_start": -65.0,
    "j_exc": 6.0,
    "j_inh": -5.0,
    "kick": 20.0,
    "tau_plus": 20.0,
    "tau_minus": 20.0,
    "a_plus": 0.01,  # fractions of w_max
    "a_minus": 0.012,
    "w_max": 10.0,
}


def write_synapses(p: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Write ``pre``, ``post`` (excitatory first) and ``delay`` (ms) to an npz; returns ``p`` with its path.

    Excitatory neurons project to all, with as many synapses of each delay; inhibitory ones to excitatory ones, with
    the shortest. No neuron onto itself, none twice onto the same.
    """
    rng = np.random.default_rng(1)
    n_exc, n, m = p["excitatory"], p["excitatory"] + p["inhibitory"], p["outdegree"]
    post = np.empty((n, m), np.int64)
    for k in range(n):
        # one name less where the neuron itself is among the targets: what is drawn from there on is moved up
        chosen = rng.permutation(n - 1 if k < n_exc else n_exc)[:m]
        post[k] = chosen + (chosen >= k) if k < n_exc else chosen
    pre = np.repeat(np.arange(n), m)
    delay = np.where(pre < n_exc, np.tile(np.arange(m) % p["longest"] + 1, n), 1) * p["dt"]
    np.savez(path, pre=pre, post=post.ravel(), delay=delay)
    return {**p, "arrays": str(path)}


def build(p: Mapping[str, Any], seed: int) -> ns.Network:
    """The network in neurosim; its synapses are the same for all seeds."""
    network = ns.Network(seed=seed)
    start = {"v": p["v_start"], "u": 0.2 * p["v_start"]}
    exc = network.add_population("exc", p["excitatory"], ns.models.izhikevich(a=0.02, d=8.0), initial=start)
    inh = network.add_population("inh", p["inhibitory"], ns.models.izhikevich(a=0.1, d=2.0), initial=start)
    _kick(network, p, seed)
    rule = ns.learning.stdp(**{name: p[name] for name in ("tau_plus", "tau_minus", "a_plus", "a_minus")})
    plastic: dict[str, Any] = {"learning": [rule], "bounds": {"weight": (0.0, p["w_max"])}}
    arrays = np.load(p["arrays"])
    ids = np.concatenate([exc.ids, inh.ids])
    for source, target, weight, learning in ((exc, exc, p["j_exc"], plastic), (exc, inh, p["j_exc"], plastic),
                                             (inh, exc, p["j_inh"], {})):  # fmt: skip
        pre, post = ids[arrays["pre"]], ids[arrays["post"]]
        mine = np.isin(pre, source.ids) & np.isin(post, target.ids)
        pairs, delay = ns.connectors.pairs(pre[mine], post[mine]), arrays["delay"][mine]
        network.connect(source, target, pairs, weight=weight, delay=delay, **learning)
    return network


def _kick(network: ns.Network, p: Mapping[str, Any], seed: int) -> None:
    """One random neuron in every step, drawn beforehand: a Poisson input would draw for every neuron in every step."""
    rng = np.random.default_rng(seed)
    steps, n = round(p["duration"] / p["dt"]), p["excitatory"] + p["inhibitory"]
    chosen, times = rng.integers(n, size=steps), np.arange(1, steps + 1) * p["dt"]
    by_neuron = np.split(times[np.argsort(chosen, kind="stable")], np.cumsum(np.bincount(chosen, minlength=n))[:-1])
    first = 0
    for target in list(network.populations.values()):
        trains = [train.tolist() for train in by_neuron[first : first + target.size]]
        first += target.size
        kicks = network.add_population(f"kicks_{target.name}", len(trains), ns.models.spike_list(times=trains))
        network.connect(kicks, target, "one_to_one", weight=p["kick"], delay=p["dt"])


def comparison(parameters: Mapping[str, Any], threads: tuple[int, ...] = (1, 2)) -> Comparison:
    """What is compared; ``parameters`` come from :func:`write_synapses`, and tests pass smaller ones."""
    neurons = {"exc": parameters["excitatory"], "inh": parameters["inhibitory"]}
    outdegrees = dict.fromkeys(neurons, float(parameters["outdegree"]))
    notes = {"nest": "arrivals jump the membrane, so it fires more; delays count as dendritic"}
    return Comparison("polychronization", parameters, build, neurons, threads, notes, outdegrees)


def run(against: Sequence[str], progress: Progress) -> list[Row]:
    """Measure with one thread and with two; with so little to do in a step, the peers get slower with two."""
    with tempfile.TemporaryDirectory() as folder:
        parameters = write_synapses(PARAMETERS, Path(folder) / "synapses.npz")
        return compare(comparison(parameters), against, progress)
