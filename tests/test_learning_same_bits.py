"""What synapses learn does not depend on threads, epochs, cuts, or on who is watching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from courses import COURSES

import neurosim as ns
from neurosim.engine.learning import incoming

STEPS = 900
PROMPT = [("stdp", "float32"), ("reduced", "float64"), ("soft", "float32")]  # may learn without delay


def _network(course: str, precision: str) -> ns.Network:
    """Two hundred neurons that drive one another over synapses that learn, of very different delays."""
    net = ns.Network(seed=3, dt=0.1)
    noise = net.add_population("noise", 40, {"poisson": {"rate": "40 Hz"}})
    out = net.add_population("out", 200, {"lif_delta": {"i_e": "240 pA"}}, initial={"v": "uniform(0 mV, 20 mV)"})
    net.add_input("drive", ns.inputs.poisson("2 kHz"), out, weight="0.5 mV")
    learning: dict[str, Any] = {"learning": [ours for ours, _ in COURSES[course]], "precision": precision}
    delay = ns.uniform("0.2 ms", "3 ms")
    for source in (noise, out):
        net.connect(source, out, ns.connectors.fixed_indegree(8), weight=ns.uniform(0.1, 1.5), delay=delay,
                    bounds={"weight": (0.0, 2.0), "delay": (0.2, 4.0)}, **learning)  # fmt: skip
    return net


def _rewire(sim: ns.Simulation) -> None:
    """Births, deaths and edits; the random choices depend on the time alone."""
    draw = np.random.default_rng(sim.step)
    wires, out = sim.network.projections["out_out"], sim.network.populations["out"]
    wires.remove(draw.choice(wires.ids, 20, replace=False))
    out.remove(draw.choice(out.ids, 3, replace=False))
    newborn = out.add(4)
    wires.add(draw.choice(out.ids, 60), draw.choice(newborn, 60), weight=1.0, delay=draw.uniform(0.2, 3.0, 60))
    wires.weight[draw.choice(wires.ids, 10)] = 0.7
    if any(rule.modulator == "salt" for rule in wires.learning):
        sim.modulate("salt", 0.1)


def _look(net: ns.Network) -> None:
    for wires in net.projections.values():
        wires.edges(), wires.where("weight > 1")
        for name in wires.variables:
            getattr(wires, name).values  # noqa: B018


def _result(course: str, precision: str, cuts: int = 1, watch: bool = False, **options: Any) -> tuple[str, ...]:
    net = _network(course, precision)
    sim = ns.Simulation(net, **{"threads": 1, **options})
    if sim.threads > 1:
        sim._team._cost = {1: 1.0, sim.threads: 0.5}  # let the whole team work, however short the run
    sim.every("7 ms", _rewire)
    if watch:
        sim.record_synapses("out_out", list(net.projections["out_out"].variables), every="0.7 ms")
        sim.record_state("out", "v", every="0.3 ms")
    for k in range(cuts):
        sim.run((STEPS * (k + 1) // cuts - STEPS * k // cuts) * 0.1)
        if watch:
            _look(net)
    assert min(sim.spike_counts.values()) > 50
    found = [net.projections[name] for name in sorted(net.projections)]
    return sim.hash(), *(_digest(wires, list(wires.variables)) for wires in found)


def _digest(wires: ns.Projection, names: Sequence[str]) -> str:
    return b"".join(getattr(wires, name).values.tobytes() for name in names).hex()


@cache
def _reference(course: str, precision: str) -> tuple[str, ...]:
    return _result(course, precision)


@pytest.fixture(autouse=True)
def four_shards() -> Iterator[None]:
    """Let a small population have four shards, and the memory of spikes be short."""
    with patch.multiple("neurosim.graph.population", _NEURONS_PER_SHARD=1, _NEURONS_FOR_FOUR=2), patch(
        "neurosim.graph.plasticity._LOG", 256
    ):  # fmt: skip
        yield


@pytest.mark.parametrize(
    ("course", "precision"),
    [("all", "float32"), ("moved, all", "float64"), ("many", "int8"), ("moved, all", "ternary")],
)
@pytest.mark.parametrize(
    "options",
    [{"threads": 2}, {"threads": 3}, {"epoch_steps": 1}, {"cuts": 89}, {"watch": True},
     {"threads": 3, "epoch_steps": 2, "cuts": 61, "watch": True}],
    ids=str,
)  # fmt: skip
def test_same_bits_while_synapses_learn(course: str, precision: str, options: dict[str, Any]) -> None:
    assert _result(course, precision, **options) == _reference(course, precision)


def test_the_length_of_memories_changes_no_bit() -> None:
    with patch("neurosim.graph.plasticity._LOG", 2**14):
        long = _result("all", "float32")
    assert long == _reference("all", "float32")


def _prompt(course: str, precision: str, **options: Any) -> tuple[tuple[str, ...], int]:
    """What comes out where synapses learn without delay as soon as they can; and how often they came to do so."""
    with patch.object(incoming, "_PATIENCE", 0), patch(
        "neurosim.engine.learning.runner.Incoming", wraps=incoming.Incoming
    ) as made:
        return _result(course, precision, **options), made.call_count


@pytest.mark.parametrize("options", [{}, {"threads": 3, "epoch_steps": 2, "cuts": 61, "watch": True}], ids=str)
@pytest.mark.parametrize(("course", "precision"), PROMPT)
def test_learning_without_delay_changes_no_bit(course: str, precision: str, options: dict[str, Any]) -> None:
    with patch.object(incoming, "LARGEST", 0):
        later = _reference(course, precision)
    now, times = _prompt(course, precision, **options)
    assert now == later
    assert times > 2 * STEPS // 70, "after each edit, both projections anew"


@pytest.mark.parametrize("promptly", [False, True])
def test_later_synapses_may_have_longer_delays(promptly: bool) -> None:
    """They see what was emitted before they came; so it is kept, though nobody needed it until then."""

    def weights(log: int, promptly: bool) -> list[float]:
        net = ns.Network(seed=3, dt=0.1)
        noise = net.add_population("noise", 10, {"poisson": {"rate": "200 Hz"}})
        out = net.add_population("out", 10, {"lif_delta": {"i_e": "240 pA"}}, initial={"v": "uniform(0 mV, 20 mV)"})
        net.add_input("drive", ns.inputs.poisson("20 kHz"), out, weight="0.5 mV")
        wires = net.connect(noise, out, "all_to_all", weight=1.0, delay=0.2, bounds={"weight": (0.0, 9.0)},
                            learning=[ours for ours, _ in COURSES["stdp"]])  # fmt: skip
        with patch("neurosim.engine.learning.runner._limit", lambda things: log):
            sim = ns.Simulation(net)
            sim.run(510.0)
            assert promptly == any(one.incoming is not None for one in sim._plan.learning.values())  # type: ignore[union-attr]
            wires.add(np.repeat(noise.ids, 10), np.tile(out.ids, 10), weight=1.0, delay=150.0)
            sim.run(170.0)
        return list(wires.weight[wires.ids])

    with patch.object(incoming, "_PATIENCE", 0), patch.object(incoming, "LARGEST", 2**18 if promptly else 0):
        found = weights(480, promptly)
    with patch.object(incoming, "LARGEST", 0), patch("neurosim.engine.learning.runner._REMEMBERED", 1e4):
        assert found == weights(2**14, False)
    assert len(set(found)) > 20


def test_rules_that_look_back_do_not_learn_without_delay() -> None:
    assert _prompt("all", "float32")[1] == 0
