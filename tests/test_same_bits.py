"""The result does not depend on threads, on the length of epochs, on how a run is cut, or on who is watching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import neurosim as ns

STEPS = 600


def _living_network(seed: int = 7, delays: Any = None) -> ns.Network:
    """Several shards, all kinds of delays, and neurons of three models."""
    net = ns.Network(seed=seed, dt=0.1)
    exc = net.add_population("exc", 4200, "lif_delta", initial={"v": "uniform(0 mV, 20 mV)"})
    inh = net.add_population("inh", 1100, "lif_delta", initial={"v": "uniform(0 mV, 20 mV)"})
    slow = net.add_population("slow", 2100, {"lif_exp": {"i_e": "150 pA"}}, initial={"v": "uniform(-65 mV, -50 mV)"})
    net.add_input("drive", ns.inputs.poisson("14 kHz"), [exc, inh], weight="0.1 mV")
    spread = delays if delays is not None else ns.uniform("0.5 ms", "4 ms")
    net.connect(exc, exc, ns.connectors.fixed_indegree(40), weight=ns.uniform(0.05, 0.2), delay=spread)
    net.connect(exc, inh, ns.connectors.fixed_indegree(40), weight=0.1, delay=1.5)
    net.connect(inh, exc, ns.connectors.fixed_indegree(10), weight=-0.6, delay=1.5)
    net.connect(exc, slow, ns.connectors.fixed_probability(0.01), weight=ns.normal(20, 5), delay=2.0, receptor="exc")
    net.connect(slow, slow, ns.connectors.fixed_indegree(5), weight="-30 pA", delay=0.8)
    return net


def _rewire(sim: ns.Simulation) -> None:
    """Births and deaths of synapses and neurons; the random choices depend on the time alone."""
    draw = np.random.default_rng(sim.step)
    net = sim.network
    exc, wires = net.populations["exc"], net.projections["exc_exc"]
    wires.remove(draw.choice(wires.ids, 300, replace=False))
    exc.remove(draw.choice(exc.ids, 40, replace=False))
    newborn = exc.add(50)
    wires.add(draw.choice(exc.ids, 400), draw.choice(newborn, 400), weight=0.2)


def _hash(threads: int = 1, cuts: int = 1, watch: bool = False, edits: bool = False, **options: Any) -> str:
    net = _living_network(delays=options.pop("delays", None))
    sim = ns.Simulation(net, threads=threads, **options)
    sim._team._cost = {1: 1.0, threads: 0.5}  # let the whole team work, however short the run
    if edits:
        sim.every("10 ms", _rewire)
    if watch:
        for population in net.populations.values():
            sim.record_spikes(population)
        sim.record_state(net.populations["exc"], "v", select="v > 15 mV", every="0.7 ms")
        sim.record_synapses(net.projections["exc_exc"], every="3 ms", sample=100)
        sim.on_spike(net.populations["slow"], lambda sim, times, ids: None)
    for k in range(cuts):
        steps = STEPS * (k + 1) // cuts - STEPS * k // cuts
        sim.run(steps * 0.1)
    assert min(sim.spike_counts.values()) > 100
    return sim.hash()


@pytest.fixture(scope="module", autouse=True)
def four_shards() -> Iterator[None]:
    """Populations of this size have two shards; four leave more to go wrong."""
    with patch("neurosim.graph.population._NEURONS_FOR_FOUR", 4000):
        yield


@pytest.fixture(scope="module")
def reference() -> str:
    return _hash()


@pytest.fixture(scope="module")
def reference_with_edits() -> str:
    return _hash(edits=True)


@pytest.mark.parametrize(
    "options",
    [{"threads": 2}, {"threads": 3}, {"epoch_steps": 1}, {"cuts": 97}, {"watch": True}, {"audit": True},
     {"threads": 2, "epoch_steps": 3, "cuts": 13, "watch": True}],
    ids=str,
)  # fmt: skip
def test_same_bits(reference: str, options: dict[str, Any]) -> None:
    assert _hash(**options) == reference


@pytest.mark.parametrize(
    "options", [{"threads": 2}, {"threads": 3}, {"epoch_steps": 1}, {"cuts": 60, "watch": True}], ids=str
)
def test_same_bits_while_the_structure_changes(reference_with_edits: str, options: dict[str, Any]) -> None:
    assert _hash(edits=True, **options) == reference_with_edits


def test_same_bits_without_delay() -> None:
    """Arrivals without delay make every epoch one step long."""
    spread = ns.uniform("0 ms", "1 ms")
    assert _hash(delays=spread) == _hash(delays=spread, threads=3, cuts=29)


def test_the_hash_sees_everything() -> None:
    """Another seed, weight, or death gives another hash."""
    seen = set()
    for change in ("nothing", "seed", "weight", "death", "delay"):
        net = _living_network(seed=8 if change == "seed" else 7)
        wires = net.projections["exc_exc"]
        if change == "weight":
            wires.weight[wires.ids[:1]] = 0.111
        if change == "delay":
            wires.delay[wires.ids[:1]] = 3.9 if wires.delay[wires.ids[:1]][0] < 2 else 0.6
        if change == "death":
            net.populations["slow"].remove(net.populations["slow"].ids[:1])
        sim = ns.Simulation(net, threads=1)
        sim.run(1.0)
        seen.add(sim.hash())
    assert len(seen) == 5
