"""Modulators: rewards that come when they come, and what they find at the synapses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import neurosim as ns
from neurosim.errors import InvalidInput, UnknownName

PAIRED, ALONE = 0, 1  # sources: one whose arrivals pair with the target's spikes, and one that is never active


def network(**parameters: Any) -> tuple[ns.Network, ns.Simulation, Any]:
    """Two sources onto one parrot, which repeats what the first of them sends."""
    net = ns.Network(seed=1, dt=0.1)
    sources = net.add_population("sources", 2, ns.models.spike_list(times=[[10.0, 300.0, 620.0], []]))
    target = net.add_population("target", 1, "parrot")
    net.connect("sources", "target", ns.connectors.pairs([sources.ids[0]], [target.ids[0]]), name="kick", weight=1,
                delay=1.5)  # fmt: skip
    rule = ns.learning.reward_stdp(**parameters)
    synapses = net.connect(sources, target, "all_to_all", name="learned", weight=0.3, delay=1.0, learning=[rule],
                           bounds={"weight": (0, 1)}, precision="float64")  # fmt: skip
    return net, ns.Simulation(net), synapses


def test_a_reward_in_closed_form() -> None:
    _, sim, synapses = network(baseline=0.0, unit_time="1 s")
    sim.run("200 ms")
    before = synapses.weight.values
    assert (before == 0.3).all()
    assert synapses.c.values[ALONE] == 0.0
    eligible = synapses.c.values[PAIRED]
    assert eligible > 0.0
    sim.modulate("dopamine", 0.5)
    for after in (50.0, 50.0):
        sim.run(after)
        t = sim.time - 200.0
        tau = 1000.0 * 200.0 / 1200.0
        gained = eligible * 0.5 * tau * -math.expm1(-t / tau) / 1000.0
        assert synapses.weight.values[PAIRED] - 0.3 == pytest.approx(gained, rel=1e-10)


def test_synapses_without_eligibility_keep_every_bit() -> None:
    _, sim, synapses = network()
    for _ in range(40):
        sim.run("20 ms")
        sim.modulate("dopamine", 0.7)
    assert synapses.weight.values[PAIRED] != 0.3
    assert synapses.weight.values[ALONE].hex() == (0.3).hex()


def test_looking_changes_no_bit() -> None:
    def life(look: bool) -> str:
        _, sim, synapses = network()
        for _ in range(8):
            sim.run("90 ms")
            if look:
                assert np.isfinite(synapses.weight.values).all()
            sim.modulate("dopamine", 0.3)
        return sim.hash()

    assert life(True) == life(False)


def test_each_rule_hears_the_signal_it_is_told_to() -> None:
    """A module's synapses listen to its own signal."""
    net = ns.Network(seed=1, dt=0.1)
    source = net.add_population("source", 1, ns.models.spike_list(times=[[10.0, 20.0]]))
    weights = {}
    for name in ("left", "right"):
        target = net.add_population(name, 1, "parrot")
        weights[name] = net.connect(
            source, target, "all_to_all", name=f"to_{name}", weight=0.3, delay=1.0, bounds={"weight": (0, 1)},
            learning=[ns.learning.reward_stdp(modulator=f"{name}_dopamine", baseline=0.0)],
        )  # fmt: skip
    sim = ns.Simulation(net)
    sim.run("50 ms")
    sim.modulate("left_dopamine", 0.5)
    sim.run("200 ms")
    assert weights["left"].weight.values[0] != weights["right"].weight.values[0] == np.float32(0.3)
    with pytest.raises(UnknownName, match=r"'dopamine'.*left_dopamine"):
        sim.modulate("dopamine")
    with pytest.raises(InvalidInput, match="cannot be a name"):
        ns.learning.reward_stdp(modulator="the left one")


@pytest.mark.parametrize(
    ("equations", "message"),
    [
        ("dweight/dt = c*x : weight\nc : weight/ms\ndx/dt = -x/(5 ms) : 1 (pre)", "'x' is neither"),
        ("dweight/dt = c/d : weight\nc : weight/ms\ndd/dt = -d/(5 ms) : 1 (modulator)", "a sum of products"),
        ("dweight/dt = 0.1*weight/(1 ms) : weight", "has a meaning of its own"),
        ("dweight/dt = (1 - weight)/(1 ms) : weight", "has a meaning of its own"),
        ("dweight/dt = 2 mV/ms : weight", "drift without bound"),
        ("dweight/dt = c*z : weight\nc : weight/ms\ndz/dt = (1 - z)/(5 ms) : 1", "'z' is neither"),
        ("dd/dt = -d/(5 ms) : mV (modulator)", "a trace is a plain number"),
        ("dd/dt = -d/(5 ms) : 1 (modulator, pre)", "one of them each"),
    ],
)
def test_what_cannot_move_by_itself(equations: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        ns.learning.from_code(equations=equations, on_post="weight *= 1", modulator="d" if "modulator" in equations
                              else "")().bind("mV")  # fmt: skip


def test_a_signal_is_no_event_of_rules_that_listen_to_another() -> None:
    """Even where one of them only keeps a trace, and has no code for it."""
    raised = {"name": "raised", "on_modulator": "weight += amount*w_max", "modulator": "salt"}
    net = ns.Network(seed=1, dt=0.1)
    source, target = net.add_population("source", 40, {"poisson": {"rate": "20 Hz"}}), net.add_population("target", 3)
    wires = net.connect(source, target, "all_to_all", weight=0.5, delay=1.0, bounds={"weight": (0.0, 4.0)},
                        learning=[raised, "reward_stdp"])  # fmt: skip
    sim = ns.Simulation(net, threads=1)
    sim.run("50 ms")
    sim.modulate("dopamine", 0.5)
    sim.run("10 ms")
    assert (wires.weight.values < 0.6).all()
    sim.modulate("salt", 0.25)
    assert (wires.weight.values > 1.4).all()
