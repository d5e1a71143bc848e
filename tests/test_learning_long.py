"""Synapses that have seen millions of spikes: nothing is lost, nothing depends on threads, nothing grows."""

from __future__ import annotations

from typing import Any

import numpy as np

import neurosim as ns

NEURONS, OUTDEGREE, EVENTS = 2400, 100, 10_000_000


def _learned(threads: int) -> tuple[Any, ...]:
    """Delays that move by several ms while ten million spikes pass, some of them sent before the last has arrived."""
    net = ns.Network(seed=5, dt=0.1)
    spread = {"v": "uniform(-65 mV, -50 mV)"}
    cells = net.add_population("cells", NEURONS, {"lif_exp": {"i_e": "360 pA"}}, initial=spread)
    net.add_input("noise", ns.inputs.poisson("1 kHz"), cells, weight="30 pA", receptor="exc")
    wires = net.connect(cells, cells, ns.connectors.fixed_outdegree(OUTDEGREE), weight=ns.uniform("0 pA", "6 pA"),
                        delay=ns.uniform("1 ms", "15 ms"), receptor="exc", learning=[{"ds_stdp": {"b_plus": 0.1}}],
                        bounds={"weight": ("0 pA", "6 pA"), "delay": ("1 ms", "16 ms")})  # fmt: skip
    before = wires.delay.values
    sim = ns.Simulation(net, threads=threads, audit=True)
    if threads > 1:
        sim._team._cost = {1: 1.0, threads: 0.5}  # let the whole team work
    while sim.conservation()["delivered"] < EVENTS:
        sim.run("100 ms")
    counted = sim.conservation()
    assert counted["emitted"] == counted["delivered"] + counted["in_flight"] + counted["dropped"]
    assert counted["emitted"] == sim.spike_counts["cells"] * OUTDEGREE
    assert counted["in_flight"] > 0
    assert np.abs(wires.delay.values - before).mean() > 1.0  # ms
    waiting = wires.values.plasticity.waiting  # type: ignore[union-attr]
    assert waiting is not None
    used = waiting.state()["nodes"].nbytes
    assert 0 < used < 8 * wires.size  # bytes: not one synapse in two was ever waiting for two spikes at a time
    return sim.hash(), wires.delay.values.tobytes(), wires.weight.values.tobytes(), used


def test_delays_learned_over_ten_million_spikes_keep_every_spike_and_every_bit() -> None:
    first = _learned(1)
    assert _learned(2) == first
    assert _learned(3) == first
