"""What structural rules do does not depend on threads, epochs, cuts, or on who is watching."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import neurosim as ns

STEPS = 1000
STDP = {"stdp": {"a_plus": 0.1, "a_minus": 0.12}}


def _network(history: str = "full") -> ns.Network:
    """A hundred and sixty neurons in a ball, with every kind of rule at work, each at times of its own."""
    net = ns.Network(seed=11, dt=0.1)
    net.history.mode = history
    noise = net.add_population("noise", 40, {"poisson": {"rate": "40 Hz"}}, positions=ns.place.ball("200 um"))
    out = net.add_population(
        "out",
        120,
        {"lif_delta": {"i_e": "240 pA"}},
        positions=ns.place.ball("200 um"),
        initial={"v": "uniform(0 mV, 20 mV)"},
    )
    net.add_input("drive", ns.inputs.poisson("2 kHz"), out, weight="0.5 mV")
    spread = ns.uniform("0.2 ms", "3 ms")
    net.connect(noise, out, ns.connectors.fixed_indegree(6), name="no", weight=ns.uniform(0.1, 1.5), delay=spread)
    net.connect(
        out,
        out,
        ns.connectors.fixed_indegree(8),
        name="oo",
        weight=ns.uniform(0.1, 1.5),
        delay=spread,
        learning=[STDP],
        bounds={"weight": (0.0, 2.0)},
    )
    library, own = ns.structure, ns.structure.from_code
    near = {"exponential": "80 um"}
    born: dict[str, Any] = {"weight": 0.4, "delay": 1.1}
    for rule in (
        library.prune_weak("oo", below="0.2 mV", lasting="4 ms", every="2 ms"),
        library.prune_unused("no", "oo", idle="60 ms", every="5 ms"),
        library.prune_old("oo", lifetime="80 ms", unless_above="1.2 mV", every="7 ms"),
        library.turnover("no", lifetime="200 ms", every="3 ms", **born),
        library.sparse_evolution("oo", share=0.02, every="9 ms", **born),
        library.forget_weak("no", memory=40_000, every="10 ms"),
        library.hebbian_growth("no", "oo", contacts="20 Hz", every="4 ms", distance=near, **born),
        library.homeostatic_growth(
            "oo",
            growth_rate="40 Hz",
            target_rate="20 Hz",
            tau_calcium="30 ms",
            every="5 ms",
            weight=0.3,
            delay=0.7,
            multapses=False,
        ),
        library.homeostatic_growth_gaussian(
            "no", growth_rate="50 Hz", tau_calcium="30 ms", every="6 ms", distance=near, **born
        ),
        own("oo", name="crowded", most_pre="30", most_post="25 + 0.5*in_degree", every="3 ms"),
        own(
            "no",
            name="many",
            births="0.05*n_post",
            every="0.3 ms",
            autapses=True,
            multapses=False,
            distance=near,
            **born,
        ),
        own(
            out,
            name="busy",
            equations="dz/dt = (spikes - z)/(20 ms) : Hz",
            every="8 ms",
            chance="0.3",
            die="z > 130 Hz or in_degree < 2",
            **{"for": "8 ms"},
        ),
        library.neurogenesis(
            "out",
            rate="400 Hz",
            every="2.5 ms",
            place={"near": "20 um"},
            initial={"v": 5.0},
            wire={
                "oo": {"incoming": 5, "outgoing": 4, "weight": ns.uniform(0.2, 0.8)},
                "no": {"incoming": 3, "weight": 1.0, "delay": ns.uniform(0.2, 2.0)},
            },
        ),
        library.competition("out", room=130, grace="20 ms", tau_rate="25 ms", every="10 ms"),
        library.maturation("out", excitability="6 mV", tau="30 ms", every="4 ms"),
    ):
        net.add_rule(rule)
    return net


def _rewire(sim: ns.Simulation) -> None:
    """Edits by hand between those of the rules, and a rule that comes and goes; chosen by the time alone."""
    draw, net = np.random.default_rng(sim.step), sim.network
    wires, out = net.projections["oo"], net.populations["out"]
    wires.remove(draw.choice(wires.ids, 5, replace=False))
    out.remove(draw.choice(out.ids, 2, replace=False))
    newborn = out.add(3)
    wires.add(draw.choice(out.ids, 20), draw.choice(newborn, 20), weight=1.0, delay=draw.uniform(0.2, 3.0, 20))
    if "guest" in net.rules:
        net.remove_rule("guest")
    else:
        net.add_rule(ns.structure.prune_old("no", name="guest", lifetime="15 ms", every="1 ms"))


def _look(sim: ns.Simulation) -> None:
    for wires in sim.network.projections.values():
        wires.edges(), wires.where("weight > 1"), wires.in_degree()
    for rule in sim.network.rules.values():
        for population in rule.populations:
            if rule.dynamics[population.name]:
                sim.structure.kept(rule, population)
    sim.state(), sim.hash()


def _result(cuts: int = 1, watch: bool = False, history: str = "full", **options: Any) -> tuple[Any, ...]:
    net = _network(history)
    sim = ns.Simulation(net, **{"threads": 1, **options})
    if sim.threads > 1:
        sim._team._cost = {1: 1.0, sim.threads: 0.5}  # let the whole team work, however short the run
    sim.every("7 ms", _rewire)
    if watch:
        for name in net.populations:
            sim.record_spikes(name)
        sim.record_synapses("oo", every="0.7 ms")
        sim.record_state("out", ["v", "v_th"], every="0.3 ms")
    for k in range(cuts):
        sim.run((STEPS * (k + 1) // cuts - STEPS * k // cuts) * 0.1)
        if watch:
            _look(sim)
    assert min(sim.spike_counts.values()) > 50
    if options.get("audit"):
        counted = sim.conservation()
        assert counted["emitted"] == counted["delivered"] + counted["in_flight"] + counted["dropped"]
        assert counted["dropped"] > 0
    births, deaths = net.history.births, net.history.deaths
    assert min(births["neurons"], deaths["neurons"]) > 20
    assert min(births["synapses"], deaths["synapses"]) > 1000
    kept = [
        sim.structure.kept(rule, population)
        for rule in net.rules.values()
        for population in rule.populations
        if rule.dynamics[population.name]
    ]
    digest = b"".join(values.tobytes() for of in kept for values in of.values()).hex()
    return sim.hash(), digest, births["synapses"], deaths["synapses"], births["neurons"], deaths["neurons"]


@contextmanager
def _shards(n: int) -> Iterator[None]:
    """Let a small population have so many shards, the memory of spikes be short, and threads share every edit."""
    sizes = {"_NEURONS_PER_SHARD": 1 if n > 1 else 1024, "_NEURONS_FOR_FOUR": 2 if n > 2 else 16384}
    with (
        patch.multiple("neurosim.graph.population", **sizes),
        patch("neurosim.graph.plasticity._LOG", 256),
        patch("neurosim.graph.crew._SHARED", 1),
    ):
        yield


@cache
def _reference(shards: int) -> tuple[Any, ...]:
    with _shards(shards):
        return _result()


@pytest.mark.parametrize(
    "options",
    [
        {"threads": 2},
        {"threads": 3},
        {"epoch_steps": 1},
        {"cuts": 73},
        {"watch": True},
        {"audit": True},
        {"history": "counts"},
        {"history": "off"},
        {"threads": 3, "epoch_steps": 2, "cuts": 41, "watch": True, "audit": True, "history": "counts"},
    ],
    ids=str,
)
def test_same_bits_while_rules_act(options: dict[str, Any]) -> None:
    with _shards(4):
        assert _result(**options) == _reference(4)


@pytest.mark.parametrize("shards", [1, 2])
def test_same_bits_with_fewer_shards(shards: int) -> None:
    with _shards(shards):
        assert _result(threads=2, epoch_steps=1, cuts=17) == _reference(shards)


def test_another_simulation_goes_on_with_the_rules() -> None:
    """What rules keep and when they are due is the network's: a second simulation changes nothing."""
    with _shards(2):
        net = _network()
        for duration in (3.0, 9.1, 0.0, 12.4, 25.5):
            sim = ns.Simulation(net, threads=1)
            sim.run(duration)
        whole = _network()
        once = ns.Simulation(whole, threads=1)
        once.run(50.0)
        assert net.history.digest == whole.history.digest
        for one, other in zip(net.projections.values(), whole.projections.values(), strict=True):
            assert all(map(np.array_equal, one.edges(), other.edges()))
        for rule in net.rules.values():
            twin = whole.rules[rule.name]
            for population in rule.populations:
                if rule.dynamics[population.name]:
                    ours = sim.structure.kept(rule, population)
                    theirs = once.structure.kept(twin, whole.populations[population.name])
                    assert all(np.array_equal(values, theirs[name]) for name, values in ours.items())


def _turnover(threads: int) -> tuple[str, int, list[int]]:
    """Four projections whose synapses are replaced at the same times, and a rule that ranks those of one of them."""
    net = ns.Network(seed=5, dt=0.1)
    populations = [net.add_population(name, n, "lif_delta") for name, n in (("a", 60), ("b", 40))]
    net.add_input("drive", ns.inputs.poisson(rate=9000.0), populations, weight=0.2)
    for source in populations:
        for target in populations:
            degree = ns.connectors.fixed_indegree(20)
            weight, delay = ns.uniform(0.0, 0.2), ns.uniform(0.5, 3.0)
            pair = net.connect(source, target, degree, weight=weight, delay=delay)
            turnover = {"die": True, "chance": 0.3, "births": "deaths", "every": 1.0, "name": f"of_{pair.name}"}
            net.add_rule(turnover, pair)
    sim = ns.Simulation(net, threads=threads)
    sim.run(50.0)
    rules = [rule.name for rule in net.rules.values()]
    net.remove_rule(rules[0])
    ranked = {"rank": "weight", "surplus": "size*0.1", "births": "deaths", "every": 1.0, "name": "ranked"}
    net.add_rule(ranked, net.projections["a_a"])
    sim.run(50.0)
    return sim.hash(), net.history.deaths["synapses"], [pair.size for pair in net.projections.values()]


def test_rules_that_look_at_once_see_the_same() -> None:
    with _shards(4), patch("neurosim.engine.structure.runner._WORTH_SHARING", 0):
        alone = _turnover(1)
        assert alone[1] > 10_000
        assert _turnover(2) == _turnover(3) == alone
