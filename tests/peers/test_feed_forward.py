"""Spike by spike with Brian2: fixed input spikes onto unconnected cells, a weight and a delay per synapse.

How Brian2's time maps onto ours (law 2 of docs/semantics.md; h is the time step). Brian2's step k goes from
kh to (k+1)h: integrate, test the threshold, stamp the spike kh, add what arrives, reset. Ours ends at
τ = (k+1)h: integrate, add what arrives, test, stamp the spike τ. Hence

* our stamp is Brian2's plus h;
* a *current* that arrives at τ is added by both after the integration to τ. It acts on the membrane only from
  the next step, so it does not matter that Brian2 adds it after the test: delays are the same, and so is
  delay 0 (added after the test of the step of the spike by both);
* a *jump* of the membrane must be added before the test. Brian2 is told to do so (`when="groups", order=1`);
  as it then sees a spike one step later, its delays are shorter by h;
* Brian2 lets a neuron integrate again in the step that begins t_ref after the beginning of the step of its
  spike: it holds one step less than we do, so it is given t_ref + h.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from twin import LifDelta, LifExp, SpikeList, World

import neurosim as ns
from neurosim.benchmarks.peers import Peer

pytestmark = pytest.mark.peers

DT, DURATION = 0.1, 400.0
INPUTS, CELLS, SYNAPSES = 40, 30, 600
CELL = {"tau_m": 17.0, "e_l": -65.0, "v_th": -52.0, "v_reset": -66.0, "t_ref": 2.1}
CURRENTS = {"c_m": 210.0, "tau_exc": 4.0, "tau_inh": 9.0}

Arrays = dict[str, NDArray[Any]]
Spikes = list[tuple[int, int]]  # (step, cell), in this order


def make(kind: str, seed: int) -> Arrays:
    """Input spikes on the grid, no two of one input at once; synapses with weights that float32 holds."""
    rng = np.random.default_rng(seed)
    fires = rng.random((int(DURATION / DT) - 300, INPUTS)) < 0.004
    steps, indices = np.nonzero(fires)
    shortest = 0 if kind == "exp" else 1
    strength = rng.integers(1, 64, SYNAPSES) * (4.0 if kind == "exp" else 0.0625)
    sign = rng.choice([1.0, 1.0, 1.0, -0.5], SYNAPSES)
    return {
        "times": (steps + 1) * DT,
        "indices": indices,
        "pre": rng.integers(0, INPUTS, SYNAPSES),
        "post": rng.integers(0, CELLS, SYNAPSES),
        "weight": strength * sign,
        "delay": rng.integers(shortest, 200, SYNAPSES) * DT,
    }


def in_steps(times: NDArray[Any], ids: NDArray[Any]) -> Spikes:
    steps = np.rint(np.asarray(times) / DT).astype(int)
    return sorted(zip(steps.tolist(), np.asarray(ids).tolist(), strict=True))


def with_brian2(kind: str, arrays: Arrays, folder: Path) -> Spikes:
    np.savez(folder / "network.npz", **arrays)
    numbers = {"dt": DT, "duration": DURATION, "inputs": INPUTS, "cells": CELLS, "kind": kind}
    parameters = {**numbers, **CELL, **CURRENTS, "arrays": str(folder / "network.npz")}
    with Peer("brian2", "feed_forward", parameters, record=True) as peer:
        peer.run(1, folder / "spikes.npz")
    spikes = np.load(folder / "spikes.npz")
    return in_steps(spikes["cells_times"], spikes["cells_ids"])


def with_the_twin(kind: str, arrays: Arrays) -> Spikes:
    world = World(DT)
    times = {k: arrays["times"][arrays["indices"] == k].tolist() for k in range(INPUTS)}
    world.add_population("in", SpikeList(DT, times), range(INPUTS))
    world.add_population("cells", _twin_model(kind), range(INPUTS, INPUTS + CELLS))
    variables = {"delta": ("v", "v"), "exp": ("i_inh", "i_exc")}[kind]
    for variable in set(variables):
        world.add_projection(variable, "in", "cells", variable)
    columns = (arrays[name].tolist() for name in ("pre", "post", "weight", "delay"))
    for k, (pre, post, weight, delay) in enumerate(zip(*columns, strict=True)):
        world.add_synapse(variables[weight > 0], k, pre, post + INPUTS, weight, delay)
    world.run(round(DURATION / DT))
    return sorted((step, id - INPUTS) for step, id in world.spikes["cells"])


def _twin_model(kind: str) -> LifDelta | LifExp:
    return LifDelta(DT, **CELL) if kind == "delta" else LifExp(DT, **CELL, **CURRENTS)


def with_neurosim(kind: str, arrays: Arrays) -> Spikes:
    network = ns.Network(seed=1, dt=DT)
    times = [arrays["times"][arrays["indices"] == k].tolist() for k in range(INPUTS)]
    inputs = network.add_population("in", INPUTS, ns.models.spike_list(times=times))
    model = {"lif_delta": CELL} if kind == "delta" else {"lif_exp": CELL | CURRENTS}
    cells = network.add_population("cells", CELLS, model)
    for receptor, chosen in (("exc", arrays["weight"] > 0), ("inh", arrays["weight"] < 0)):
        pairs = ns.connectors.pairs(inputs.ids[arrays["pre"][chosen]], cells.ids[arrays["post"][chosen]])
        network.connect(
            inputs, cells, pairs, name=receptor, receptor=receptor,
            weight=arrays["weight"][chosen], delay=arrays["delay"][chosen],
        )  # fmt: skip
    simulation = ns.Simulation(network, dt=DT)
    recorder = simulation.record_spikes(cells)
    simulation.run(DURATION)
    return in_steps(recorder.times, recorder.ids - cells.ids[0])


@pytest.mark.parametrize("kind", ["exp", "delta"])
def test_brian2_neurosim_and_the_twin_agree_spike_by_spike(kind: str, tmp_path: Path) -> None:
    arrays = make(kind, seed=7)
    expected = with_brian2(kind, arrays, tmp_path)
    assert len(expected) > 5 * CELLS, "the cells hardly fire, so that little was tested"
    assert with_the_twin(kind, arrays) == expected
    assert with_neurosim(kind, arrays) == expected
