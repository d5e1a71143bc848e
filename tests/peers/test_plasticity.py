"""Learning against Brian2, on the same fixed spikes: weights of STDP, amplitudes of short-term plasticity.

`test_feed_forward` says how Brian2's time maps onto ours. Both programs see arrivals at the synapse, and at one time
the arrival before the target's spike, so the sequence of events at every synapse is the same and so must be what they
make of it. Two things are not the same, and are kept out of the way here:

* Brian2 transmits with the weight *at arrival*, we with the weight *at emission* (law 5 of docs/semantics.md). Hence
  weights are compared at the end, after the last arrival, and the targets of STDP fire from fixed spikes.
* For the same reason short-term plasticity acts at emission here and at arrival there. With one delay per synapse that
  does not change is the same train, later: the amplitudes agree.

Weights are float64 on both sides (``precision="float64"``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neurosim as ns
from neurosim.benchmarks.peers import Peer

pytestmark = pytest.mark.peers

DT, DURATION = 0.1, 2000.0
PRE, POST, SYNAPSES = 30, 20, 400
STDP = {"tau_plus": 17.0, "tau_minus": 31.0, "a_plus": 0.06, "a_minus": 0.04}
W_MAX = 0.01  # mV: too little to make anybody fire
TAU_M = 10.0

Arrays = dict[str, NDArray[Any]]


def trains(rng: np.random.Generator, n: int, rate: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Times (ms) and neurons of Poisson spikes on the grid, at most one per neuron and step, none near the end."""
    fires = rng.random((round(DURATION / DT) - 300, n)) < rate * DT / 1000.0
    steps, ids = np.nonzero(fires)
    return (steps + 1) * DT, ids


def make(seed: int, one_target_each: bool = False) -> Arrays:
    """Spikes of both sides, and synapses with delays of 1 step to 20 ms; on request one synapse for each target."""
    rng = np.random.default_rng(seed)
    pre_times, pre_ids = trains(rng, PRE, 30.0)
    post_times, post_ids = trains(rng, POST, 30.0)
    n = POST if one_target_each else SYNAPSES
    chosen = rng.permutation(PRE * POST)[:n]  # no pair twice: results come back by pair
    return {
        "pre_times": pre_times,
        "pre_ids": pre_ids,
        "post_times": post_times,
        "post_ids": post_ids,
        "pre": chosen % PRE,
        "post": np.arange(POST) if one_target_each else chosen // PRE,
        "delay": rng.integers(1, 200, n) * DT,
        "weight": rng.uniform(0.2, 0.8, n) * W_MAX,
    }


def with_brian2(network: str, arrays: Arrays, parameters: dict[str, Any], folder: Path) -> Arrays:
    np.savez(folder / "network.npz", **arrays)
    numbers = {"dt": DT, "duration": DURATION, "n_pre": PRE, "n_post": POST, "arrays": str(folder / "network.npz")}
    with Peer("brian2", network, {**numbers, **parameters}, record=True) as peer:
        peer.run(1, folder / "seen.npz")
    with np.load(folder / "seen.npz") as seen:
        return dict(seen)


def build(arrays: Arrays, learning: Any, forced: bool) -> tuple[ns.Network, Any]:
    """Sources with given spikes; cells that fire at given times if ``forced``, else never."""
    network = ns.Network(seed=1, dt=DT)

    def given(name: str, side: str, n: int, earlier: float) -> ns.Population:
        times = [(arrays[f"{side}_times"][arrays[f"{side}_ids"] == k] - earlier).tolist() for k in range(n)]
        return network.add_population(name, n, ns.models.spike_list(times=times))

    source = given("source", "pre", PRE, 0.0)
    cells = network.add_population("cells", POST, {"lif_delta": {"tau_m": TAU_M, "e_l": 0.0, "v_reset": 0.0,
                                                                 "v_th": 100.0, "t_ref": 0.0}})  # fmt: skip
    if forced:  # a kick that arrives at once makes a cell fire one step after
        kicks = given("kicks", "post", POST, DT)
        network.connect(kicks, cells, "one_to_one", weight=1000.0, delay=DT)
    pairs = ns.connectors.pairs(source.ids[arrays["pre"]], cells.ids[arrays["post"]])
    plastic = network.connect(
        source, cells, pairs, name="plastic", weight=arrays["weight"], delay=arrays["delay"],
        learning=[learning], bounds={"weight": (0.0, W_MAX)}, precision="float64",
    )  # fmt: skip
    return network, plastic


def test_weights_of_stdp_are_those_of_brian2(tmp_path: Path) -> None:
    arrays = make(seed=3)
    late = arrays["post_times"] > 1.5 * DT  # a kick comes one step before
    arrays |= {name: arrays[name][late] for name in ("post_times", "post_ids")}
    expected = with_brian2("learning_trains", arrays, {**STDP, "w_max": W_MAX}, tmp_path)["learning_w"]
    network, plastic = build(arrays, ns.learning.stdp(**STDP), forced=True)
    simulation = ns.Simulation(network, dt=DT)
    recorder = simulation.record_spikes(network.populations["cells"])
    simulation.run(DURATION)
    np.testing.assert_allclose(np.sort(recorder.times), np.sort(arrays["post_times"]))
    found = in_order(plastic, network, arrays)
    assert np.abs(expected - arrays["weight"]).max() > 0.3 * W_MAX, "hardly anything was learned"
    assert np.any(expected == 0.0) or np.any(expected == W_MAX), "no weight met a bound"
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-6 * W_MAX)


def in_order(plastic: Any, network: ns.Network, arrays: Arrays) -> NDArray[Any]:
    """Weights in the order of ``arrays``."""
    source, cells = (network.populations[name] for name in ("source", "cells"))
    edges = plastic.edges()
    by_pair = {
        (int(pre), int(post)): weight for pre, post, weight in zip(edges.pre, edges.post, edges.weight, strict=True)
    }
    pairs = zip(source.ids[arrays["pre"]].tolist(), cells.ids[arrays["post"]].tolist(), strict=True)
    return np.array([by_pair[pair] for pair in pairs])


@pytest.mark.parametrize("kind", ["depressing", "facilitating"])
def test_amplitudes_of_short_term_plasticity_are_those_of_brian2(kind: str, tmp_path: Path) -> None:
    short_term = {
        "depressing": {"U": 0.5, "tau_rec": 300.0, "tau_facil": 5.0},
        "facilitating": {"U": 0.1, "tau_rec": 50.0, "tau_facil": 700.0},
    }[kind]
    arrays = make(seed=5, one_target_each=True)
    seen = with_brian2("short_term_trains", arrays, {**short_term, "tau_m": TAU_M}, tmp_path)["membrane_v"]
    network, _ = build(arrays, ns.learning.tsodyks_markram(**short_term), forced=False)
    simulation = ns.Simulation(network, dt=DT)
    recorder = simulation.record_state(network.populations["cells"], ["v"], every=DT)
    simulation.run(DURATION - DT)  # Brian2 does not look at the end
    ours, theirs = recorder["v"].reshape(-1, POST), seen.T
    # what arrived in a step is what is left when the decay of the step before is taken away
    decay = np.exp(-DT / TAU_M)
    found, expected = (v[1:] - decay * v[:-1] for v in (ours, theirs))
    arrived = expected > 1e-9
    assert arrived.sum() > 20 * POST
    assert expected[arrived].max() > 3.0 * expected[arrived].min(), "amplitudes hardly differ"
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=1e-6 * theirs.max())
    np.testing.assert_allclose(found[arrived], expected[arrived], rtol=1e-6)
